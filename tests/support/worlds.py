"""A practice in which everything there is has an id: what arguments that take one are tried with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import httpx

from tests.support.firm import Firm
from tests.support.sandbox import Sandbox
from tests.support.trips import Trip
from tieline.ids import ClientId, PersonId, new_id
from tieline.practices import service
from tieline.practices.keys import issue_key
from tieline.principal import ClientRole

CONNECT = """mutation($input: ConnectInput!) {
  connect(input: $input) { connection { id lastRun { id } } errors { code message } } }"""

INVITE = """mutation { inviteMember(input: {email: "new@firm.invalid", name: "New"}) {
  invitation { id } errors { code } } }"""


@dataclass(frozen=True, kw_only=True)
class World:
    """The ids of one practice by what they name: `free` things are not connected to anything yet."""

    team: str
    other_team: str
    person: str
    colleague: str
    reader: str
    api_key: str
    client: str
    free_client: str
    organisation: str
    free_organisation: str
    connection: str
    run: str
    sign_in: str
    proof: str
    invitation: str


@asynccontextmanager
async def world_of(firm: Firm, sandbox: Sandbox) -> AsyncIterator[World]:
    """One client connected through a completed sign-in that reaches one organisation more."""
    async with httpx.AsyncClient(timeout=30) as browser:
        trip = Trip(
            firm=firm,
            sandbox=sandbox,
            app=await sandbox.app(firm.practice_id),
            person=await sandbox.populate("Ashford Bakery Ltd", "Birch & Sons"),
            browser=browser,
        )
        told = await trip.proof(await trip.start())
        completed = await trip.complete(told)
        assert completed["errors"] == [], completed
        yield await _connected(trip, told)


async def _connected(trip: Trip, told: dict[str, str]) -> World:
    admin = trip.firm.admin
    found = await trip.found(told["signIn"])
    client, free = await admin.create_client("Ashford Bakery"), await admin.create_client("Birch and Sons")
    given = {
        "signInId": told["signIn"],
        "clientId": client,
        "organisationId": found["Ashford Bakery Ltd"],
        "product": "BOOKKEEPING",
    }
    payload = (await admin.ask(CONNECT, input=given))["connect"]
    assert payload["errors"] == [], payload
    return World(
        team=str(await trip.firm.team("Of this firm")),
        other_team=str(await trip.firm.team("Another of this firm")),
        person=str(admin.person_id),
        colleague=str((await trip.firm.member()).person_id),
        reader=str(await _reader(trip, client)),
        api_key=str((await issue_key(trip.firm.practice_id, name="test", person_id=admin.person_id)).id),
        client=client,
        free_client=free,
        organisation=found["Ashford Bakery Ltd"],
        free_organisation=found["Birch & Sons"],
        connection=payload["connection"]["id"],
        run=payload["connection"]["lastRun"]["id"],
        sign_in=told["signIn"],
        proof=told["proof"],
        invitation=(await admin.ask(INVITE))["inviteMember"]["invitation"]["id"],
    )


async def _reader(trip: Trip, client_id: str) -> PersonId:
    """Somebody of the client's own."""
    return await service.add_client_member(
        trip.firm.practice_id,
        name="Theirs",
        email=f"{new_id()}@c.invalid",
        client_id=ClientId(UUID(client_id)),
        role=ClientRole.READER,
    )
