"""Reading a feed as the core does: each page looked at before the next is asked for, and kept as the core would.

What a provider does wrong while it is read breaks a rule of this module, whatever rule it was read for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from tieline.errors import ProviderError
from tieline.plugins import CursorTooOld, Feed, FeedKind, Page, Record, SetAside
from tieline.sync.intake import Misbehaved, take_in
from tieline.sync.pulling import PAGE_SECONDS
from tieline.testing.rule import Rule

if TYPE_CHECKING:
    from tieline.testing.bench import Bench, Login

T = TypeVar("T")

SMALL = 30
"""So often halved, a page has as few records as a page can have."""

MOST_PAGES = 1_000
_CURSOR_TOO_LONG = "A cursor has at most"


@dataclass
class Kept:
    """What the core would hold of one feed. `shown` are the ids that came in this reading, those set aside too.

    `begun` is the cursor that the reading began with, in whatever process.
    """

    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    set_aside: dict[tuple[str, str], SetAside] = field(default_factory=dict)
    shown: set[tuple[str, str]] = field(default_factory=set)
    pages: list[Page] = field(default_factory=list)
    cursor: str | None = None
    begun: str | None = field(init=False)

    def __post_init__(self) -> None:
        self.begun = self.cursor

    @property
    def is_over(self) -> bool:
        return bool(self.pages) and self.pages[-1].last

    def keep(self, page: Page) -> None:
        for record in page.records:
            self.records[record.dataset, record.external_id] = record
        for told in page.set_aside:
            self.set_aside[told.dataset, told.external_id] = told
        self.shown |= {(one.dataset, one.external_id) for one in page.records}
        self.shown |= {(one.dataset, one.external_id) for one in page.set_aside}
        for key in page.gone:
            self.records.pop(key, None)
            self.shown.discard(key)
        self.pages.append(page)
        self.cursor = page.cursor

    def ids(self, dataset: str) -> set[str]:
        return {external_id for of, external_id in self.records if of == dataset}

    def begun_anew(self) -> Kept:
        """What is held when the next reading begins, which has shown nothing yet."""
        return Kept(records=dict(self.records), cursor=self.cursor)


async def read(
    bench: Bench,
    login: Login,
    feed: Feed,
    *,
    onto: Kept | None = None,
    halved: int = 0,
    pages: int = MOST_PAGES,
) -> Kept:
    """The feed to its end, or for so many pages. Raises RuleBroken, and what the session raises."""
    kept = onto or Kept()
    session = await bench.session(login, halved=halved)
    cursors = {kept.cursor}
    pulled = bench.provider.pull(session, feed, kept.cursor)
    async with aclosing(_pages(pulled, feed)) as looked_at:
        for _ in range(pages):
            page = await anext(looked_at)
            _look(page, feed, kept.begun, cursors)
            kept.keep(page)
            if page.last:
                break
        else:
            if pages == MOST_PAGES:
                raise READINGS_END.broken(f"its feed {feed.name!r} had no end after {pages} pages")
    if kept.is_over and feed.kind is FeedKind.SNAPSHOT:
        kept.records = {key: record for key, record in kept.records.items() if key in kept.shown}
    return kept


async def again(bench: Bench, login: Login, feed: Feed, kept: Kept) -> Kept:
    """What the next sync makes of it."""
    onto = kept.begun_anew()
    if feed.kind is FeedKind.SNAPSHOT:
        onto.cursor = None
    return await read(bench, login, feed, onto=onto)


async def _pages(pulled: AsyncIterator[Page], feed: Feed) -> AsyncGenerator[Page, None]:
    try:
        while True:
            page: object = await _next(pulled, feed)
            if not isinstance(page, Page):
                raise PAGES_ARE_PAGES.broken(f"its feed {feed.name!r} gave a {type(page).__name__}")
            yield page
    finally:
        close = getattr(pulled, "aclose", None)
        if close is not None:
            await close()


async def _next(pulled: AsyncIterator[Page], feed: Feed) -> object:
    of = f"its feed {feed.name!r}"
    try:
        async with asyncio.timeout(PAGE_SECONDS):
            return await anext(pulled)
    except StopAsyncIteration:
        raise THE_LAST_PAGE_SAYS_SO.broken(f"{of} ended without one") from None
    except TimeoutError:
        raise PAGES_COME_IN_TIME.broken(f"one of {of} took longer") from None
    except (ProviderError, CursorTooOld):
        raise
    except Exception as error:
        if isinstance(error, ValueError) and str(error).startswith(_CURSOR_TOO_LONG):
            raise CURSORS_ARE_SHORT.broken(f"one of {of} is longer") from error
        raise ONLY_ERRORS_OF_THE_TREE.broken(f"{type(error).__name__} came out of {of}") from error


def _look(page: Page, feed: Feed, begun: str | None, cursors: set[str | None]) -> None:
    """What can be said of one page where it stands."""
    if not page.last and page.cursor in cursors:
        raise CURSORS_MOVE_ON.broken(f"its feed {feed.name!r} gave one that had come before")
    cursors.add(page.cursor)
    if page.whole and (not page.last or begun is not None or feed.kind is FeedKind.SNAPSHOT):
        raise WHOLE_IS_SAID_WHERE_IT_HOLDS.broken(f"a page of {feed.name!r} says so where it does not")
    if page.last and feed.kind is FeedKind.SNAPSHOT and page.cursor is not None:
        raise SNAPSHOTS_LEAVE_NO_CURSOR.broken(f"the last page of {feed.name!r} has one")
    _look_into(page, feed)


def _look_into(page: Page, feed: Feed) -> None:
    """The core's own look at what is to be stored comes last, for it ends with the first thing wrong."""
    told = {(each.dataset, each.external_id) for each in _of(SetAside, page.set_aside)}
    named = {dataset for dataset, _ in told} | {each.dataset for each in _of(Record, page.records)}
    strange = (named | {each[0] for each in page.gone}) - set(feed.datasets)
    if strange:
        raise DATASETS_ARE_THE_FEEDS.broken(f"its feed {feed.name!r} gave one of {min(strange)!r}")
    try:
        unkept = take_in(page, feed).set_aside
    except Misbehaved as error:
        raise PAGES_ARE_PAGES.broken(f"its feed {feed.name!r} {error}") from error
    for key in unkept.keys() - told:
        raise RECORDS_CAN_BE_STORED.broken(f"one of {key[0]!r} cannot: {unkept[key].rstrip('.')}")
    if any(_has_floats(record.data) for record in page.records):
        raise AMOUNTS_ARE_EXACT.broken(f"one of {feed.name!r} does")


def _of(kind: type[T], elements: Sequence[object]) -> Iterator[T]:
    return (each for each in elements if isinstance(each, kind))


def _has_floats(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(_has_floats(part) for part in value.values())
    if isinstance(value, list | tuple):
        return any(_has_floats(part) for part in value)
    return isinstance(value, float)


async def _read_all(bench: Bench) -> None:
    """Each feed, whole in large pages and in small ones, and then from where that ended."""
    login = await bench.login()
    for feed in bench.feeds:
        await read(bench, login, feed)
        await again(bench, login, feed, await read(bench, login, feed, halved=SMALL))


def _while_read(id_: str, says: str, mend: str) -> Rule:
    return Rule(id=id_, says=says, mend=mend, check=_read_all)


PAGES_ARE_PAGES = _while_read(
    "pages-are-pages",
    "pull yields Page objects, of Record and SetAside objects and pairs of dataset and id, 5,000 at most.",
    "Make each page with Page(...), and ask the provider for fewer records at once.",
)
DATASETS_ARE_THE_FEEDS = _while_read(
    "datasets-are-the-feeds",
    "Every record, also one that is gone or set aside, is of a dataset that its feed names.",
    "Name the dataset in the feed, or leave the record to the feed that has it.",
)
RECORDS_CAN_BE_STORED = _while_read(
    "records-can-be-stored",
    "Every record can be stored: ids of 1 to 200 characters, text without NUL, data that is JSON.",
    "Make data with to_data, read words with tieline.plugins.entries, and set aside what has no id.",
)
AMOUNTS_ARE_EXACT = _while_read(
    "amounts-are-exact",
    "No record holds a floating-point number.",
    "Read amounts as Decimal, as answer.json() does, and write them with to_data.",
)
CURSORS_ARE_SHORT = _while_read(
    "cursors-are-short",
    "A cursor has at most 4,096 bytes.",
    "Keep in it where to go on, and not what was seen.",
)
CURSORS_MOVE_ON = _while_read(
    "cursors-move-on",
    "No cursor comes twice in one reading, nor the one that it began with, but on the last page.",
    "Let the cursor of each page say where the next one begins.",
)
THE_LAST_PAGE_SAYS_SO = _while_read(
    "the-last-page-says-so",
    "A reading ends with a page that is last, also where there is nothing to show.",
    "Yield Page(records=(), cursor=..., last=True) at the end.",
)
READINGS_END = _while_read(
    "readings-end",
    "A reading comes to its end while nothing changes.",
    "Stop when the provider has no more, or shows only what was shown before.",
)
SNAPSHOTS_LEAVE_NO_CURSOR = _while_read(
    "snapshots-leave-no-cursor",
    "The last page of a SNAPSHOT has no cursor.",
    "Give cursor=None with it: the next reading begins anew.",
)
WHOLE_IS_SAID_WHERE_IT_HOLDS = _while_read(
    "whole-is-said-where-it-holds",
    "Only the last page of a feed of CHANGES that was read without a cursor may be whole.",
    "Set whole on that page alone: what such a reading did not show is deleted.",
)
PAGES_COME_IN_TIME = _while_read(
    "pages-come-in-time",
    "A page takes 120 seconds at most.",
    "Ask for less in one page, and wait for nothing but the session.",
)
ONLY_ERRORS_OF_THE_TREE = _while_read(
    "only-errors-of-the-tree",
    "pull raises nothing but errors of tieline.errors, and CursorTooOld.",
    "Raise ProviderBroken where an answer fits nothing you know, and check what you take out of it.",
)
READING_RULES = (
    PAGES_ARE_PAGES,
    DATASETS_ARE_THE_FEEDS,
    RECORDS_CAN_BE_STORED,
    AMOUNTS_ARE_EXACT,
    CURSORS_ARE_SHORT,
    CURSORS_MOVE_ON,
    THE_LAST_PAGE_SAYS_SO,
    READINGS_END,
    SNAPSHOTS_LEAVE_NO_CURSOR,
    WHOLE_IS_SAID_WHERE_IT_HOLDS,
    PAGES_COME_IN_TIME,
    ONLY_ERRORS_OF_THE_TREE,
)
