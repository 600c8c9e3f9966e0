"""Organisations that nobody uses and nobody reaches any more are swept away, in every practice, and no others."""

from __future__ import annotations

import asyncio
import contextvars
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.books import Books
from tests.support.polling import until
from tieline import clock
from tieline.connections import actors
from tieline.connections.actors import sweep_organisations
from tieline.connections.organisations.repository import OrganisationRepository, sweep
from tieline.connections.service import disconnect
from tieline.ids import OrganisationId
from tieline.work import Again, system_work, unit_of_work

_OVER = -timedelta(hours=1)


async def left(books: Books) -> set[OrganisationId]:
    rows = await books.sql.fetch("SELECT id FROM organisation WHERE practice_id = $1", books.practice_id)
    return {row["id"] for row in rows}


async def swept() -> Again:
    again = await sweep_organisations.function()
    assert isinstance(again, Again)
    return again


async def all_swept() -> None:
    """Batch after batch: other tests have left some, too."""

    async def nothing_is_left() -> bool:
        return (await swept()).at > clock.now()

    await until(nothing_is_left, "nothing is left to be swept")


async def test_only_what_no_connection_no_live_login_and_no_usable_sign_in_has_is_swept(
    books: Books, other_books: Books
) -> None:
    connected, ended, live, usable, dead, never = await books.organisations("A", "B", "C", "D", "E", "F")
    theirs = await other_books.organisation("Theirs")
    await books.connected(await books.client("A"), connected)
    await disconnect(books.admin, (await books.connected(await books.client("B"), ended)).id)
    await books.sql.execute("UPDATE credential SET state = 'DEAD' WHERE practice_id = $1", books.practice_id)
    await books.sql.execute(
        "UPDATE sign_in SET usable_until = $2 WHERE practice_id = $1",
        books.practice_id,
        datetime.now(UTC) + _OVER,
    )
    await books.sign_in(await books.credential(), [live], usable_for=_OVER)
    await books.sign_in(await books.credential(state="DEAD"), [usable])
    await books.sign_in(await books.credential(state="DEAD"), [dead], usable_for=_OVER)
    assert never in await left(books)

    await all_swept()

    assert await left(books) == {connected, ended, live, usable}
    assert theirs not in await left(other_books)


async def test_it_comes_back_tomorrow_and_at_once_while_there_is_more(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    await all_swept()
    monkeypatch.setattr(actors, "_BATCH", 2)
    await books.organisations("A", "B", "C")

    soon, later = await swept(), await swept()

    assert soon.at <= clock.now()
    assert later.at > clock.now() + timedelta(hours=23)
    assert await left(books) == set()


async def test_what_somebody_is_about_to_find_again_is_left_alone(books: Books) -> None:
    organisation_id = await books.organisation("A")
    async with unit_of_work(books.admin):
        await OrganisationRepository.of(books.practice_id).lock([organisation_id])
        await asyncio.create_task(swept(), context=contextvars.Context())

    assert await left(books) == {organisation_id}


async def test_what_the_look_names_is_looked_at_once_more_when_it_is_held(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who finds it in the very moment between the two has written it down by then."""
    organisation_id = await books.organisation("A")
    await books.sign_in(await books.credential(), [organisation_id], usable_for=_OVER)
    stale = "SELECT o.id FROM organisation AS o WHERE $1::timestamptz IS NOT NULL ORDER BY o.id LIMIT $2 FOR UPDATE"
    monkeypatch.setattr("tieline.connections.organisations.repository._LOCK_UNUSED", stale)

    async with system_work() as work:
        assert await sweep(at=work.now, limit=100_000) > 0

    assert await left(books) == {organisation_id}
