"""A practice that serves 25 clients through one login at the provider, seen from all sides.

populated ── clients and organisations of the same names, a completed sign-in; nothing connected
connected ── all of them, by one bulk connect
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from tests.support.deployment import Deployment
from tests.support.firm import Caller, Firm
from tests.support.polling import until
from tests.support.sandbox import Sandbox
from tests.support.trips import Trip

NAMES = (
    *(
        "Alder",
        "Birch",
        "Cedar",
        "Dogwood",
        "Elder",
        "Fir",
        "Gorse",
        "Hazel",
        "Ivy",
        "Juniper",
        "Katsura",
        "Larch",
    ),
    *(
        "Maple",
        "Nutmeg",
        "Oak",
        "Pine",
        "Quince",
        "Rowan",
        "Spruce",
        "Teak",
        "Umbel",
        "Viburnum",
        "Willow",
        "Yew",
    ),
    "Zelkova",
)
"""Twenty-five."""

ALL_CONNECTED = {"unintegrated": 0, "connected": 25, "mismatch": 0, "expired": 0}
RELEASES = ("credentials.release_organisation", "credentials.release_at_provider")
_FOUND = """query($id: ID!) { signIn(id: $id) { organisations(first: 50) { nodes {
  organisation { id name } inUse client { id }
  suggestedClients(product: BOOKKEEPING) { score exact client { id } } } } } }"""
_BULK = """mutation($input: BulkConnectInput!) { bulkConnect(input: $input) {
  outcomes { clientId organisationId code error { code message field }
    connection { id client { id } organisation { id } } }
  errors { code } } }"""
_BOARD = """{ connectionBoard(product: BOOKKEEPING, first: 50) {
  counts { unintegrated connected mismatch expired }
  nodes { client { id } statuses remedy connection { id reason connectedAt organisation { id } } } } }"""
_DISCONNECT = """mutation($input: DisconnectInput!) { disconnect(input: $input) {
  connection { statuses reason } errors { code } } }"""

_RECORDS = {"accounts": 12, "contacts": 5, "items": 2, "invoices": 3, "bank_transactions": 3} | dict.fromkeys(
    ("credit_notes", "prepayments", "overpayments", "bank_transfers", "manual_journals"), 1
)
"""Something of everything: who serves 25 clients reads all of it 25 times, and what it is nobody asks."""

Row = tuple[str, str]
"""A client's id and an organisation's."""


@dataclass(frozen=True, kw_only=True)
class Served:
    """One client and the books that are its own, by our ids and the provider's."""

    name: str
    client_id: str
    organisation_id: str
    tenant_id: str

    @property
    def client(self) -> str:
        return _client(self.name)

    @property
    def books(self) -> str:
        return _books(self.name)

    @property
    def row(self) -> Row:
        return (self.client_id, self.organisation_id)


@dataclass(frozen=True, kw_only=True)
class Portfolio:
    """The practice, its clients by name, the admin's sign-in; `above` is a superuser's connection."""

    trip: Trip
    sign_in_id: str
    served: dict[str, Served]
    above: asyncpg.Connection = field(repr=False)
    clock: Callable[[timedelta], Awaitable[None]] = field(repr=False)

    @property
    def admin(self) -> Caller:
        return self.trip.firm.admin

    async def move(self, by: timedelta) -> None:
        """Let so much calendar time go by, at the provider before it makes anything due here: else new tokens age."""
        await self.trip.sandbox.move_clock(by.total_seconds())
        await self.clock(by)

    async def connect(
        self, rows: Iterable[Row] | None = None, *, product: str = "BOOKKEEPING"
    ) -> list[dict[str, Any]]:
        """Bulk connect these rows by the admin's sign-in, or everybody."""
        wanted = [one.row for one in self.served.values()] if rows is None else rows
        return await bulk(self.admin, self.sign_in_id, wanted, product=product)

    async def reconnect(self, connection_id: str) -> dict[str, Any]:
        """Begin to reconnect: where the admin's credential works, the sign-in is ready without a trip."""
        return await self.trip.start(purpose="RECONNECT", connectionId=connection_id, products=[])

    async def disconnect(self, connection_id: str) -> None:
        payload = (await self.admin.ask(_DISCONNECT, input={"connectionId": connection_id}))["disconnect"]
        assert payload == {
            "connection": {"statuses": ["EXPIRED"], "reason": "DISCONNECTED"},
            "errors": [],
        }

    async def board(self) -> dict[str, Any]:
        return dict((await self.admin.ask(_BOARD))["connectionBoard"])

    async def counts(self) -> dict[str, int]:
        return dict((await self.board())["counts"])

    async def connections(self) -> dict[str, dict[str, Any]]:
        """The current connections of BOOKKEEPING by the client's name."""
        names = {one.client_id: name for name, one in self.served.items()}
        nodes = (await self.board())["nodes"]
        return {names[row["client"]["id"]]: row["connection"] for row in nodes if row["connection"]}

    async def reasons(self) -> dict[str, str | None]:
        return {name: connection["reason"] for name, connection in (await self.connections()).items()}

    async def events(self, *kinds: str, client_id: str | None = None) -> list[dict[str, Any]]:
        """What was told, oldest first; of these kinds, or all but how syncs went."""
        rows = await self.above.fetch(
            "SELECT kind, payload->>'connection_id' AS connection_id, payload->>'reason' AS reason, "
            "payload->>'connections' AS connections, payload->>'organisations' AS organisations FROM event "
            "WHERE practice_id = $1 AND (kind = ANY ($2::text[]) OR $2 = '{}' AND kind NOT LIKE 'SYNC%') "
            "AND ($3::uuid IS NULL OR client_id = $3) ORDER BY position",
            self.trip.firm.practice_id,
            list(kinds),
            UUID(client_id) if client_id else None,
        )
        return [dict(row) for row in rows]

    async def told(self, kind: str) -> Counter[str]:
        """How often each connection was told of."""
        return Counter(event["connection_id"] for event in await self.events(kind))

    async def runs(self) -> list[dict[str, Any]]:
        rows = await self.above.fetch(
            "SELECT * FROM sync_run WHERE practice_id = $1 ORDER BY id", self.trip.firm.practice_id
        )
        return [dict(row) for row in rows]

    async def wait_for_jobs(self, *actors: str) -> None:
        """Wait until no job of these actors is left."""
        left = "SELECT count(*) FROM job WHERE practice_id = $1 AND actor = ANY ($2::text[])"

        async def over() -> bool:
            return not bool(await self.above.fetchval(left, self.trip.firm.practice_id, list(actors)))

        await until(over, f"{', '.join(actors)} are over")

    async def wait_until_put_off(self, actor: str) -> None:
        """Wait until no job of this actor is under way: until when it is put off is reckoned before time goes on."""
        held = "SELECT count(*) FROM job WHERE practice_id = $1 AND actor = $2 AND lease_owner IS NOT NULL"

        async def none() -> bool:
            return not await self.above.fetchval(held, self.trip.firm.practice_id, actor)

        await until(none, f"{actor} is put off")

    async def grant(self) -> dict[str, Any] | None:
        """What the login has granted to the app, as the provider has it; None when that is over."""
        grants = (await self.trip.sandbox.control("GET", "/grants"))["grants"]
        mine = [
            each
            for each in grants
            if (each["client_id"], each["user"]) == (self.trip.app.client_id, self.trip.person.id)
        ]
        assert len(mine) <= 1, mine
        return mine[0] if mine else None

    async def granted(self) -> set[str]:
        """The organisations that the provider lets us reach."""
        grant = await self.grant()
        return {each["tenant_id"] for each in grant["connections"]} if grant else set()

    async def wait_until_released(self, *tenants: str) -> None:
        async def released() -> bool:
            return not await self.granted() & set(tenants)

        await until(released, "it is released at the provider")

    async def released(self) -> list[str]:
        """The organisations that we deleted at the provider, once for each answered call."""
        calls = await self.trip.sandbox.log(self.trip.app, "connections")
        return [
            call["organisation"] for call in calls if call["method"] == "DELETE" and call["status"] == 204
        ]

    async def revocations(self) -> list[dict[str, Any]]:
        return await self.trip.sandbox.log(self.trip.app, "revocation")

    async def token_calls(self) -> list[tuple[str | None, int | None]]:
        """The refreshes so far: which planted fault hit each, and its status."""
        calls = await self.trip.sandbox.log(self.trip.app, "token")
        return [(call["fault"], call["status"]) for call in calls if call["grant_type"] == "refresh_token"]


def _client(name: str) -> str:
    return f"{name} Trading Limited"


def _books(name: str) -> str:
    return f"{name} Trading Ltd"


async def bulk(
    caller: Caller, sign_in_id: str, rows: Iterable[Row], *, product: str = "BOOKKEEPING"
) -> list[dict[str, Any]]:
    """One outcome for each row."""
    given = {
        "signInId": sign_in_id,
        "product": product,
        "rows": [{"clientId": client, "organisationId": organisation} for client, organisation in rows],
    }
    payload = (await caller.ask(_BULK, input=given))["bulkConnect"]
    assert payload["errors"] == [], payload
    return list(payload["outcomes"])


async def found(caller: Caller, sign_in_id: str) -> dict[str, dict[str, Any]]:
    """What a sign-in reaches by name, with the clients that are suggested."""
    nodes = (await caller.ask(_FOUND, id=sign_in_id))["signIn"]["organisations"]["nodes"]
    return {node["organisation"]["name"]: node for node in nodes}


@asynccontextmanager
async def populated(
    firm: Firm, sandbox: Sandbox, clock: Any, deployment: Deployment, *, names: Sequence[str] = NAMES
) -> AsyncIterator[Portfolio]:
    """The admin has signed in as somebody with the books of all these clients, for both products.

    At the end the provider's clock is set back; the fixture `clock` does so with ours.
    """
    above = await deployment.connect()
    async with httpx.AsyncClient(timeout=30) as browser:
        trip = Trip(
            firm=firm,
            sandbox=sandbox,
            app=await sandbox.app(firm.practice_id),
            person=await sandbox.populate(*(_books(name) for name in names), records=_RECORDS),
            browser=browser,
        )
        client_ids = await asyncio.gather(*(firm.admin.create_client(_client(name)) for name in names))
        told = await trip.proof(await trip.start(products=["BOOKKEEPING", "DATA_HEALTH"]))
        assert (await trip.complete(told))["errors"] == []
        served = await _served(trip, told["signIn"], dict(zip(names, client_ids, strict=True)))
        yield Portfolio(trip=trip, sign_in_id=told["signIn"], served=served, above=above, clock=clock)
    await sandbox.control("POST", "/clock", {"offset_seconds": 0})
    await above.execute("TRUNCATE job")  # row by row, who deletes and a worker may wait for each other
    await above.close()


async def _served(trip: Trip, sign_in_id: str, client_ids: dict[str, str]) -> dict[str, Served]:
    organisations = await trip.found(sign_in_id)
    return {
        name: Served(
            name=name,
            client_id=client_id,
            organisation_id=organisations[_books(name)],
            tenant_id=trip.person.named(_books(name)).tenant_id,
        )
        for name, client_id in client_ids.items()
    }


async def connected(portfolio: Portfolio) -> Portfolio:
    """The same, everybody connected, and no detail left to read."""
    outcomes = await portfolio.connect()
    assert {outcome["code"] for outcome in outcomes} == {"CONNECTED"}
    await portfolio.wait_for_jobs("sign_ins.fetch_details")
    return portfolio
