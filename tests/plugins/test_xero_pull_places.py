"""The reading of a list that moves while it is read: whatever happens, in the end we hold what Xero holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieline_xero.places import OVERLAP, Place, Sight, after

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
LATEST_COMMIT = OVERLAP - timedelta(seconds=2)  # Xero may mean "after" that second


@dataclass
class Change:
    """Somebody saves a record; it becomes visible `late` after the time it bears."""

    record: int
    late: timedelta = timedelta(0)


@dataclass
class Books:
    """Records by number: when each was changed, and a version that says which change it was."""

    size: int
    after_that_second: bool = False
    records: dict[int, tuple[datetime, int]] = field(default_factory=dict)
    now: datetime = MONDAY
    versions: int = 0

    def save(self, change: Change) -> None:
        self.versions += 1
        self.records[change.record] = (self.now - change.late, self.versions)

    def page(self, since: str | None, number: int) -> tuple[list[int], int]:
        """The numbers of a page's records, and how many pages there are."""
        asked = None if since is None else datetime.fromisoformat(since).replace(tzinfo=UTC)
        found = sorted((at, record) for record, (at, _) in self.records.items() if self._fits(at, asked))
        start = (number - 1) * self.size
        return [record for _, record in found[start : start + self.size]], ceil(len(found) / self.size)

    def _fits(self, at: datetime, since: datetime | None) -> bool:
        second = at.replace(microsecond=0)
        return since is None or second > since or (second == since and not self.after_that_second)


@dataclass
class Reader:
    """Asks by cursor alone, as if each page were read by another process."""

    books: Books
    kept: dict[int, int] = field(default_factory=dict)
    cursor: str | None = None
    calls: int = 0

    def turn(self, *, is_lost: bool = False) -> bool:
        """One call; a lost one was not stored. Whether the reading is over."""
        self.calls += 1
        place = Place.of(self.cursor)
        numbers, pages = self.books.page(place.modified_since, place.page(self.books.size))
        if is_lost:
            return False
        changes = [self.books.records[number][0] for number in numbers]
        sight = Sight(changes=changes, pages=pages, size=self.books.size, at=self.books.now)
        place, is_over = after(place, sight)
        self.kept |= {number: self.books.records[number][1] for number in numbers}
        self.cursor = place.cursor()
        return is_over

    def read(self) -> int:
        """A whole reading while nothing moves: how many calls it took."""
        before = self.calls
        while not self.turn():
            assert self.calls - before < 200
        return self.calls - before

    @property
    def missing(self) -> dict[int, int]:
        return {
            number: version
            for number, (_, version) in self.books.records.items()
            if self.kept.get(number) != version
        }


CHANGES = st.builds(
    Change,
    record=st.integers(0, 60),
    late=st.just(timedelta(0)) | st.timedeltas(timedelta(0), LATEST_COMMIT),
)
MOMENTS = st.tuples(
    st.sampled_from([timedelta(0), timedelta(milliseconds=3), timedelta(seconds=1), timedelta(hours=2)]),
    st.lists(CHANGES, max_size=8),
    st.booleans(),
    st.integers(1, 7),
)


def books_of(*ages_ms: int, size: int = 5, after_that_second: bool = False) -> Books:
    """Records that were changed so long before Monday."""
    books = Books(size=size, after_that_second=after_that_second)
    for number, age in enumerate(ages_ms):
        books.now = MONDAY - timedelta(milliseconds=age)
        books.save(Change(number))
    books.now = MONDAY
    return books


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.sampled_from([0, 1, 400, 1000, 2000, 5000, 600_000, 90_000_000]), max_size=50),
    st.booleans(),
    st.lists(MOMENTS, max_size=25),
)
def test_nothing_is_lost_whatever_moves_between_the_calls(
    ages: list[int],
    after_that_second: bool,  # noqa: FBT001 - Hypothesis passes by name
    moments: list[tuple[timedelta, list[Change], bool, int]],
) -> None:
    books = books_of(*ages, after_that_second=after_that_second)
    reader = Reader(books)

    for passed, changes, is_lost, size in moments:
        books.now += passed
        books.size = size
        for change in changes:
            books.save(change)
        reader.turn(is_lost=is_lost)
    reader.read()  # the one that was under way
    reader.read()

    assert reader.missing == {}


@pytest.mark.parametrize(
    ("records", "calls"), [(0, 1), (1, 1), (999, 1), (1000, 1), (1001, 2), (1999, 2), (2000, 3), (10_000, 11)]
)
def test_a_first_reading_takes_a_call_for_each_999_records_after_the_first(records: int, calls: int) -> None:
    reader = Reader(books_of(*(60_000 * (n + 10) for n in range(records)), size=1000))

    assert reader.read() == calls
    assert reader.missing == {}
    assert reader.read() == 1


def test_records_that_share_one_second_are_read_from_the_last_page_to_the_first() -> None:
    books = books_of(*(600_000,) * 23, size=5)
    reader = Reader(books)

    assert reader.read() == 6  # the first page shows how many there are, and comes again at the end
    assert reader.missing == {}
    assert reader.read() == 1


def test_pages_that_become_smaller_on_the_way_leave_nothing_out() -> None:
    books = books_of(*(600_000,) * 23, size=6)
    reader = Reader(books)
    reader.turn()
    reader.turn()

    books.size = 4

    assert reader.read() == 5  # the 18 that are left
    assert reader.missing == {}


def test_one_that_is_edited_meanwhile_makes_no_other_be_stepped_over() -> None:
    books = books_of(*(600_000,) * 23, size=5)
    reader = Reader(books)

    while not reader.turn():
        books.now += timedelta(seconds=20)
        books.save(Change(reader.calls))

    assert set(reader.missing) <= {1, 2, 3, 4, 5}  # the edited ones, which the next reading brings
    reader.read()
    assert reader.missing == {}


def test_after_a_quiet_time_nothing_is_read_again() -> None:
    books = books_of(3_600_000, 7_200_000)
    reader = Reader(books)
    reader.read()

    place = Place.of(reader.cursor)

    assert books.page(place.modified_since, 1) == ([], 0)


def test_what_changed_within_the_overlap_before_a_reading_is_read_again() -> None:
    books = books_of(1000, 299_000, 301_000)
    reader = Reader(books)
    reader.read()

    assert books.page(Place.of(reader.cursor).modified_since, 1) == ([1, 0], 1)


def test_a_record_from_the_future_does_not_hide_the_present() -> None:
    books = books_of(-(10**12), 1000)
    reader = Reader(books)
    reader.read()
    books.now += timedelta(hours=1)
    books.save(Change(7))

    reader.read()

    assert reader.missing == {}


def test_the_next_reading_begins_no_later_than_what_was_seen_even_if_xeros_clock_is_ahead() -> None:
    newest = MONDAY - timedelta(days=30)

    place, is_over = after(Place(), Sight(changes=[newest], pages=1, size=5, at=MONDAY + timedelta(days=30)))

    assert (place.modified_since, is_over) == ("2026-10-03T09:00:01", True)


def test_after_a_reading_that_went_backwards_nothing_is_read_again() -> None:
    books = books_of(*(90_000_000,) * 23, *(60_000_000 - 3_600_000 * n for n in range(10)), size=5)
    reader = Reader(books)

    assert reader.read() == 8
    assert reader.missing == {}
    assert books.page(Place.of(reader.cursor).modified_since, 1) == ([], 0)


def test_records_in_another_order_than_asked_for_are_not_taken_for_progress() -> None:
    changes = [MONDAY - timedelta(days=days) for days in (9, 8, 7, 1, 6)]

    place, is_over = after(Place(), Sight(changes=changes, pages=3, size=5, at=MONDAY))

    assert (place.since, place.left, is_over) == (None, 15, False)


def test_a_page_that_is_sorted_by_chance_is_not_taken_for_progress() -> None:
    changes = [MONDAY - timedelta(days=days) for days in (9, 8, 7, 6, 1)]

    place, is_over = after(Place(), Sight(changes=changes, pages=3, size=5, at=MONDAY, is_in_order=False))

    assert (place.since, place.left, is_over) == (None, 15, False)


def test_a_page_without_a_single_date_is_not_taken_for_progress() -> None:
    place, is_over = after(Place(since=7), Sight(changes=[], pages=2, size=5, at=MONDAY))

    assert (place.since, place.left, is_over) == (7, 10, False)


@pytest.mark.parametrize(
    "cursor",
    [
        None,
        "",
        "7",
        "[]",
        "{}",
        "null",
        "[1,1,1,1,1]",
        "[2,1]",
        "[2,1.5,1,1,1]",
        '[2,"1",1,1,1]',
        "[2,true,1,1,1]",
    ],
)
def test_a_cursor_that_cannot_be_read_begins_anew(cursor: str | None) -> None:
    assert Place.of(cursor) == Place()


@pytest.mark.parametrize(
    "cursor",
    [f"[2,{10**18},null,null,null]", f"[2,{-(10**18)},null,null,null]", "[2,7,7,0,7]", "[2,7,null,2,7]"],
)
def test_a_cursor_that_makes_no_sense_begins_anew(cursor: str) -> None:
    assert Place.of(cursor) == Place()


@given(st.integers(-(2**31), 2**37), st.integers(1, 10**6))
def test_a_cursor_is_short_and_says_all(second: int, left: int) -> None:
    place = Place(since=second, began=second, left=left, newest=second)

    assert Place.of(place.cursor()) == place
    assert len(place.cursor()) < 80
    assert place.modified_since is not None
    assert datetime.fromisoformat(f"{place.modified_since}+00:00").timestamp() == second
