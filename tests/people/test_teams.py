"""Teams: made, filled, renamed and deleted by practice admins, so that no client is left without notice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.support.books import Books
from tests.support.deployment import Deployment
from tests.support.polling import until
from tieline.activity.service import list_activity
from tieline.clients.service import NewClient, create_client, get_client, list_clients
from tieline.errors import Forbidden, Invalid, NameTaken, NotFound, PlanTooSmall, Refused, TeamInUse
from tieline.ids import PersonId, TeamId, new_id
from tieline.practices.repository import Team
from tieline.practices.service import list_teams
from tieline.practices.teams.service import (
    create_team,
    delete_team,
    rename_team,
    set_team_members,
    team_sizes,
)
from tieline.principal import ClientAccess, ClientRole, Permission, Principal


async def authority(books: Books, person_id: PersonId | None) -> int:
    number: int = await books.sql.fetchval("SELECT authority FROM person WHERE id = $1", person_id)
    return number


async def sizes(books: Books, *teams: Team) -> list[tuple[int, int]]:
    found = {size.team_id: size for size in await team_sizes(books.admin, [team.id for team in teams])}
    return [(found[team.id].members, found[team.id].clients) for team in teams]


async def test_a_name_belongs_to_one_team(books: Books) -> None:
    north = await create_team(books.admin, "  North ")
    south = await create_team(books.admin, "South")

    for taken in (create_team(books.admin, "North"), rename_team(books.admin, south.id, "North")):
        with pytest.raises(NameTaken) as refused:
            await taken
        assert refused.value.field == "name"
    again = await rename_team(books.admin, north.id, "North")
    east = await rename_team(books.admin, south.id, "East")

    assert again == north == Team(id=north.id, name="North")
    assert east == Team(id=south.id, name="East")
    assert await list_teams(books.admin) == [east, north]


async def test_names_that_differ_by_case_alone_are_one_name_and_case_does_not_order_them(
    books: Books,
) -> None:
    north = await create_team(books.admin, "North")
    alps, zurich = await create_team(books.admin, "alps"), await create_team(books.admin, "Zürich")

    for taken in (create_team(books.admin, "NORTH"), rename_team(books.admin, zurich.id, "north")):
        with pytest.raises(NameTaken, match="North"):
            await taken
    louder = await rename_team(books.admin, north.id, "NORTH")

    assert await list_teams(books.admin) == [alps, louder, zurich]


async def test_two_admins_give_one_name_at_once_and_one_is_told(books: Books) -> None:
    both = await asyncio.gather(
        create_team(books.admin, "North"), create_team(books.admin, "North"), return_exceptions=True
    )

    assert sorted(type(each).__name__ for each in both) == ["NameTaken", "Team"]
    assert await books.count("team") == 1


async def test_who_is_in_a_team_sees_its_clients_and_who_left_does_not(books: Books) -> None:
    north = await create_team(books.admin, "North")
    client = await create_client(books.admin, NewClient(name="Acorn", team_id=north.id))
    first, second = [await books.member(clients=ClientAccess.LISTED) for _ in range(2)]

    await set_team_members(books.admin, north.id, people_of(first, second))
    both = [(await list_clients(each)).total for each in (first, second)]
    await set_team_members(books.admin, north.id, people_of(second))

    assert both == [1, 1]
    assert [(await list_clients(each)).total for each in (first, second)] == [0, 1]
    assert (await get_client(second, client.id)).id == client.id
    assert await sizes(books, north) == [(1, 1)]
    assert [await authority(books, each.person_id) for each in (first, second)] == [2, 1]


async def test_only_members_of_the_practice_come_into_a_team(books: Books) -> None:
    north = await create_team(books.admin, "North")
    client = await books.client("Acorn")
    theirs = await books.of_client(client, ClientRole.ADMINISTRATOR)

    with pytest.raises(NotFound) as refused:
        await set_team_members(books.admin, north.id, people_of(books.admin, theirs))

    assert refused.value.field == "personIds"
    assert await sizes(books, north) == [(0, 0)]
    with pytest.raises(Invalid):
        await set_team_members(books.admin, north.id, [PersonId(new_id())] * 1_001)


async def test_a_team_with_clients_goes_only_when_it_is_said_where_they_go(books: Books) -> None:
    north, south = await create_team(books.admin, "North"), await create_team(books.admin, "South")
    acorn = await create_client(books.admin, NewClient(name="Acorn", team_id=north.id))
    gone = await create_client(books.admin, NewClient(name="Gone", team_id=north.id))
    await books.sql.execute("UPDATE client SET deleted_at = created_at WHERE id = $1", gone.id)
    member = await books.member(clients=ClientAccess.LISTED)
    await set_team_members(books.admin, north.id, people_of(member))

    with pytest.raises(TeamInUse) as refused:
        await delete_team(books.admin, north.id, moves_clients_to=None)
    for target, why in ((north.id, Invalid), (TeamId(new_id()), NotFound)):
        with pytest.raises(why):
            await delete_team(books.admin, north.id, moves_clients_to=target)
    await delete_team(books.admin, north.id, moves_clients_to=south.id)

    assert str(refused.value) == "North looks after a client: name the team that they go to."
    assert (await get_client(books.admin, acorn.id)).team_id == south.id
    assert await list_teams(books.admin) == [south]
    assert await authority(books, member.person_id) == 2
    assert (await list_clients(member)).total == 0


async def test_clients_that_are_deleted_keep_no_team_from_going(books: Books) -> None:
    north = await create_team(books.admin, "North")
    gone = await create_client(books.admin, NewClient(name="Gone", team_id=north.id))
    await books.sql.execute("UPDATE client SET deleted_at = created_at WHERE id = $1", gone.id)

    await delete_team(books.admin, north.id, moves_clients_to=None)

    assert (await books.row("client", gone.id))["team_id"] is None


async def test_without_the_plan_no_client_is_moved_to_another_team(books: Books) -> None:
    north, south = await create_team(books.admin, "North"), await create_team(books.admin, "South")
    await create_client(books.admin, NewClient(name="Acorn", team_id=north.id))
    await books.sql.execute("UPDATE practice SET plan = 'STANDARD' WHERE id = $1", books.practice_id)

    with pytest.raises(PlanTooSmall):
        await delete_team(books.admin, north.id, moves_clients_to=south.id)

    assert await sizes(books, north) == [(0, 1)]


async def test_a_client_comes_to_no_team_that_is_being_deleted(books: Books, opened: Deployment) -> None:
    north = await create_team(books.admin, "North")
    above = await opened.connect()
    deleting = above.transaction()
    await deleting.start()
    await above.execute("DELETE FROM team WHERE id = $1", north.id)

    creating = asyncio.ensure_future(create_client(books.admin, NewClient(name="Acorn", team_id=north.id)))
    await until(books.somebody_waits, "the new client waits for what becomes of its team")
    await deleting.commit()
    await above.close()

    with pytest.raises(NotFound) as refused:
        await creating
    assert refused.value.field == "teamId"
    assert await books.count("client") == 0


async def test_only_admins_by_a_key_that_is_not_narrowed_change_teams(books: Books) -> None:
    north = await create_team(books.admin, "North")
    client = await books.client("Acorn")
    callers: list[Principal] = [
        await books.member(*Permission),
        await books.calling(books.me, scopes=frozenset(Permission)),
        await books.calling(None, scopes=frozenset(Permission)),
        await books.of_client(client, ClientRole.ADMINISTRATOR),
    ]
    changes: list[Callable[[Principal], Awaitable[object]]] = [
        lambda caller: create_team(caller, "South"),
        lambda caller: rename_team(caller, north.id, "South"),
        lambda caller: set_team_members(caller, north.id, []),
        lambda caller: delete_team(caller, north.id, moves_clients_to=None),
    ]

    refused = [await refusal(change(caller)) for change in changes for caller in callers]

    assert [type(each) for each in refused] == [type(refused[0])] * 16
    assert isinstance(refused[0], Forbidden)
    assert await list_teams(books.admin) == [north]
    assert await list_teams(callers[-1]) == []


async def test_what_is_done_to_teams_is_told(books: Books) -> None:
    north = await create_team(books.admin, "North")
    await rename_team(books.admin, north.id, "South")
    await set_team_members(books.admin, north.id, people_of(books.admin))
    await set_team_members(books.admin, north.id, people_of(books.admin))
    await delete_team(books.admin, north.id, moves_clients_to=None)

    told = (await list_activity(books.admin)).rows

    team = {"team_id": str(north.id)}
    assert [(done.kind, done.subject_id, done.details) for done in told] == [
        ("TEAM_DELETED", north.id, team | {"moves_clients_to": None}),
        ("TEAM_MEMBERS_CHANGED", north.id, team | {"person_ids": [str(books.me)]}),
        ("TEAM_RENAMED", north.id, team),
        ("TEAM_CREATED", north.id, team),
    ]


def people_of(*callers: Principal) -> list[PersonId]:
    return [caller.person_id for caller in callers if caller.person_id is not None]


async def refusal(asked: Awaitable[object]) -> Refused | None:
    try:
        await asked
    except Refused as refused:
        return refused
    return None
