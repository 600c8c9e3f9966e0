"""Any pages in any order, written to PostgreSQL and to a dictionary: both hold the same."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.books import open_books
from tests.support.deployment import Deployment
from tests.sync.scripted import RATES, Reading, Script, page, reading, record, scripted
from tieline.ledger.records import Key
from tieline.plugins import FeedKind, Page, SetAside
from tieline.sync.runs import RunState

KEYS = st.tuples(st.sampled_from(RATES.datasets), st.sampled_from("abcde"))
NAMES = st.sampled_from(["one", "two", "three"])
RECORDS = st.builds(lambda key, name: record(key[1], key[0], name=name), KEYS, NAMES)
ASIDE = st.builds(lambda key: SetAside(dataset=key[0], external_id=key[1], why="It is bad."), KEYS)
PAGES = st.tuples(st.lists(RECORDS, max_size=8), st.lists(KEYS, max_size=2), st.lists(ASIDE, max_size=2))
READINGS = st.lists(PAGES, min_size=1, max_size=3)


@dataclass
class Oracle:
    """What should be kept, by key: the name, and how often it changed."""

    kept: dict[tuple[str, str], str] = field(default_factory=dict)
    aside: set[tuple[str, str]] = field(default_factory=set)

    def read(self, pages: list[Page], *, kind: FeedKind) -> int:
        """One reading to its end; how many records are not as they were."""
        changed, shown, told = self._look(pages)
        if kind is FeedKind.SNAPSHOT:
            if self._is_doubtful(shown):
                again, shown, told = self._look(pages)
                changed += again
            lost = set(self.kept) - shown
            changed += len(lost)
            self.kept = {key: name for key, name in self.kept.items() if key in shown}
            self.aside = told
        return changed

    def _look(self, pages: list[Page]) -> tuple[int, set[Key], set[Key]]:
        """What the pages change, what they show, and what they say cannot be read."""
        changed = 0
        shown: set[Key] = set()
        told: set[Key] = set()
        for each in pages:
            last = {(one.dataset, one.external_id): one.name or "" for one in each.records}
            gone = set(each.gone)
            bad = {(one.dataset, one.external_id) for one in each.set_aside} - set(last) - gone
            for key, name in last.items():
                if key not in gone:
                    changed += self.kept.get(key) != name
                    self.kept[key] = name
            for key in gone:
                changed += self.kept.pop(key, None) is not None
            shown |= set(last) - gone | {key for key in bad if key in self.kept}
            shown -= gone
            self.aside = (self.aside - set(last) - gone) | bad
            told = (told - set(last) - gone) | bad
        return changed, shown, told

    def _is_doubtful(self, shown: set[Key]) -> bool:
        """More than half of a dataset is missing: then the pages are read once more."""
        datasets = ([key for key in self.kept if key[0] == dataset] for dataset in RATES.datasets)
        return any(2 * sum(key not in shown for key in keys) > len(keys) for keys in datasets)


def page_of(parts: tuple[Any, Any, Any], number: int, count: int, *, kind: FeedKind) -> Page:
    records, gone, aside = parts
    last = number == count - 1
    cursor = ("end" if kind is FeedKind.CHANGES else None) if last else str(number)
    return page(*records, gone=gone, set_aside=aside, cursor=cursor, last=last)


def script_of(kind: FeedKind) -> Script:
    """A provider with one feed of this kind."""
    script = Script()
    feed = replace(RATES, kind=kind)
    script.info = replace(script.info, feeds=dict.fromkeys(script.info.products, (feed,)))
    return script


async def check(client: Reading, script: Script, readings: list[Any], kind: FeedKind) -> None:
    oracle = Oracle()
    for number, parts in enumerate(readings):
        pages = [page_of(each, nth, len(parts), kind=kind) for nth, each in enumerate(parts)]
        start = "end" if number and kind is FeedKind.CHANGES else None
        cursors = [start, *(each.cursor for each in pages[:-1])]
        script.answers = {("rates", cursor): each for cursor, each in zip(cursors, pages, strict=True)}
        if number == 0:
            while await client.slice(seconds=0) is not None:
                pass
            run = await client.run()
        else:
            run = await client.again_in_slices()

        changed = oracle.read(pages, kind=kind)

        assert run.state is RunState.SUCCEEDED, run.message
        assert {key: row["name"] for key, row in (await client.records()).items()} == oracle.kept
        assert set(await client.aside()) == oracle.aside
        assert run.feeds[0].changed == changed


@pytest.fixture(scope="session")
async def loop(opened: Deployment) -> asyncio.AbstractEventLoop:  # noqa: ARG001 - must be open
    """Where the database is open; Hypothesis itself knows no coroutines."""
    return asyncio.get_running_loop()


@pytest.mark.parametrize("kind", list(FeedKind))
def test_what_is_kept_is_what_the_pages_say(
    kind: FeedKind, loop: asyncio.AbstractEventLoop, sql: asyncpg.Connection
) -> None:
    script = script_of(kind)

    async def read(readings: list[Any]) -> None:
        await check(await reading(await open_books(sql), script), script, readings, kind)

    @settings(max_examples=50)
    @given(st.lists(READINGS, min_size=1, max_size=4))
    def holds(readings: list[Any]) -> None:
        loop.run_until_complete(read(readings))

    with scripted(script):
        holds()
