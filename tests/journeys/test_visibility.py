"""Who sees which client: by role, by list, by team, by belonging to it; events follow the same rule."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest

from tests.support.deployment import Deployment
from tests.support.events import settled
from tests.support.firm import Caller, Firm
from tieline.events.service import read_events
from tieline.identity import authenticate
from tieline.ids import PersonId, new_id
from tieline.principal import ClientAccess, ClientRole, Permission

NAMES = "{ clients { totalCount nodes { name } } }"
ONE = "query($id: ID!) { client(id: $id) { name team { name } } }"
RENAME = """mutation($id: ID!) {
  renameClient(input: {id: $id, name: "Renamed"}) { client { name } errors { code field } }
}"""
CURSOR = "{ clients(first: 1) { eventCursor } }"
REFUSED_RENAME = {"client": None, "errors": [{"code": "NOT_FOUND", "field": "input.id"}]}


@dataclass(frozen=True, kw_only=True)
class Clients:
    """Three clients of one firm, by id: one of them in a team; and how to let people see them."""

    firm: Firm
    opened: Deployment
    cursor: str
    acorn: str
    birch: str
    cedar: str
    north: UUID

    async def belongs(self, role: ClientRole, client_id: str) -> Caller:
        """Somebody of the client's own, who is no member of the practice."""
        person_id = new_id()
        await self._run(
            "INSERT INTO person (id, practice_id, name, name_key, email, created_at) "
            f"VALUES ($2, $1, 'Client''s Own', 'client''s own', '{person_id}@client.invalid', '2031-05-04')",
            person_id,
        )
        await self._run(
            "INSERT INTO client_member (practice_id, person_id, client_id, role, created_at) "
            f"VALUES ($1, $2, $3, '{role}', '2031-05-04')",
            person_id,
            UUID(client_id),
        )
        return await self.firm.caller(PersonId(person_id))

    async def listed(self, *permissions: Permission) -> Caller:
        return await self.firm.member(*permissions, clients=ClientAccess.LISTED)

    async def list_by_name(self, member: Caller, client_id: str) -> None:
        await self._run(
            "INSERT INTO member_client (practice_id, person_id, client_id) VALUES ($1, $2, $3)",
            member.person_id,
            UUID(client_id),
        )

    async def list_by_team(self, member: Caller) -> None:
        await self._run(
            "INSERT INTO member_team (practice_id, person_id, team_id) VALUES ($1, $2, $3)",
            member.person_id,
            self.north,
        )

    async def _run(self, sql: str, *arguments: object) -> None:
        connection = await self.opened.connect()
        await connection.execute(sql, self.firm.practice_id, *arguments)
        await connection.close()


@pytest.fixture
async def clients(firm: Firm, opened: Deployment) -> Clients:
    """Acorn and Cedar are in no team, Birch is in North; the cursor is from before any of them."""
    cursor = (await firm.admin.ask(CURSOR))["clients"]["eventCursor"]
    north = await firm.team("North")
    return Clients(
        firm=firm,
        opened=opened,
        cursor=cursor,
        acorn=await firm.admin.create_client("Acorn"),
        birch=await firm.admin.create_client("Birch", teamId=str(north)),
        cedar=await firm.admin.create_client("Cedar"),
        north=north,
    )


@pytest.mark.parametrize("role", list(ClientRole))
async def test_a_client_member_sees_its_own_client_and_no_other(clients: Clients, role: ClientRole) -> None:
    own = await clients.belongs(role, clients.birch)

    assert await names(own) == ["Birch"]
    assert await own.ask(ONE, id=clients.birch) == {"client": {"name": "Birch", "team": None}}
    assert await own.codes(ONE, id=clients.acorn) == ["NOT_FOUND"]
    assert (await own.ask(RENAME, id=clients.acorn))["renameClient"] == REFUSED_RENAME


async def test_a_client_administrator_renames_its_client_and_a_reader_may_not(clients: Clients) -> None:
    administrator = await clients.belongs(ClientRole.ADMINISTRATOR, clients.acorn)
    reader = await clients.belongs(ClientRole.READER, clients.acorn)

    by_reader = (await reader.ask(RENAME, id=clients.acorn))["renameClient"]
    after_reader = await names(clients.firm.admin)
    by_administrator = (await administrator.ask(RENAME, id=clients.acorn))["renameClient"]

    assert by_reader == {"client": None, "errors": [{"code": "FORBIDDEN", "field": None}]}
    assert after_reader == ["Acorn", "Birch", "Cedar"]
    assert by_administrator == {"client": {"name": "Renamed"}, "errors": []}
    assert await names(clients.firm.admin) == ["Birch", "Cedar", "Renamed"]


async def test_a_client_administrators_key_that_is_narrowed_renames_nothing(clients: Clients) -> None:
    administrator = await clients.belongs(ClientRole.ADMINISTRATOR, clients.acorn)
    narrowed = await clients.firm.caller(administrator.person_id, scopes=frozenset({Permission.SYNC}))

    renamed = (await narrowed.ask(RENAME, id=clients.acorn))["renameClient"]

    assert renamed == {"client": None, "errors": [{"code": "FORBIDDEN", "field": None}]}


async def test_a_client_administrator_creates_no_clients(clients: Clients) -> None:
    administrator = await clients.belongs(ClientRole.ADMINISTRATOR, clients.acorn)

    created = (
        await administrator.ask('mutation { createClient(input: {name: "New"}) { errors { code field } } }')
    )["createClient"]

    assert created == {"errors": [{"code": "FORBIDDEN", "field": None}]}
    assert await names(clients.firm.admin) == ["Acorn", "Birch", "Cedar"]


async def test_a_listed_member_sees_what_is_listed_by_name_by_team_or_both_each_once(
    clients: Clients,
) -> None:
    nobody, by_name, by_team, by_both = [await clients.listed() for _ in range(4)]
    await clients.list_by_name(by_name, clients.acorn)
    await clients.list_by_team(by_team)
    await clients.list_by_team(by_both)
    await clients.list_by_name(by_both, clients.birch)
    await clients.list_by_name(by_both, clients.cedar)

    seen = [await names(member) for member in (nobody, by_name, by_team, by_both)]

    assert seen == [[], ["Acorn"], ["Birch"], ["Birch", "Cedar"]]
    assert await by_team.ask(ONE, id=clients.birch) == {
        "client": {"name": "Birch", "team": {"name": "North"}}
    }
    assert await by_name.codes(ONE, id=clients.birch) == ["NOT_FOUND"]
    assert await by_team.codes(ONE, id=clients.acorn) == ["NOT_FOUND"]
    assert await nobody.codes(ONE, id=clients.acorn) == ["NOT_FOUND"]


async def test_a_listed_member_renames_what_it_sees_and_finds_nothing_else(clients: Clients) -> None:
    member = await clients.listed(Permission.MANAGE_CONNECTIONS)
    await clients.list_by_team(member)

    seen = (await member.ask(RENAME, id=clients.birch))["renameClient"]
    unseen = (await member.ask(RENAME, id=clients.acorn))["renameClient"]

    assert seen == {"client": {"name": "Renamed"}, "errors": []}
    assert unseen == REFUSED_RENAME


async def test_a_list_counts_searches_and_pages_only_what_the_caller_sees(clients: Clients) -> None:
    own = await clients.belongs(ClientRole.READER, clients.birch)

    page = (await own.ask(NAMES))["clients"]
    found = (await own.ask('{ clients(search: "a") { totalCount } }'))["clients"]
    first = (await own.ask("{ clients(first: 1) { pageInfo { hasNextPage } } }"))["clients"]

    assert page == {"totalCount": 1, "nodes": [{"name": "Birch"}]}
    assert found == {"totalCount": 0}
    assert first == {"pageInfo": {"hasNextPage": False}}


async def test_events_are_read_by_those_who_see_their_client(clients: Clients) -> None:
    everything = await clients.firm.member()
    own = await clients.belongs(ClientRole.READER, clients.acorn)
    by_team, nobody = await clients.listed(), await clients.listed()
    await clients.list_by_team(by_team)
    await clients.firm.admin.ask(RENAME, id=clients.birch)

    all_three = [("CLIENT_CREATED", clients.acorn), ("CLIENT_CREATED", clients.birch)]
    all_three += [("CLIENT_CREATED", clients.cedar), ("CLIENT_RENAMED", clients.birch)]
    assert await events(clients.firm.admin, clients.cursor) == all_three
    assert await events(everything, clients.cursor) == all_three
    assert await events(own, clients.cursor) == all_three[:1]
    assert await events(by_team, clients.cursor) == [all_three[1], all_three[3]]
    assert await events(nobody, clients.cursor) == []


async def test_events_of_another_practice_are_nobodys(clients: Clients, other_firm: Firm) -> None:
    theirs = await other_firm.admin.create_client("Elsewhere")

    assert await events(other_firm.admin, clients.cursor) == [("CLIENT_CREATED", theirs)]
    assert theirs not in {client_id for _, client_id in await events(clients.firm.admin, clients.cursor)}


async def names(caller: Caller) -> list[str]:
    page = (await caller.ask(NAMES))["clients"]
    assert page["totalCount"] == len(page["nodes"])
    return [node["name"] for node in page["nodes"]]


async def events(caller: Caller, cursor: str) -> list[tuple[str, str]]:
    """Kind and client of each event after the cursor, once all that was written before this call may be read."""
    await settled()
    batch = await read_events(await authenticate(caller.key), cursor)
    return [(event.kind, str(event.client_id)) for event in batch.events]
