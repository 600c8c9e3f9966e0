"""What becomes of an organisation's one run when a connection that shares it stops working."""

from __future__ import annotations

import asyncio
import contextvars

import pytest

from tests.support.books import BOOKKEEPING, DATA_HEALTH, LISTS, Books
from tests.support.polling import until
from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.repository import Connection, ConnectionRepository
from tieline.connections.service import connect, disconnect
from tieline.connections.states import Reason
from tieline.credentials.losing import lose_organisations
from tieline.credentials.rejection import credential_rejected
from tieline.ids import CredentialId, OrganisationId, PracticeId
from tieline.principal import Permission, Principal
from tieline.sync.repository import WantedRun, cancel_runs, queue_runs
from tieline.sync.runs import Trigger
from tieline.work import unit_of_work

HEALTH = ("accounts", "reports")


async def both(books: Books) -> tuple[Connection, Connection]:
    """One client's two products on one organisation: a colleague's DATA_HEALTH, and the admin's BOOKKEEPING, last."""
    client, organisation_id = await books.client("Acme"), await books.organisation("Acme")
    colleague = await books.member(Permission.MANAGE_CONNECTIONS)
    theirs = await books.sign_in(
        await books.credential(colleague.person_id), [organisation_id], person_id=colleague.person_id
    )
    health = await connect(
        colleague, theirs, client_id=client.id, product=DATA_HEALTH, organisation_id=organisation_id
    )
    return health, await books.connected(client, organisation_id, BOOKKEEPING)


async def reject(books: Books, credential_id: CredentialId) -> None:
    row = await books.row("credential", credential_id)
    await reject_at(books.practice_id, credential_id, row["version"])


async def reject_at(practice_id: PracticeId, credential_id: CredentialId, version: int) -> None:
    await credential_rejected(practice_id, credential_id, Reason.REVOKED_AT_PROVIDER, version)


async def lose(books: Books, lost: Connection) -> None:
    async with unit_of_work(Principal.machine(books.practice_id)) as work:
        await lose_organisations(work, books.practice_id, lost.credential_id, [lost.organisation_id])


async def standing(books: Books) -> list[tuple[CredentialId, tuple[str, ...]]]:
    """The credential and the feeds of each live run."""
    return [(run["credential_id"], tuple(run["feeds"])) for run in await books.runs()]


@pytest.mark.parametrize("how", ["rejected", "lost", "disconnected"])
async def test_a_run_goes_on_with_the_feeds_and_the_credential_of_what_still_works(
    books: Books, how: str
) -> None:
    health, bookkeeping = await both(books)
    shared = await standing(books)

    match how:
        case "rejected":
            await reject(books, bookkeeping.credential_id)
        case "lost":
            await lose(books, bookkeeping)
        case _:
            await disconnect(books.admin, bookkeeping.id)

    assert shared == [(bookkeeping.credential_id, ("accounts", "reports", "contacts"))]
    assert await standing(books) == [(health.credential_id, HEALTH)]


@pytest.mark.parametrize("how", ["rejected", "lost", "disconnected"])
async def test_a_run_loses_the_feeds_of_what_stops_though_it_hangs_on_the_other(
    books: Books, how: str
) -> None:
    health, bookkeeping = await both(books)

    match how:
        case "rejected":
            await reject(books, health.credential_id)
        case "lost":
            await lose(books, health)
        case _:
            await disconnect(books.admin, health.id)

    ((credential_id, feeds),) = await standing(books)
    assert (credential_id, set(feeds)) == (bookkeeping.credential_id, set(LISTS))


async def test_a_run_that_nothing_wants_any_more_ends_with_the_last_reason(books: Books) -> None:
    health, bookkeeping = await both(books)
    await disconnect(books.admin, bookkeeping.id)
    await reject(books, health.credential_id)

    (over,) = await books.runs("CANCELLED")
    assert over["reason"] == "REVOKED_AT_PROVIDER"
    assert await books.runs() == []


async def test_a_run_for_feeds_that_only_the_lost_product_has_ends(books: Books) -> None:
    _, bookkeeping = await both(books)
    await books.sql.execute(
        "UPDATE sync_run SET feeds = '{contacts}' WHERE practice_id = $1", books.practice_id
    )

    await disconnect(books.admin, bookkeeping.id)

    (over,) = await books.runs("CANCELLED")
    assert over["reason"] == "DISCONNECTED"


async def test_other_organisations_runs_are_left_alone(books: Books) -> None:
    health, bookkeeping = await both(books)
    other = await books.connected(await books.client("Other"), await books.organisation("Other"))
    before = dict(await standing(books))

    await reject(books, bookkeeping.credential_id)

    after = dict(await standing(books))
    assert after[other.credential_id] == before[other.credential_id]
    assert set(after) == {health.credential_id, other.credential_id}


async def test_what_is_connected_while_its_credential_is_refused_is_settled_too(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The organisations of a credential are read, then locked; in between somebody connects one more."""
    client, organisation_id = await books.client("Late"), await books.organisation("Late")
    credential_id = await books.credential()
    sign_in_id = await books.sign_in(credential_id, [organisation_id])
    real, late = ConnectionRepository.organisations_of, [organisation_id]

    async def connect_late() -> None:
        await connect(
            books.admin,
            sign_in_id,
            client_id=client.id,
            product=BOOKKEEPING,
            organisation_id=late.pop(),
        )

    async def read(self: ConnectionRepository, of: CredentialId) -> frozenset[OrganisationId]:
        found = await real(self, of)
        if late:
            await asyncio.create_task(connect_late(), context=contextvars.Context())
        return found

    monkeypatch.setattr(ConnectionRepository, "organisations_of", read)
    await reject(books, credential_id)

    assert await books.runs() == []
    assert await books.count("connection", "reason = 'REVOKED_AT_PROVIDER'") == 1


async def test_a_refused_credential_waits_for_its_organisations_before_it_is_locked(books: Books) -> None:
    """Organisation, credential, connection: whoever holds the organisation finds the credential free."""
    made = await books.connected(await books.client("Acme"), await books.organisation("Acme"))
    version = (await books.row("credential", made.credential_id))["version"]
    rejecting = reject_at(books.practice_id, made.credential_id, version)
    async with unit_of_work(books.admin):
        await OrganisationRepository.of(books.practice_id).lock([made.organisation_id])
        refusing = asyncio.create_task(rejecting, context=contextvars.Context())
        await until(books.somebody_waits, "the refusal waits for the organisation")

        assert await books.is_free("credential", made.credential_id)

    await refusing
    assert (await books.row("connection", made.id))["reason"] == "REVOKED_AT_PROVIDER"


async def test_many_who_queue_and_cancel_at_once_take_the_runs_in_the_order_of_their_organisations(
    books: Books,
) -> None:
    """The runs' ids rise while their organisations' fall: in the order of those, each would hold what another wants."""
    credential_id = await books.credential()
    organisations = sorted(await books.organisations(*(f"A {number}" for number in range(60))), reverse=True)

    async def queue(*wanted: OrganisationId) -> None:
        runs = [
            WantedRun(organisation_id=each, credential_id=credential_id, feeds=("accounts",))
            for each in wanted
        ]
        async with unit_of_work(Principal.machine(books.practice_id)) as work:
            await queue_runs(books.practice_id, runs, trigger=Trigger.CONNECT, person_id=None, at=work.now)

    async def cancel() -> None:
        async with unit_of_work(Principal.machine(books.practice_id)) as work:
            await cancel_runs(
                books.practice_id, organisation_ids=organisations, reason="DISCONNECTED", at=work.now
            )

    for _ in range(10):
        for organisation_id in organisations:
            await queue(organisation_id)

        await asyncio.gather(
            queue(*reversed(organisations)), cancel(), queue(*reversed(organisations)), cancel()
        )
