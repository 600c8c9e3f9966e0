"""People of a single client: practice admins and the client's administrators say who they are, and nobody else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.support.books import Books
from tieline.activity.service import list_activity
from tieline.clients.service import list_clients, rename_client
from tieline.errors import Forbidden, Invalid, NotFound, Refused
from tieline.ids import PersonId, new_id
from tieline.practices.client_members.service import (
    list_client_members,
    remove_client_member,
    set_client_member,
)
from tieline.practices.members.service import deactivate_person
from tieline.principal import ClientAccess, ClientRole, Permission, Principal

ADMINISTRATOR, READER = ClientRole.ADMINISTRATOR, ClientRole.READER


def of(caller: Principal) -> PersonId:
    assert caller.person_id is not None
    return caller.person_id


async def refusal(asked: Awaitable[object]) -> Refused | None:
    try:
        await asked
    except Refused as refused:
        return refused
    return None


async def authority(books: Books, caller: Principal) -> int:
    number: int = await books.sql.fetchval("SELECT authority FROM person WHERE id = $1", caller.person_id)
    return number


async def test_an_admin_lets_a_member_administer_a_client_that_it_did_not_see(books: Books) -> None:
    client = await books.client("Acorn")
    member = await books.member(clients=ClientAccess.LISTED)
    before = (await list_clients(member)).total

    given = await set_client_member(books.admin, client.id, of(member), ADMINISTRATOR)
    again = await set_client_member(books.admin, client.id, of(member), ADMINISTRATOR)

    assert (before, (await list_clients(member)).total) == (0, 1)
    assert (given.person.id, given.role) == (member.person_id, ADMINISTRATOR)
    assert again == given
    assert (await rename_client(member, client.id, "Acorn Two")).name == "Acorn Two"
    assert await authority(books, member) == 1


async def test_an_administrator_deals_with_the_clients_own_people(books: Books) -> None:
    client = await books.client("Acorn")
    theirs, colleague = [await books.of_client(client, role) for role in (ADMINISTRATOR, READER)]

    seen = await list_client_members(theirs, client.id)
    promoted = await set_client_member(theirs, client.id, of(colleague), ADMINISTRATOR)
    gone = await remove_client_member(theirs, client.id, of(colleague))

    assert {(member.person.id, member.role) for member in seen.rows} == {
        (theirs.person_id, ADMINISTRATOR),
        (colleague.person_id, READER),
    }
    assert all(member.person.email for member in seen.rows)
    assert promoted.role is ADMINISTRATOR
    assert gone.id == colleague.person_id
    assert (await list_clients(colleague)).total == 0
    assert await authority(books, colleague) == 2


async def test_an_administrator_brings_in_nobody_of_the_practice_and_touches_no_other_client(
    books: Books,
) -> None:
    client, other = await books.client("Acorn"), await books.client("Birch")
    theirs, foreign = await books.of_client(client, ADMINISTRATOR), await books.of_client(other, READER)

    refused = [
        await refusal(set_client_member(theirs, client.id, books.me, READER)),
        await refusal(set_client_member(theirs, client.id, of(foreign), READER)),
        await refusal(set_client_member(theirs, other.id, of(foreign), ADMINISTRATOR)),
        await refusal(remove_client_member(theirs, other.id, of(foreign))),
        await refusal(remove_client_member(books.admin, client.id, of(foreign))),
        await refusal(list_client_members(theirs, other.id)),
    ]

    assert [(type(each), each and each.field) for each in refused] == [
        (NotFound, "personId"),
        (NotFound, "personId"),
        (NotFound, "clientId"),
        (NotFound, "clientId"),
        (NotFound, "personId"),
        (NotFound, "clientId"),
    ]
    assert await books.count("client_member") == 2


async def test_no_permission_and_no_narrowed_key_gives_a_say_over_a_clients_people(books: Books) -> None:
    client = await books.client("Acorn")
    theirs, reader = await books.of_client(client, ADMINISTRATOR), await books.of_client(client, READER)
    callers = [
        await books.member(*Permission),
        await books.calling(None, scopes=frozenset(Permission)),
        await books.calling(books.me, scopes=frozenset(Permission)),
        await books.calling(of(theirs), scopes=frozenset(Permission)),
        reader,
    ]
    changes: list[Callable[[Principal], Awaitable[object]]] = [
        lambda caller: set_client_member(caller, client.id, of(reader), ADMINISTRATOR),
        lambda caller: remove_client_member(caller, client.id, of(theirs)),
    ]

    refused = [await refusal(change(caller)) for change in changes for caller in callers]
    insiders = [(await list_client_members(caller, client.id)).total for caller in callers[:4]]

    assert all(isinstance(each, Forbidden) for each in refused)
    assert insiders == [2, 2, 2, 2]
    assert isinstance(await refusal(list_client_members(reader, client.id)), Forbidden)
    assert await authority(books, reader) == 0


async def test_who_is_deactivated_is_not_listed_and_not_brought_in(books: Books) -> None:
    client = await books.client("Acorn")
    theirs, member = await books.of_client(client, READER), await books.member()
    for each in (theirs, member):
        await deactivate_person(books.admin, of(each))

    refused = await refusal(set_client_member(books.admin, client.id, of(member), READER))
    unknown = await refusal(set_client_member(books.admin, client.id, PersonId(new_id()), READER))

    assert (await list_client_members(books.admin, client.id)).rows == ()
    assert (type(refused), refused and refused.field) == (Invalid, "personId")
    assert (type(unknown), unknown and unknown.field) == (NotFound, "personId")


async def test_people_of_a_client_see_no_addresses_of_the_practices_own_people(books: Books) -> None:
    client, colleague = await books.client("Acorn"), await books.member()
    theirs = await books.of_client(client, ADMINISTRATOR)
    await set_client_member(books.admin, client.id, of(colleague), READER)

    listed = await list_client_members(theirs, client.id)
    by_insiders = [await list_client_members(caller, client.id) for caller in (books.admin, colleague)]
    changed = await set_client_member(theirs, client.id, of(colleague), ADMINISTRATOR)
    same = await set_client_member(theirs, client.id, of(colleague), ADMINISTRATOR)
    removed = await remove_client_member(theirs, client.id, of(colleague))

    assert {row.person.id for row in listed.rows if row.person.email} == {theirs.person_id}
    assert all(row.person.email for page in by_insiders for row in page.rows)
    assert [person.email for person in (changed.person, same.person, removed)] == [None] * 3


async def test_who_is_deactivated_is_nobody_for_a_clients_administrator(books: Books) -> None:
    client = await books.client("Acorn")
    theirs, gone = [await books.of_client(client, role) for role in (ADMINISTRATOR, READER)]
    await deactivate_person(books.admin, of(gone))

    refused = [
        await refusal(set_client_member(theirs, client.id, of(gone), READER)),
        await refusal(set_client_member(theirs, client.id, of(gone), ADMINISTRATOR)),
        await refusal(remove_client_member(theirs, client.id, of(gone))),
    ]

    assert [(type(each), each and each.field) for each in refused] == [(NotFound, "personId")] * 3
    assert (await remove_client_member(books.admin, client.id, of(gone))).id == gone.person_id


async def test_paged_to_its_end_each_is_there_once(books: Books) -> None:
    client = await books.client("Acorn")
    everybody = [of(await books.of_client(client, READER)) for _ in range(3)]

    first = await list_client_members(books.admin, client.id, first=2)
    rest = await list_client_members(books.admin, client.id, first=2, after=first.cursors[-1])

    assert [member.person.id for member in (*first.rows, *rest.rows)] == sorted(everybody)
    assert (first.total, first.has_next, rest.has_next) == (3, True, False)


@pytest.mark.parametrize("role", [ADMINISTRATOR, READER])
async def test_what_is_done_to_them_is_told_of_the_client(books: Books, role: ClientRole) -> None:
    client, member = await books.client("Acorn"), await books.member()
    await set_client_member(books.admin, client.id, of(member), role)
    await remove_client_member(books.admin, client.id, of(member))

    told = (await list_activity(books.admin, client_id=client.id)).rows

    person = {"person_id": str(member.person_id)}
    assert [(done.kind, done.subject_id, done.details) for done in told] == [
        ("CLIENT_MEMBER_REMOVED", member.person_id, person),
        ("CLIENT_MEMBER_SET", member.person_id, person | {"role": role.value}),
        ("CLIENT_CREATED", None, {}),
    ]
