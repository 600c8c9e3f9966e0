"""Who a token or a key is in which practice: persons by issuer and subject, and the practice that is meant."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.support.books import Books
from tests.support.issuer import IssuerServer
from tieline.errors import PracticeNeeded, Unauthenticated
from tieline.identity import authenticate
from tieline.identity import issuer as identity
from tieline.identity.issuer import Issuer
from tieline.ids import PersonId, new_id
from tieline.practices import service
from tieline.practices.callers import repository as callers
from tieline.practices.client_members.service import remove_client_member
from tieline.practices.keys import issue_key
from tieline.principal import ClientAccess, ClientRole, Permission, Principal


def subject() -> str:
    return f"auth0|{new_id()}"


async def known_as(books: Books, person_id: PersonId | None, issuer: Issuer, subject: str) -> None:
    await books.sql.execute(
        "UPDATE person SET issuer = $2, subject = $3 WHERE id = $1", person_id, issuer.name, subject
    )


async def refused(token: str | None, practice: str | None = None) -> bool:
    try:
        await authenticate(token, practice)
    except Unauthenticated:
        return True
    return False


async def test_a_person_is_the_same_by_token_as_by_key_but_for_the_key(
    books: Books, trusted: Issuer, server: IssuerServer
) -> None:
    member = await books.member(Permission.SYNC, clients=ClientAccess.LISTED)
    ann = subject()
    await known_as(books, member.person_id, trusted, ann)

    assert await authenticate(server.token(ann)) == Principal(
        practice_id=books.practice_id,
        person_id=member.person_id,
        api_key_id=None,
        role=member.role,
        client_access=ClientAccess.LISTED,
        permissions=frozenset({Permission.SYNC}),
        key_scopes=None,
    )


async def test_somebody_of_a_single_client_signs_in_as_that(
    books: Books, trusted: Issuer, server: IssuerServer
) -> None:
    reader = await books.of_client(await books.client("Ashford"), ClientRole.READER)
    ann = subject()
    await known_as(books, reader.person_id, trusted, ann)

    taken = await authenticate(server.token(ann))

    assert (taken.person_id, taken.role, taken.permissions) == (reader.person_id, None, frozenset())


async def test_somebody_who_belongs_to_nothing_any_more_is_nobody(
    books: Books, trusted: Issuer, server: IssuerServer
) -> None:
    member = await books.member()
    assert member.person_id is not None
    ann = subject()
    await known_as(books, member.person_id, trusted, ann)
    assert not await refused(server.token(ann))

    await service.remove_member(books.practice_id, member.person_id)

    assert await refused(server.token(ann))


async def test_somebody_who_is_deactivated_is_nobody_there_and_goes_on_elsewhere(
    books: Books, other_books: Books, trusted: Issuer, server: IssuerServer
) -> None:
    ann = subject()
    for each in (books, other_books):
        await known_as(each, each.me, trusted, ann)
    await books.sql.execute("UPDATE person SET deactivated_at = now() WHERE id = $1", books.me)

    assert await refused(server.token(ann), str(books.practice_id))
    assert (await authenticate(server.token(ann))).practice_id == other_books.practice_id


async def test_a_subject_of_another_issuer_is_somebody_else(
    books: Books, trusted: Issuer, server: IssuerServer
) -> None:
    ann = subject()
    await known_as(books, books.me, trusted, ann)
    await books.sql.execute("UPDATE person SET issuer = 'https://evil.example' WHERE id = $1", books.me)

    assert await refused(server.token(ann))


async def test_whoever_belongs_to_several_practices_names_one(
    books: Books, other_books: Books, trusted: Issuer, server: IssuerServer
) -> None:
    ann = subject()
    for each in (books, other_books):
        await known_as(each, each.me, trusted, ann)
    token = server.token(ann)

    with pytest.raises(PracticeNeeded) as needed:
        await authenticate(token)
    first = await authenticate(token, str(books.practice_id))
    second = await authenticate(token, str(other_books.practice_id).upper())

    names = {
        each.practice_id: await each.sql.fetchval("SELECT name FROM practice WHERE id = $1", each.practice_id)
        for each in (books, other_books)
    }
    assert dict(needed.value.practices) == names
    assert [name for _, name in needed.value.practices] == sorted(names.values())
    assert (first.practice_id, first.person_id) == (books.practice_id, books.me)
    assert (second.practice_id, second.person_id) == (other_books.practice_id, other_books.me)


async def test_a_practice_that_is_named_is_found_behind_more_than_are_read(
    books: Books, other_books: Books, trusted: Issuer, server: IssuerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callers, "MAX_PLACES", 1)
    ann = subject()
    for each in (books, other_books):
        await known_as(each, each.me, trusted, ann)

    found = [await authenticate(server.token(ann), str(each.practice_id)) for each in (books, other_books)]

    assert [principal.person_id for principal in found] == [books.me, other_books.me]


async def test_a_key_of_somebody_who_is_of_no_client_any_more_lets_nobody_in(books: Books) -> None:
    client = await books.client("Ashford")
    reader = await books.of_client(client, ClientRole.READER)
    assert reader.person_id is not None
    key = (await issue_key(books.practice_id, name="test", person_id=reader.person_id)).secret.reveal()
    service_key = await issue_key(
        books.practice_id, name="test", person_id=None, scopes=frozenset({Permission.SYNC})
    )
    assert not await refused(key)

    await remove_client_member(books.admin, client.id, reader.person_id)

    assert await refused(key)
    assert not await refused(service_key.secret.reveal())


@pytest.mark.parametrize("named", ["", "null", "*", "{id}", "urn:uuid:{id}", " {id}", "{id}\x00"])
async def test_a_practice_that_is_not_ones_own_is_no_practice(
    books: Books, other_books: Books, trusted: Issuer, server: IssuerServer, named: str
) -> None:
    ann = subject()
    await known_as(books, books.me, trusted, ann)
    token = server.token(ann)
    wrong = named.format(id=books.practice_id) if named != "{id}" else str(other_books.practice_id)

    assert await refused(token, wrong)
    assert await refused(token, str(UUID(int=0)))
    assert not await refused(token, str(books.practice_id))


async def test_a_key_is_of_one_practice_and_naming_another_is_refused(
    books: Books, other_books: Books
) -> None:
    issued = await issue_key(books.practice_id, name="test", person_id=books.me)
    key = issued.secret.reveal()

    assert (await authenticate(key, str(books.practice_id))).person_id == books.me
    assert await refused(key, str(other_books.practice_id))


async def test_where_no_issuer_is_trusted_no_token_is_taken(
    books: Books, trusted: Issuer, server: IssuerServer
) -> None:
    ann = subject()
    await known_as(books, books.me, trusted, ann)
    identity.trust(None)

    assert await refused(server.token(ann))
    assert server.asked == {}
