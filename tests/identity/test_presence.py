"""Those who hold sockets and may no longer: all are looked up by one statement, at once where a hint comes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from tests.identity.conftest import Calendar
from tests.support import hints
from tests.support.books import Books
from tests.support.deployment import Deployment
from tests.support.issuer import IssuerServer
from tests.support.polling import until
from tests.support.statements import all_connected, taken_down
from tieline.errors import Unauthenticated
from tieline.identity import authenticate
from tieline.identity.issuer import Issuer
from tieline.ids import PersonId, new_id
from tieline.live import listening, telling
from tieline.practices import service
from tieline.practices.client_members.service import remove_client_member
from tieline.practices.keys import issue_key, revoke_key
from tieline.practices.members.service import MemberChange, update_member
from tieline.principal import ClientRole, Permission
from tieline_gateway.presence import Presence
from tieline_gateway.transport.errors import TooMany
from tieline_gateway.transport.incoming import Credentials

SOON = 0.02
NEVER = 3_600.0


async def key_of(books: Books, person_id: PersonId, life: timedelta | None = None) -> tuple[str, str]:
    issued = await issue_key(books.practice_id, name="test", person_id=person_id, life=life)
    return str(issued.id), issued.secret.reveal()


@asynccontextmanager
async def staying(presence: Presence, *tokens: str) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Sockets of these callers, each let in."""
    tasks = [asyncio.create_task(leaves(presence, token)) for token in tokens]

    async def all_in() -> bool:
        return len(presence._present) + sum(task.done() for task in tasks) == len(tasks)

    await until(all_in, "all are in")
    yield tasks
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def leaves(presence: Presence, token: str) -> None:
    """A socket of this caller, until it may stay no longer."""
    joined = await presence.join(Credentials(token=token))
    try:
        await joined.over()
    finally:
        joined.leave()


async def left(task: asyncio.Task[None]) -> None:
    async with asyncio.timeout(30):
        await task


async def test_a_person_who_is_deactivated_leaves_and_the_others_stay(books: Books) -> None:
    leaver = (await books.member()).person_id
    assert leaver is not None
    keys = [(await key_of(books, person_id))[1] for person_id in (leaver, leaver, books.me)]

    async with staying(Presence(seconds=SOON), *keys) as (first, second, mine):
        await books.sql.execute("UPDATE person SET deactivated_at = now() WHERE id = $1", leaver)
        await left(first)
        await left(second)

        assert not mine.done()


async def test_a_key_that_has_expired_leaves(books: Books, clock: Any) -> None:
    _, short = await key_of(books, books.me, life=timedelta(days=1))
    _, endless = await key_of(books, books.me)

    async with staying(Presence(seconds=SOON), short, endless) as (first, second):
        await clock(timedelta(days=1))
        await left(first)

        assert not second.done()


async def test_a_token_that_has_expired_leaves_and_so_does_whoever_belongs_to_nothing_any_more(
    books: Books, trusted: Issuer, server: IssuerServer, clock: Any
) -> None:
    people = [(await books.member()).person_id for _ in range(2)]
    subjects = [f"auth0|{new_id()}" for _ in people]
    for person_id, subject in zip(people, subjects, strict=True):
        await books.sql.execute(
            "UPDATE person SET issuer = $2, subject = $3 WHERE id = $1", person_id, trusted.name, subject
        )
    tokens = [server.token(subject) for subject in subjects]

    async with staying(Presence(seconds=SOON), *tokens) as (first, second):
        assert people[0] is not None
        await service.remove_member(books.practice_id, people[0])
        await left(first)
        assert not second.done()

        await clock(timedelta(seconds=301))
        await left(second)


async def test_whoever_is_of_no_client_any_more_leaves_with_the_key(books: Books) -> None:
    client = await books.client("Ashford")
    reader = (await books.of_client(client, ClientRole.READER)).person_id
    assert reader is not None
    keys = [(await key_of(books, person_id))[1] for person_id in (reader, books.me)]
    service_key = await issue_key(books.practice_id, name="test", person_id=None, scopes=frozenset())

    async with staying(Presence(seconds=SOON), *keys, service_key.secret.reveal()) as (theirs, *others):
        await remove_client_member(books.admin, client.id, reader)
        await left(theirs)

        assert not any(other.done() for other in others)


async def test_a_token_that_ran_out_leaves_without_the_database_being_asked(
    books: Books, trusted: Issuer, server: IssuerServer, calendar: Calendar
) -> None:
    subject, presence = f"auth0|{new_id()}", Presence(seconds=NEVER)
    await books.sql.execute(
        "UPDATE person SET issuer = $2, subject = $3 WHERE id = $1", books.me, trusted.name, subject
    )
    await all_connected()

    async with staying(presence, server.token(subject)) as (task,):
        calendar.move(timedelta(seconds=301))
        with taken_down() as seen:
            await presence._tell_those_who_left()
        await left(task)

    assert seen == []


async def test_a_person_has_so_many_sockets_whatever_keys_open_them_until_one_ends(books: Books) -> None:
    colleague = (await books.member()).person_id
    assert colleague is not None
    first, second = [(await key_of(books, books.me))[1] for _ in range(2)]
    _, theirs = await key_of(books, colleague)
    presence = Presence(seconds=NEVER, most=2)

    async with staying(presence, first, second, theirs) as (one, *_):
        with pytest.raises(TooMany, match=r"You hold 2 sockets; close one, or try again in 30 s\."):
            await presence.join(Credentials(token=second))
        one.cancel()
        await asyncio.gather(one, return_exceptions=True)
        again = asyncio.create_task(leaves(presence, second))

        async def is_in() -> bool:
            return len(presence._present) == 3

        await until(is_in, "there is room again")
        again.cancel()
        await asyncio.gather(again, return_exceptions=True)

    assert not presence._held


async def test_what_a_caller_may_is_known_to_be_unchanged_from_look_to_look_until_it_changes(
    books: Books,
) -> None:
    member = await books.member()
    assert member.person_id is not None
    _, key = await key_of(books, member.person_id)
    caller, presence = await authenticate(key), Presence(seconds=NEVER)

    async with staying(presence, key):
        early = time.monotonic()
        assert presence.unchanged(caller, since=early) is None
        await presence._tell_those_who_left()
        assert presence.unchanged(caller, since=early) is None, "it may have changed before the look"
        since = time.monotonic()
        await presence._tell_those_who_left()
        until_second = presence.unchanged(caller, since=since)
        await update_member(books.admin, member.person_id, MemberChange(permissions=frozenset(Permission)))
        await presence._tell_those_who_left()

        assert until_second is not None
        assert until_second > since
        assert presence.unchanged(caller, since=since) is None
        assert presence.unchanged(member, since=time.monotonic()) is None, "nobody looked by that key"


@pytest.fixture
async def hearing(opened: Deployment) -> AsyncIterator[None]:
    """Hints leave this process and reach it."""
    async with telling(opened.settings), listening(opened.settings):
        await hints.hearing()
        yield


@pytest.mark.usefixtures("hearing")
async def test_a_hint_is_enough_where_no_look_is_due(books: Books) -> None:
    key_id, key = await key_of(books, books.me)
    _, other = await key_of(books, books.me)

    async with staying(Presence(seconds=NEVER), key, other) as (mine, second):
        await revoke_key(key_id)
        await left(mine)

        assert not second.done()


async def test_whoever_is_not_let_in_is_told_so(books: Books) -> None:
    key_id, key = await key_of(books, books.me)
    await revoke_key(key_id)

    with pytest.raises(Unauthenticated):
        await Presence(seconds=NEVER).join(Credentials(token=key))


async def test_two_hundred_sockets_are_looked_up_by_one_statement_and_each_caller_once(books: Books) -> None:
    keys = [(await key_of(books, books.me))[1] for _ in range(2)]
    presence = Presence(seconds=NEVER)
    await all_connected()

    async with staying(presence, *keys * 100) as tasks:
        with taken_down() as seen:
            await presence._tell_those_who_left()

        ours = [statement for statement in seen if "practice_id" in statement.sql]
        assert [len(statement.arguments[0]) for statement in ours] == [2]
        assert not any(task.done() for task in tasks)
    assert presence._looking is None
