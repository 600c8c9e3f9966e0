"""Members: what each may and sees is changed by practice admins, of whom one is always left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.support.books import Books
from tests.support.deployment import Deployment
from tests.support.locks import until_blocked
from tieline.activity.service import list_activity
from tieline.clients.service import NewClient, create_client, list_clients
from tieline.connections.integrators.service import list_integrators
from tieline.connections.service import disconnect
from tieline.errors import Forbidden, Invalid, LastAdmin, NotFound, Refused, Unauthenticated
from tieline.identity import authenticate
from tieline.ids import ClientId, PersonId, TeamId, new_id
from tieline.practices import service as setting_up
from tieline.practices.keys import issue_key
from tieline.practices.members.repository import Member
from tieline.practices.members.service import (
    MemberChange,
    deactivate_person,
    get_member,
    list_members,
    reactivate_person,
    update_member,
)
from tieline.practices.service import NewMember, list_people
from tieline.practices.teams.service import create_team
from tieline.principal import ClientAccess, ClientRole, Permission, Principal, Role


def of(caller: Principal) -> PersonId:
    assert caller.person_id is not None
    return caller.person_id


async def authority(books: Books, caller: Principal) -> int:
    number: int = await books.sql.fetchval("SELECT authority FROM person WHERE id = $1", caller.person_id)
    return number


async def called(books: Books, name: str, role: Role = Role.MEMBER) -> PersonId:
    return await setting_up.add_member(
        books.practice_id, NewMember(name=name, email=f"{new_id()}@firm.invalid", role=role)
    )


async def names(books: Books, search: str | None = None, **filters: object) -> list[str]:
    page = await list_members(books.admin, search=search, **filters)  # type: ignore[arg-type]
    return [member.person.name for member in page.rows]


async def test_a_member_gets_what_it_may_and_which_clients_it_sees(books: Books) -> None:
    member = await books.member()
    north = await create_team(books.admin, "North")
    of_team = await create_client(books.admin, NewClient(name="Acorn", team_id=north.id))
    chosen, other = await books.client("Birch"), await books.client("Cedar")
    key = await issue_key(books.practice_id, name="laptop", person_id=of(member))

    changed = await update_member(
        books.admin,
        of(member),
        MemberChange(
            permissions=frozenset({Permission.SYNC}),
            client_access=ClientAccess.LISTED,
            team_ids=[north.id],
            client_ids=[chosen.id],
        ),
    )

    now = await authenticate(key.secret.reveal())
    assert (changed.role, changed.permissions) == (Role.MEMBER, (Permission.SYNC,))
    assert (changed.team_ids, changed.listed_clients) == ((north.id,), 1)
    assert (now.permissions, now.client_access) == (frozenset({Permission.SYNC}), ClientAccess.LISTED)
    seen = {client.id for client in (await list_clients(now)).rows}
    assert seen == {of_team.id, chosen.id}
    listed = await list_clients(books.admin, listed_for=of(member))
    assert [client.id for client in listed.rows] == [chosen.id]
    assert other.id not in seen
    assert await authority(books, member) == 1


async def test_what_is_not_named_stays_and_the_same_again_changes_nothing(books: Books) -> None:
    member = await books.member(Permission.SYNC, Permission.PUBLISH, clients=ClientAccess.LISTED)
    north, client = await create_team(books.admin, "North"), await books.client("Acorn")
    change = MemberChange(team_ids=[north.id], client_ids=[client.id])
    first = await update_member(books.admin, of(member), change)

    again = await update_member(books.admin, of(member), change)
    left = await update_member(books.admin, of(member), MemberChange(role=Role.ADMIN))
    emptied = await update_member(books.admin, of(member), MemberChange(team_ids=[], client_ids=[]))

    assert again == first
    assert set(first.permissions) == {Permission.SYNC, Permission.PUBLISH}
    assert (left.role, left.team_ids, left.listed_clients) == (Role.ADMIN, (north.id,), 1)
    assert left.permissions == first.permissions
    assert (emptied.role, emptied.team_ids, emptied.listed_clients) == (Role.ADMIN, (), 0)
    assert await authority(books, member) == 3


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (MemberChange(role=Role.ADMIN, team_ids=[TeamId(new_id())]), "teamIds"),
        (MemberChange(role=Role.ADMIN, client_ids=[ClientId(new_id())]), "clientIds"),
    ],
)
async def test_an_unknown_team_or_client_changes_nothing_at_all(
    books: Books, change: MemberChange, field: str
) -> None:
    member = await books.member()

    with pytest.raises(NotFound) as refused:
        await update_member(books.admin, of(member), change)

    assert refused.value.field == field
    assert (await get_member(books.admin, of(member))).role is Role.MEMBER
    assert await authority(books, member) == 0


async def test_to_add_who_is_deactivated_to_a_client_gives_no_place_in_the_practice_back(
    books: Books,
) -> None:
    client, gone = await books.client("Acorn"), await books.member(role=Role.ADMIN)
    email = (await get_member(books.admin, of(gone))).person.email
    assert email is not None

    def added() -> Awaitable[PersonId]:
        return setting_up.add_client_member(
            books.practice_id, name="Gone", email=email, client_id=client.id, role=ClientRole.READER
        )

    await deactivate_person(books.admin, of(gone))
    refused = await refusal(added())
    still_gone = (await get_member(books.admin, of(gone))).person.deactivated_at
    await setting_up.remove_member(books.practice_id, of(gone))
    before = await authority(books, gone)
    back = await books.calling(await added())

    assert (type(refused), refused and refused.field) == (Invalid, "email")
    assert still_gone is not None
    assert (back.person_id, back.role) == (gone.person_id, None)
    assert await authority(books, gone) == before + 1


async def test_the_last_admin_stays_one(books: Books) -> None:
    gone = await books.member(role=Role.ADMIN)
    await deactivate_person(books.admin, of(gone))

    refused = [
        await refusal(update_member(books.admin, books.me, MemberChange(role=Role.MEMBER))),
        await refusal(deactivate_person(books.admin, books.me)),
        await refusal(setting_up.remove_member(books.practice_id, books.me)),
    ]

    assert [type(each) for each in refused] == [LastAdmin] * 3
    assert [each.field for each in refused if each] == ["role", "personId", None]
    assert (await get_member(books.admin, books.me)).role is Role.ADMIN


async def test_of_two_admins_who_demote_each_other_at_once_one_is_left(
    books: Books, opened: Deployment
) -> None:
    other = await books.member(role=Role.ADMIN)
    demoted = MemberChange(role=Role.MEMBER)
    above = await opened.connect()
    holding = above.transaction()
    await holding.start()
    await above.execute("SELECT FROM practice WHERE id = $1 FOR UPDATE", books.practice_id)

    tasks: list[asyncio.Future[Member]] = [
        asyncio.ensure_future(update_member(books.admin, of(other), demoted)),
        asyncio.ensure_future(update_member(other, books.me, demoted)),
    ]
    await until_blocked(books.sql, "both wait for the practice", count=2)
    await holding.rollback()
    await above.close()
    both = await asyncio.gather(*tasks, return_exceptions=True)

    assert sorted(type(each).__name__ for each in both) == ["AdminNeeded", "Member"]
    assert await books.count("practice_member", "role = 'ADMIN'") == 1


async def test_what_a_person_has_disconnected_is_counted_for_nobody(books: Books) -> None:
    kept, dropped = await books.client("Acorn"), await books.client("Birch")
    await books.connected(kept, await books.organisation("Acorn"))
    connection = await books.connected(dropped, await books.organisation("Birch"))

    await disconnect(books.admin, connection.id)

    assert (await get_member(books.admin, books.me)).integrates == 1
    assert [each.connections for each in await list_integrators(books.admin)] == [1]


async def test_who_is_deactivated_comes_in_no_more_and_has_its_place_back_on_return(books: Books) -> None:
    client = await books.client("Acorn")
    theirs = await books.of_client(client, ClientRole.ADMINISTRATOR)
    member = await books.member(Permission.SYNC)
    keys = [
        await issue_key(books.practice_id, name="laptop", person_id=of(each)) for each in (member, theirs)
    ]
    connection = await books.connected(client, await books.organisation("Acorn"))
    await books.sql.execute(
        "UPDATE credential SET person_id = $2 WHERE practice_id = $1", books.practice_id, of(member)
    )

    for each in (member, theirs):
        await deactivate_person(books.admin, of(each))
    (await deactivate_person(books.admin, of(member)))

    for key in keys:
        with pytest.raises(Unauthenticated):
            await authenticate(key.secret.reveal())
    gone = await get_member(books.admin, of(member))
    assert gone.person.deactivated_at is not None
    assert (gone.permissions, gone.integrates) == ((Permission.SYNC,), 1)
    assert (await books.row("connection", connection.id))["reason"] is None
    assert [await authority(books, each) for each in (member, theirs)] == [1, 1]

    back = await reactivate_person(books.admin, of(member))

    again = await issue_key(books.practice_id, name="laptop", person_id=of(member))
    assert back.deactivated_at is None
    assert (await authenticate(again.secret.reveal())).permissions == {Permission.SYNC}
    with pytest.raises(Unauthenticated):
        await authenticate(keys[0].secret.reveal())
    assert await authority(books, member) == 2


async def test_who_was_taken_out_at_the_command_line_is_deactivated_until_added_again(books: Books) -> None:
    client = await books.client("Acorn")
    email = "lea@firm.invalid"
    lea = NewMember(name="Lea Ver", email=email, role=Role.MEMBER)
    person_id = await setting_up.add_member(books.practice_id, lea)
    await setting_up.add_client_member(
        books.practice_id, name="Lea", email=email, client_id=client.id, role=ClientRole.READER
    )
    await setting_up.remove_member(books.practice_id, person_id)

    key = await issue_key(books.practice_id, name="late", person_id=person_id)
    with pytest.raises(Unauthenticated):
        await authenticate(key.secret.reveal())
    again = await setting_up.add_member(books.practice_id, lea)

    assert again == person_id
    assert (await authenticate(key.secret.reveal())).role is Role.MEMBER


async def test_members_are_listed_by_name_searched_and_narrowed(books: Books) -> None:
    zoe, abel, noel = [await called(books, name) for name in ("Zoë Quill", "abel O'Brien", "Élan Noël")]
    north = await create_team(books.admin, "North")
    await update_member(books.admin, abel, MemberChange(team_ids=[north.id], role=Role.ADMIN))
    await deactivate_person(books.admin, noel)

    assert await names(books) == ["abel O'Brien", "The Admin", "Zoë Quill"]
    assert await names(books, "QUI zo") == ["Zoë Quill"]
    assert await names(books, "o'b") == ["abel O'Brien"]
    assert await names(books, "uill") == []
    assert await names(books, "100%\x00_") == []
    assert await names(books, deactivated=True) == ["Élan Noël"]
    assert await names(books, role=Role.MEMBER) == ["Zoë Quill"]
    assert await names(books, team_id=north.id) == ["abel O'Brien"]
    assert (await get_member(books.admin, zoe)).person.name == "Zoë Quill"
    with pytest.raises(NotFound):
        await names(books, team_id=TeamId(new_id()))
    with pytest.raises(Invalid):
        await names(books, "x" * 201)


async def test_paged_to_its_end_each_member_is_there_once(books: Books) -> None:
    everybody = [books.me, *[await called(books, "Same Name") for _ in range(4)]]

    found: list[Member] = []
    after: str | None = None
    while True:
        page = await list_members(books.admin, first=2, after=after)
        found += page.rows
        if not page.has_next:
            break
        after = page.cursors[-1]

    assert sorted(member.person.id for member in found) == sorted(everybody)
    assert [member.person.name for member in found] == ["Same Name"] * 4 + ["The Admin"]
    assert page.total == 5


async def test_only_admins_by_a_key_that_is_not_narrowed_change_people(books: Books) -> None:
    client, colleague = await books.client("Acorn"), await books.member()
    callers: list[Principal] = [
        await books.member(*Permission),
        await books.calling(books.me, scopes=frozenset(Permission)),
        await books.calling(None, scopes=frozenset(Permission)),
        await books.of_client(client, ClientRole.ADMINISTRATOR),
    ]
    changes: list[Callable[[Principal], Awaitable[object]]] = [
        lambda caller: update_member(caller, of(colleague), MemberChange(role=Role.ADMIN)),
        lambda caller: deactivate_person(caller, of(colleague)),
        lambda caller: reactivate_person(caller, of(colleague)),
    ]

    refused = [await refusal(change(caller)) for change in changes for caller in callers]

    assert all(isinstance(each, Forbidden) for each in refused)
    assert await authority(books, colleague) == 0
    assert (await get_member(callers[0], of(colleague))).role is Role.MEMBER


async def test_a_clients_own_people_see_neither_members_nor_their_addresses(books: Books) -> None:
    client = await books.client("Acorn")
    theirs = await books.of_client(client, ClientRole.ADMINISTRATOR)

    refused = [
        await refusal(list_members(theirs)),
        await refusal(get_member(theirs, books.me)),
        await refusal(list_clients(theirs, listed_for=books.me)),
    ]
    named = {person.id: person.email for person in await list_people(theirs, [books.me, of(theirs)])}

    assert all(isinstance(each, Forbidden) for each in refused)
    assert named[books.me] is None
    assert named[of(theirs)] is not None
    assert [person.email for person in await list_people(books.admin, [books.me])] == ["admin@firm.invalid"]


async def test_what_is_done_to_people_is_told(books: Books) -> None:
    member = await books.member()
    await update_member(books.admin, of(member), MemberChange(permissions=frozenset({Permission.SYNC})))
    await deactivate_person(books.admin, of(member))
    await deactivate_person(books.admin, of(member))
    await reactivate_person(books.admin, of(member))

    told = (await list_activity(books.admin)).rows

    person = {"person_id": str(of(member))}
    assert [(done.kind, done.subject_id, done.details) for done in told] == [
        ("PERSON_REACTIVATED", of(member), person),
        ("PERSON_DEACTIVATED", of(member), person),
        (
            "MEMBER_CHANGED",
            of(member),
            person
            | {
                "role": "MEMBER",
                "permissions": ["SYNC"],
                "client_access": "ALL",
                "team_ids": [],
                "listed_clients": None,
            },
        ),
    ]


async def refusal(asked: Awaitable[object]) -> Refused | None:
    try:
        await asked
    except Refused as refused:
        return refused
    return None
