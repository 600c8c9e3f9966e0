"""A company's books at the sandbox's Intuit and our copy of them, through consent and the engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest.mock import ANY, patch
from urllib.parse import parse_qsl, unquote_plus, urlsplit

import pytest

from tests.plugins.quickbooks_books import DATASET_AT_SANDBOX
from tests.sign_ins.conftest import desk, sandbox, sandbox_url
from tests.sign_ins.desk import RETURN_URL, Desk
from tests.support.jobs import calendar
from tieline.clients.service import NewClient, create_client
from tieline.connections.repository import Connection
from tieline.connections.service import connect
from tieline.credentials.apps.service import NewApp, add_app
from tieline.host import host
from tieline.ids import RunId, new_id
from tieline.plugins import Product
from tieline.sign_ins.service import NewSignIn, answer_consent, complete_sign_in, start_sign_in
from tieline.sign_ins.states import Purpose
from tieline.sync.runs import Run, RunState
from tieline.sync.service import get_run, list_runs, sync
from tieline.sync.slices import work_slice
from tieline.vault import Secret
from tieline_quickbooks.mapping import NOUNS

__all__ = ["desk", "sandbox", "sandbox_url"]

pytestmark = pytest.mark.usefixtures("opened")

CHANGES_OF_NOTHING = ["companyinfo", *["query"] * 4, "cdc"]


@dataclass(frozen=True, kw_only=True)
class Company:
    """A client that is connected to one company."""

    desk: Desk
    realm: str
    connection: Connection

    async def finish(self, run_id: RunId) -> Run:
        """Work the run to its end, moving both clocks on over its pauses."""
        while (again := await work_slice(self.desk.practice_id, run_id)) is not None:
            await self.move(max(again.at - await calendar(), timedelta(0)) + timedelta(seconds=1))
        return await get_run(self.desk.admin, run_id)

    async def first(self) -> Run:
        """The end of the run that the connection began with."""
        [run] = (await list_runs(self.desk.admin, self.connection.id)).rows
        return await self.finish(run.id)

    async def sync(self) -> tuple[Run, list[str]]:
        """Another sync, and what it asked of the books."""
        before = len(await self.calls())
        run = await self.finish((await sync(self.desk.admin, self.connection.id)).id)
        return run, (await self.calls())[before:]

    async def move(self, by: timedelta) -> None:
        await self.desk.pass_time(by)

    async def edit(self, dataset: str, **how: Any) -> None:
        path = f"/quickbooks/companies/{self.realm}/records"
        await self.desk.sandbox.control("POST", path, {"dataset": dataset, **how})

    async def books(self) -> dict[str, list[dict[str, Any]]]:
        found = await self.desk.sandbox.control("GET", f"/quickbooks/companies/{self.realm}/books")
        return dict(found)

    async def truth(self) -> set[tuple[str, str]]:
        books = await self.books()
        listed = {
            (noun.dataset, noun.id_of(one["Id"]))
            for noun in NOUNS
            for one in books[DATASET_AT_SANDBOX[noun.entity]]
        }
        codes = {("tax_rates", one["Id"]) for one in books["tax_codes"]}
        agencies = {("tax_agencies", one["Id"]) for one in books["tax_agencies"]}
        return listed | codes | agencies | {("organisation", self.realm), ("preferences", self.realm)}

    async def kept(self) -> set[tuple[str, str]]:
        rows = await self.desk.above.fetch(
            "SELECT dataset, external_id FROM ledger_record WHERE organisation_id = $1 AND deleted_at IS NULL",
            self.connection.organisation_id,
        )
        return {(row["dataset"], row["external_id"]) for row in rows}

    async def statements(self) -> str:
        """All that was asked by query."""
        log = await self.desk.sandbox.control("GET", "/log", organisation=self.realm)
        return unquote_plus("\n".join(entry["query"] for entry in log["entries"]))

    async def calls(self) -> list[str]:
        log = await self.desk.sandbox.control("GET", "/log", organisation=self.realm)
        paths = (entry["path"] for entry in log["entries"])
        return [path.split("/")[5] for path in paths if path.startswith("/quickbooks/v3/")]


@pytest.fixture
async def company(desk: Desk) -> Company:
    """One whose first sync is done."""
    company = await connected(desk, bills=40, purchases=40)
    assert (await company.first()).state is RunState.SUCCEEDED
    return company


async def connected(desk: Desk, **records: int) -> Company:
    """A company with so many records, whose first sync is queued."""
    sandbox, client_id = desk.sandbox, f"app-{new_id()}"
    made = await sandbox.control("PUT", f"/quickbooks/apps/{client_id}", {})
    new = NewApp(
        provider="quickbooks",
        client_id=client_id,
        secret=Secret(made["secret"]),
        bulk_consent=False,
        sandbox_url=f"{sandbox.url}/quickbooks",
    )
    app = await add_app(desk.practice_id, new)
    callback = host().callback_url("quickbooks", app.id)
    await sandbox.control("PUT", f"/quickbooks/apps/{client_id}", {"redirect_uris": [callback]})
    wanted = {"companies": 1, "seed": str(new_id()), "names": ["Ashford Bakery"], "records": records}
    person = await sandbox.control("POST", "/quickbooks/populate", wanted)
    realm = person["companies"][0]["realm_id"]

    asked = NewSignIn(
        provider="quickbooks", purpose=Purpose.CONNECT, products=tuple(Product), return_url=RETURN_URL
    )
    started = await start_sign_in(desk.admin, asked)
    form = {"user": person["user_id"], "company": realm, "decision": "allow"}
    back = await sandbox.http.post(str(started.authorization_url), data=form)
    parameters = dict(parse_qsl(urlsplit(back.headers["location"]).query))
    answer = await answer_consent("quickbooks", app.id, parameters)
    assert answer.proof is not None
    await complete_sign_in(desk.admin, started.sign_in.id, answer.proof)
    [(organisation_id, _, _)] = (await desk.found(started.sign_in.id)).values()
    connection = await connect(
        desk.admin,
        started.sign_in.id,
        client_id=(await create_client(desk.admin, NewClient(name="Ashford Bakery"))).id,
        product=Product.DATA_HEALTH,
        organisation_id=organisation_id,
    )
    await desk.above.execute("DELETE FROM job WHERE actor = 'sign_ins.fetch_details'")
    return Company(desk=desk, realm=realm, connection=connection)


async def test_our_copy_is_what_is_there_and_a_sync_without_changes_is_six_calls(company: Company) -> None:
    assert await company.kept() == await company.truth()
    await company.move(timedelta(days=1))

    run, calls = await company.sync()

    assert (run.state, calls) == (RunState.SUCCEEDED, CHANGES_OF_NOTHING)
    assert [each.changed for each in run.feeds] == [0, 0, 0]
    assert await company.kept() == await company.truth()


async def test_what_was_deleted_while_nobody_looked_for_a_month_is_gone_here_too(company: Company) -> None:
    books = await company.books()
    await company.edit("bills", id=books["bills"][0]["Id"], deleted=True)
    await company.edit("vendors", create={"DisplayName": "Ashford Timber"})
    await company.move(timedelta(days=31))

    run, calls = await company.sync()

    assert run.state is RunState.SUCCEEDED
    assert calls == [*CHANGES_OF_NOTHING[:-1], *["query"] * 19, "cdc"]
    assert await company.kept() == await company.truth()


async def test_after_a_first_sync_in_smaller_pages_a_sync_without_changes_is_six_calls_too(
    desk: Desk,
) -> None:
    company = await connected(desk, bills=300)
    with patch("tieline.plugins.session.MAX_ANSWER_BYTES", 200_000):
        assert (await company.first()).state is RunState.SUCCEEDED
        assert "MAXRESULTS 500" in (asked := await company.statements())
        assert asked.count("MAXRESULTS 1000") < asked.count("MAXRESULTS")
        assert await company.kept() == await company.truth()

        for _ in range(2):
            await company.move(timedelta(days=1))
            assert await company.sync() == (ANY, CHANGES_OF_NOTHING)
    assert await company.kept() == await company.truth()


async def test_changes_that_one_answer_does_not_hold_come_in_parts_and_cost_nothing_later(
    company: Company,
) -> None:
    books = await company.books()
    await company.move(timedelta(days=1))
    for dataset in ("bills", "purchases"):
        for one in books[dataset][:20]:
            await company.edit(dataset, id=one["Id"], change={"PrivateNote": "x" * 10_000})
    await company.edit("vendors", id=books["vendors"][0]["Id"], deactivated=True)
    await company.edit("invoices", id=books["invoices"][0]["Id"], deleted=True)
    with patch("tieline.plugins.session.MAX_ANSWER_BYTES", 300_000):
        run, calls = await company.sync()

    assert (run.state, calls) == (RunState.SUCCEEDED, [*CHANGES_OF_NOTHING, *["cdc"] * 19])
    assert await company.kept() == await company.truth()
    await company.move(timedelta(days=1))
    assert await company.sync() == (ANY, CHANGES_OF_NOTHING)


async def test_when_the_consent_ends_for_good_is_kept(company: Company) -> None:
    life = await company.desk.above.fetchval(
        "SELECT hard_expires_at - created_at FROM credential WHERE id = $1", company.connection.credential_id
    )

    assert timedelta(days=1800) < life < timedelta(days=1830)
