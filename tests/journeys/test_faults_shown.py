"""What a provider's faults look like to people: the run's state and sentence, the connection's reason and remedy."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from tests.journeys.test_sign_in_rounds import NAMES, rounds
from tests.plugins import quickbooks_fault_rows, xero_fault_rows
from tests.support.faults import Row, Shown, failed
from tests.support.firm import Caller, Firm
from tests.support.jobs import JobTable
from tests.support.rounds import Rounds
from tests.support.sandbox import Sandbox
from tests.support.syncing import CONNECT, RUN
from tests.support.syncing import connected as connected_to_xero
from tieline.ids import PracticeId, RunId
from tieline.sync.slices import work_slice

__all__ = ["rounds"]

STATE = "query($id: ID!) { connection(id: $id) { reason remedy explanation } }"
REFERENCE = r" Its support finds the answer by [\w-]{8,}\."
INSTANT = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"


@dataclass(frozen=True, kw_only=True)
class Books:
    """A client's books at a provider, whose first run is queued."""

    caller: Caller
    practice_id: PracticeId
    sandbox: Sandbox
    connection_id: str
    run_id: str
    provider: str
    at_provider: str

    async def plant(self, row: Row) -> None:
        """What is asked of these books is answered so, and nothing else is."""
        whom = {"provider": self.provider, "organisation": self.at_provider, "endpoint": "accounting"}
        await self.sandbox.control("POST", "/faults", {**whom, "times": row.times, "fault": row.planted})

    async def plant_at_tokens(self, row: Row) -> None:
        """The books call the access token old, and the token endpoint answers so."""
        plan = {"provider": self.provider, "fault": row.planted, "times": row.times}
        old = {"xero": xero_fault_rows.ROWS, "quickbooks": quickbooks_fault_rows.ROWS}[self.provider][0]
        await self.sandbox.control("POST", "/faults", {**plan, "endpoint": "token"})
        await self.plant(old)

    async def worked(self) -> dict[str, Any]:
        """The run after a slice of it."""
        await work_slice(self.practice_id, RunId(UUID(self.run_id)))
        shown: dict[str, Any] = (await self.caller.ask(RUN, id=self.run_id))["syncRun"]
        return shown

    async def state(self) -> dict[str, Any]:
        shown: dict[str, Any] = (await self.caller.ask(STATE, id=self.connection_id))["connection"]
        return shown


@pytest.fixture
async def at_xero(firm: Firm, sandbox: Sandbox, jobs: JobTable) -> AsyncIterator[Books]:  # noqa: ARG001 - empty
    async with connected_to_xero(firm, sandbox) as made:
        yield Books(
            caller=firm.admin,
            practice_id=firm.practice_id,
            sandbox=sandbox,
            connection_id=made.connection_id,
            run_id=made.run["id"],
            provider="xero",
            at_provider=made.ledger.organisation.tenant_id,
        )


@pytest.fixture
async def at_intuit(rounds: Rounds, jobs: JobTable) -> Books:  # noqa: ARG001 - empty
    company = rounds.person.named(NAMES[0])
    signed_in = await rounds.completed(await rounds.start(products=["DATA_HEALTH"]), company)
    given = {
        "signInId": signed_in["id"],
        "clientId": await rounds.firm.admin.create_client(company.name),
        "organisationId": (await rounds.found(signed_in["id"]))[company.name],
        "product": "DATA_HEALTH",
    }
    connection = (await rounds.firm.admin.ask(CONNECT, input=given))["connect"]["connection"]
    return Books(
        caller=rounds.firm.admin,
        practice_id=rounds.firm.practice_id,
        sandbox=rounds.quickbooks.sandbox,
        connection_id=connection["id"],
        run_id=connection["lastRun"]["id"],
        provider="quickbooks",
        at_provider=company.realm_id,
    )


def shown_of(rows: list[Row]) -> pytest.MarkDecorator:
    shown = [row for row in rows if row.shown is not None]
    return pytest.mark.parametrize("row", shown, ids=[row.name for row in shown])


@shown_of(xero_fault_rows.ROWS)
async def test_what_xero_answers_is_told_in_a_state_and_a_sentence(at_xero: Books, row: Row) -> None:
    await at_xero.plant(row)

    await assert_shown(at_xero, row.shown, is_named=True)


@shown_of(quickbooks_fault_rows.ROWS)
async def test_what_intuit_answers_is_told_in_a_state_and_a_sentence(at_intuit: Books, row: Row) -> None:
    await at_intuit.plant(row)

    await assert_shown(at_intuit, row.shown, is_named=True)


AWAY = "{} did not answer as it should; nothing has changed here, try again later."
GONE = Shown(
    state="CANCELLED",
    reason="REVOKED_AT_PROVIDER",
    expired="REVOKED_AT_PROVIDER",
    remedy="RECONNECT",
)
OF_THE_APP = "{} does not accept the app's id and secret: the operator must correct them."
OUR_FAULT = "{} answered in a way we do not know: the token endpoint calls our request wrong."
DESCRIBED = {"error": "invalid_grant", "error_description": "Incorrect or invalid refresh token"}
PASSING = Shown(state="QUEUED", message=AWAY)
AT_TOKENS = [
    Row(name="400 invalid_grant", status=400, body={"error": "invalid_grant"}, shown=GONE),
    Row(name="400 invalid_grant, described", status=400, body=DESCRIBED, shown=GONE),
    Row(
        name="401 invalid_client",
        status=401,
        body={"error": "invalid_client"},
        shown=Shown(state="QUEUED", message=OF_THE_APP),
    ),
    Row(
        name="400 invalid_request",
        status=400,
        body={"error": "invalid_request"},
        shown=failed(OUR_FAULT),
    ),
    Row(name="429 a month that is spent", status=429, body="ThrottleExceeded", shown=PASSING),
    Row(name="503 a page", status=503, body="<html></html>", kind="text/html", shown=PASSING),
    Row(name="408 empty", status=408, shown=PASSING),
]


@shown_of(AT_TOKENS)
async def test_what_xeros_token_endpoint_answers_ends_a_consent_only_where_it_says_so(
    at_xero: Books, row: Row
) -> None:
    await at_xero.plant_at_tokens(row)

    await assert_shown(at_xero, row.shown)


@shown_of(AT_TOKENS)
async def test_what_intuits_token_endpoint_answers_ends_a_consent_only_where_it_says_so(
    at_intuit: Books, row: Row
) -> None:
    await at_intuit.plant_at_tokens(row)

    await assert_shown(at_intuit, row.shown)


async def assert_shown(books: Books, shown: Shown | None, *, is_named: bool = False) -> None:
    """`is_named`: a fault of the books is told with what the provider calls its answer; a pause is none."""
    assert shown is not None
    run, connection = await books.worked(), await books.state()

    assert (run["state"], run["reason"]) == (shown.state, shown.reason)
    assert (run["limit"] or {}).get("name") == shown.limit
    assert (connection["reason"], connection["remedy"]) == (shown.expired, shown.remedy)
    assert (connection["explanation"] is None) == (shown.expired is None)
    assert (run["resumeAt"] is None) == (shown.state != "PAUSED")
    if shown.message is None:
        assert run["message"] is None
    else:
        sentence = re.escape(shown.message.format(books.provider)).replace("…", INSTANT)
        reference = REFERENCE if is_named and shown.state != "PAUSED" else ""
        assert re.fullmatch(sentence + reference, run["message"]), run["message"]
