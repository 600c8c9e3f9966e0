"""Syncs as a front end asks for and follows them, and a client whose organisation is to be synced."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.firm import Caller, Firm
from tests.support.ledgers import Ledger
from tests.support.sandbox import Sandbox
from tests.support.sockets import Socket
from tests.support.trips import Trip

RECORDS = {
    "accounts": 12,
    "tax_rates": 4,
    "tracking_categories": 2,
    "contacts": 30,
    "invoices": 40,
    "bank_transactions": 15,
    "items": 6,
    "credit_notes": 10,
    "bank_transfers": 8,
    "manual_journals": 8,
}
_RUN = """id state trigger limit { name } resumeAt reason message createdAt startedAt finishedAt
  organisation { name } setAside feeds { feed pages records changed setAside calls done }"""
CONNECT = f"""mutation($input: ConnectInput!) {{ connect(input: $input) {{
  connection {{ id lastRun {{ {_RUN} }} }} errors {{ code message }} }} }}"""
SYNC = f"mutation($id: ID!) {{ sync(input: {{connectionId: $id}}) {{ run {{ {_RUN} }} errors {{ code field }} }} }}"
RUN = f"query($id: ID!) {{ syncRun(id: $id) {{ {_RUN} }} }}"
PROGRESS = f"subscription($id: ID!) {{ syncProgress(runId: $id) {{ {_RUN} }} }}"
HISTORY = f"""query($id: ID!, $first: Int!, $after: String) {{ connection(id: $id) {{ lastSyncedAt lastRun {{ id }}
  syncRuns(first: $first, after: $after) {{ totalCount eventCursor pageInfo {{ hasNextPage endCursor }}
    nodes {{ {_RUN} }} }} }} }}"""
SET_ASIDE = "query($id: ID!) { recordsSetAside(connectionId: $id) { dataset externalId why at } }"
DISCONNECT = """mutation($id: ID!) { disconnect(input: {connectionId: $id}) { errors { code } } }"""

Shown = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Connected:
    """A client whose books are connected for DATA_HEALTH, which reads everything; `run` is as it was queued."""

    trip: Trip
    sign_in_id: str
    client_id: str
    connection_id: str
    run: Shown
    ledger: Ledger = field(repr=False)

    @property
    def admin(self) -> Caller:
        return self.trip.firm.admin

    async def sync(self, caller: Caller | None = None) -> Shown:
        payload: Shown = (await (caller or self.admin).ask(SYNC, id=self.connection_id))["sync"]
        return payload

    async def history(self, *, first: int = 50, after: str | None = None) -> Shown:
        given = {"id": self.connection_id, "first": first, "after": after}
        shown: Shown = (await self.admin.ask(HISTORY, **given))["connection"]
        return shown

    async def until_detailed(self) -> None:
        """Wait until nothing but its syncs asks the provider about it."""
        await self.trip.until_detailed(self.sign_in_id)

    async def leave(self, calls: int | None) -> None:
        """So many calls are left of the organisation's day; None for as many as there are."""
        path = f"/organisations/{self.ledger.organisation.tenant_id}"
        await self.trip.sandbox.control("PUT", path, {"day_remaining": calls})


@asynccontextmanager
async def connected(
    firm: Firm, sandbox: Sandbox, name: str = "Ashford Bakery Ltd"
) -> AsyncIterator[Connected]:
    """A practice's one client, connected and not synced yet."""
    async with httpx.AsyncClient(timeout=30) as browser:
        trip = Trip(
            firm=firm,
            sandbox=sandbox,
            app=await sandbox.app(firm.practice_id),
            person=await sandbox.populate(name, records=RECORDS),
            browser=browser,
        )
        told = await trip.proof(await trip.start(products=["BOOKKEEPING", "DATA_HEALTH"]))
        completed = await trip.complete(told)
        assert completed["errors"] == [], completed
        client_id = await firm.admin.create_client(name)
        given = {
            "signInId": told["signIn"],
            "clientId": client_id,
            "organisationId": (await trip.found(told["signIn"]))[name],
            "product": "DATA_HEALTH",
        }
        payload = (await firm.admin.ask(CONNECT, input=given))["connect"]
        assert payload["errors"] == [], payload
        connection_id = payload["connection"]["id"]
        yield Connected(
            trip=trip,
            sign_in_id=told["signIn"],
            client_id=client_id,
            connection_id=connection_id,
            run=payload["connection"]["lastRun"],
            ledger=Ledger(
                caller=firm.admin,
                sandbox=sandbox,
                connection_id=connection_id,
                organisation=trip.person.named(name),
            ),
        )


async def until_over(socket: Socket, run_id: str) -> list[Shown]:
    """Everything that a subscription to a run sends, to its end."""
    await socket.subscribe("until-over", PROGRESS, id=run_id)
    seen: list[Shown] = []
    while (message := await socket.receive())["type"] == "next":
        seen.append(message["payload"]["data"]["syncProgress"])
    assert message["type"] == "complete", message
    return seen
