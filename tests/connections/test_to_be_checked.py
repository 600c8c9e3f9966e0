"""What could not be opened works when it can be, and not because somebody's login lists it."""

from __future__ import annotations

import pytest

from tests.connections.test_reconnect_all import connected, many, reaching
from tests.support.books import BOOKKEEPING, Books
from tieline.connections.decisions import Asked
from tieline.connections.moving import service as moving
from tieline.connections.moving.decisions import Outcome
from tieline.connections.moving.service import Mended, reassign, reconnect_all
from tieline.connections.repository import Connection
from tieline.connections.service import bulk_connect, get_connection, reconnect
from tieline.ids import CredentialId, SignInId
from tieline.principal import Permission, Principal

SHUT = pytest.mark.parametrize("reason", ["ACCESS_LOST", "SUBSCRIPTION_LAPSED"])


async def shut(books: Books, reason: str) -> Connection:
    [made] = await connected(books, "Acme")
    await books.expire(made, reason)
    return await get_connection(books.admin, made.id)


async def own(books: Books, made: Connection) -> tuple[Principal, SignInId, CredentialId]:
    """A colleague with a login that lists the organisation."""
    colleague = await books.member(Permission.MANAGE_CONNECTIONS)
    credential_id = await books.credential(colleague.person_id)
    sign_in_id = await books.sign_in(credential_id, [made.organisation_id], person_id=colleague.person_id)
    return colleague, sign_in_id, credential_id


async def looks(books: Books) -> list[str]:
    """The credentials whose daily look is due at once."""
    rows = await books.sql.fetch(
        "SELECT arguments::jsonb ->> 'credential_id' AS id FROM job "
        "WHERE practice_id = $1 AND actor LIKE '%check_reach' AND due_at <= created_at",
        books.practice_id,
    )
    return [row["id"] for row in rows]


def told(mended: Mended) -> list[tuple[Outcome, bool]]:
    """Each outcome, and whether it says what is left to be seen."""
    return [(each.outcome, each.note is not None) for each in mended.outcomes]


@SHUT
async def test_reconnecting_all_hangs_it_on_the_callers_login_and_tries_at_once(
    books: Books, reason: str
) -> None:
    made = await shut(books, reason)
    colleague, sign_in_id, credential_id = await own(books, made)

    calls = [await reconnect_all(colleague, sign_in_id) for _ in range(2)]

    assert [(told(each), each.remaining) for each in calls] == [([(Outcome.TO_BE_CHECKED, True)], 0)] * 2
    now = await get_connection(books.admin, made.id)
    assert (now.reason, now.credential_id, now.integrated_by) == (reason, credential_id, colleague.person_id)
    assert await books.kinds() == ["CONNECTION_HANDED_OVER"], "the second call tells nothing"
    assert await looks(books) == [str(credential_id)]
    assert await books.runs() == []


@SHUT
async def test_what_hangs_on_the_login_already_stays_as_it_is_and_is_tried_at_once(
    books: Books, reason: str
) -> None:
    made = await shut(books, reason)
    sign_in_id = await books.sign_in(made.credential_id, [made.organisation_id])

    mended = await reconnect_all(books.admin, sign_in_id)

    assert told(mended) == [(Outcome.TO_BE_CHECKED, True)]
    assert await get_connection(books.admin, made.id) == made
    assert await books.kinds() == []
    assert await looks(books) == [str(made.credential_id)]


@SHUT
async def test_a_colleague_who_has_access_takes_it_over_and_it_is_tried_at_once(
    books: Books, reason: str
) -> None:
    made = await shut(books, reason)
    colleague, sign_in_id, credential_id = await own(books, made)

    [first] = await reassign(colleague, sign_in_id, [made.id])
    [again] = await reassign(colleague, sign_in_id, [made.id])

    assert (first.outcome, again.outcome) == (Outcome.REASSIGNED, Outcome.ALREADY_YOURS)
    assert first.note is not None
    now = await get_connection(books.admin, made.id)
    assert (now.reason, now.credential_id, now.integrated_by) == (reason, credential_id, colleague.person_id)
    assert await books.kinds() == ["CONNECTION_HANDED_OVER"]
    assert await looks(books) == [str(credential_id)]


@SHUT
async def test_reconnecting_one_or_connecting_it_anew_says_what_is_so(books: Books, reason: str) -> None:
    made = await shut(books, reason)
    row = Asked(client_id=made.client_id, organisation_id=made.organisation_id)
    _, sign_in_id, credential_id = await own(books, made)
    await books.sql.execute("UPDATE sign_in SET person_id = $2 WHERE id = $1", sign_in_id, books.me)

    one = await reconnect(books.admin, made.id, sign_in_id)
    [anew] = await bulk_connect(books.admin, sign_in_id, BOOKKEEPING, [row])

    assert (one.reason, one.credential_id) == (reason, credential_id)
    assert anew.connection == one
    assert await books.kinds() == ["CONNECTION_HANDED_OVER"], "told once"
    assert await looks(books) == [str(credential_id)]


async def test_what_is_left_to_say_comes_to_an_end(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "MAX_ROWS", 10)
    made = await many(books, 24, "ACCESS_LOST")
    sign_in_id = await reaching(books, made)

    calls = [await reconnect_all(books.admin, sign_in_id) for _ in range(3)]

    assert [each.remaining for each in calls] == [14, 4, 0]
    assert {each.outcome for call in calls for each in call.outcomes} == {Outcome.TO_BE_CHECKED}
    credentials = await books.sql.fetch(
        "SELECT DISTINCT credential_id FROM connection WHERE practice_id = $1", books.practice_id
    )
    assert len(credentials) == 1
