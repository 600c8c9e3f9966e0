"""What a process keeps of a feed, and for how long, while time is the test's own."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import pytest

from tests.support.books import Books
from tests.support.events import settled
from tests.support.statements import all_connected, taken_down
from tieline.errors import CursorExpired
from tieline.events import feeds
from tieline.events.feeds import KEPT_SECONDS, Reader, reading
from tieline.events.repository import EventCursor
from tieline.principal import ClientAccess


class Moved:
    """A clock that stands still between two moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Moved:
    moved = Moved()
    monkeypatch.setattr(feeds, "time", moved)
    return moved


async def beginning(books: Books) -> EventCursor:
    """A place that stands before all that this practice has done, where everything of it can be read."""
    await settled()
    row = await books.sql.fetchrow("SELECT epoch, pruned_below::text::bigint AS below FROM feed")
    assert row is not None
    return EventCursor(epoch=row["epoch"], xid=row["below"], position=0)


def told_now(reader: Reader, time: Moved) -> None:
    """As by a hint: what it reads next holds all that was committed before."""
    reader._since = time.now


async def test_what_was_not_seen_by_whom_few_clients_are_listed_for_is_read_again_however_busy_the_feed_is(
    books: Books, time: Moved
) -> None:
    acorn = await books.client("Acorn")
    member = await books.member(clients=ClientAccess.LISTED)
    start = await beginning(books)

    with reading(books.practice_id) as first, reading(books.practice_id) as second:
        place = (await first.read(member, start)).cursor
        time.now += 0.8 * KEPT_SECONDS
        told_now(first, time)
        read_on = await first.read(member, place)
        await books.sql.execute(
            "INSERT INTO member_client (practice_id, person_id, client_id) VALUES ($1, $2, $3)",
            *(books.practice_id, member.person_id, acorn.id),
        )
        time.now += 0.8 * KEPT_SECONDS
        batch = await second.read(member, start)

    assert read_on.events == ()
    assert [event.client_id for event in batch.events] == [acorn.id]


@pytest.mark.usefixtures("time")
async def test_a_place_that_the_feed_has_not_come_to_does_not_end_reading_together(books: Books) -> None:
    await books.client("Acorn")
    start = await beginning(books)
    never = replace(start, xid=2**62)
    await all_connected()

    with ExitStack() as stack, taken_down() as seen:
        forger, *others = [stack.enter_context(reading(books.practice_id)) for _ in range(11)]
        forged = await forger.read(books.admin, never)
        batches = [await other.read(books.admin, start) for other in others]

    assert (forged.events, forged.cursor, forged.more) == ((), never, False)
    assert [len(batch.events) for batch in batches] == [1] * 10
    assert sum("LATERAL" in one.sql for one in seen) == 2, "for the forger, and for all others"


async def test_who_reads_on_where_nothing_was_left_misses_nothing_however_much_of_others_is_deleted(
    books: Books, time: Moved
) -> None:
    start = await beginning(books)
    with reading(books.practice_id) as live, reading(books.practice_id) as late:
        place = (await live.read(books.admin, start)).cursor
        birch = await books.client("Birch")
        await settled()
        before = await books.sql.fetchval("SELECT pruned_below::text FROM feed")
        await books.sql.execute("UPDATE feed SET pruned_below = $1::text::xid8", str(place.xid + 1))
        try:
            time.now += KEPT_SECONDS
            told_now(live, time)
            batch = await live.read(books.admin, place)
            time.now += KEPT_SECONDS
            with pytest.raises(CursorExpired):
                await late.read(books.admin, place)
        finally:
            await books.sql.execute("UPDATE feed SET pruned_below = $1::text::xid8", before)

    assert [event.client_id for event in batch.events] == [birch.id]
