"""Rules about what a reading shows: all of it, again after a kill, what changed, what is gone, and at which price."""

from __future__ import annotations

from dataclasses import replace

from tieline.plugins import CursorTooOld, Feed, FeedKind, Record
from tieline.testing.bench import Bench
from tieline.testing.elsewhere import Elsewhere, elsewhere
from tieline.testing.pretender import ForgettingPretender
from tieline.testing.reading import MOST_PAGES, SMALL, Kept, again, read
from tieline.testing.rule import Rule, rule


@rule(
    says="A reading without a cursor shows all that is there, and nothing else.",
    mend="Ask for archived records too, and for each page until the provider has no more.",
)
async def everything_is_shown(bench: Bench) -> None:
    login = await bench.login()
    for feed in bench.feeds:
        await _compare(bench, everything_is_shown, feed, await read(bench, login, feed))


@rule(
    says="Read again while nothing changes, records are the same to the last digit.",
    mend="Take nothing into a record that is not the provider's: no clock, no number of the reading, no set's order.",
)
async def the_same_books_are_the_same_records(bench: Bench) -> None:
    login = await bench.login()
    for feed in bench.feeds:
        one, other = (await read(bench, login, feed)).records, (await read(bench, login, feed)).records
        for key, record in one.items():
            if key in other and other[key] != record:
                raise the_same_books_are_the_same_records.broken(f"one of {key[0]!r} became another")


@rule(
    says="A SNAPSHOT shows all that is there each time: it is a new generation, and what it does not show is gone.",
    mend="Read it whole each time, or make the feed one of CHANGES.",
)
async def snapshots_show_everything_each_time(bench: Bench) -> None:
    login = await bench.login()
    for feed in bench.feeds:
        if feed.kind is FeedKind.SNAPSHOT:
            kept = await again(bench, login, feed, await read(bench, login, feed))
            await _compare(bench, snapshots_show_everything_each_time, feed, kept)


@rule(
    says="Killed after any page, a reading goes on from that page's cursor in another process, and misses nothing.",
    mend="Keep no state beside the cursor, and let it say where the next page begins.",
)
async def readings_go_on_after_any_page(bench: Bench) -> None:
    has_pages = False
    login = await bench.login()
    async with elsewhere(bench, login, halved=SMALL) as other:
        for feed in bench.feeds:
            kept = Kept()
            while not kept.is_over and len(kept.pages) < MOST_PAGES:
                await read(bench, login, feed, onto=kept, halved=SMALL, pages=1)
            has_pages |= len(kept.pages) > 1
            await _compare(bench, readings_go_on_after_any_page, feed, kept)
            await _go_on_elsewhere(other, feed, kept)
    if not has_pages:
        raise readings_go_on_after_any_page.broken(
            "no feed has two pages: the pretender's books are too small"
        )


async def _go_on_elsewhere(other: Elsewhere, feed: Feed, kept: Kept) -> None:
    """From the last cursor to the first: no process goes on from one that it has made itself."""
    cursors = [page.cursor for page in kept.pages if feed.kind is FeedKind.CHANGES or not page.last]
    shown: set[tuple[str, str]] = set()
    for cursor in (*reversed(cursors), None):
        told = await other.page(feed.name, cursor)
        if "raised" in told:
            raise readings_go_on_after_any_page.broken(
                f"in another process {told['raised']} came out of its feed {feed.name!r}"
            )
        shown |= {(dataset, id_) for dataset, id_ in told["shown"]}
    if not kept.shown <= shown:
        raise readings_go_on_after_any_page.broken(
            f"in another process records of its feed {feed.name!r} were missing"
        )


@rule(
    says="A cursor is good for pages of any size.",
    mend="Let it say up to where was read, and not how many pages that took; ask session.page_size for each page.",
)
async def cursors_are_good_for_any_size(bench: Bench) -> None:
    login = await bench.login()
    for feed in bench.feeds:
        for first, then in ((SMALL, 0), (0, SMALL)):
            kept = await read(bench, login, feed, halved=first, pages=1)
            if not kept.is_over:
                await read(bench, login, feed, onto=kept, halved=then)
            await _compare(bench, cursors_are_good_for_any_size, feed, kept)


@rule(
    says="What was entered or altered since is shown by the next reading, as it is now.",
    mend="Begin it a little before the end of the last one, for some changes can be seen later than their time says; "
    "and keep what is said of a record.",
)
async def changes_are_found(bench: Bench) -> None:
    login = await bench.login()
    for feed in bench.feeds:
        kept = await read(bench, login, feed)
        for dataset in feed.datasets:
            added, altered = await bench.pretender.add(dataset), await bench.pretender.change(dataset)
            before, kept = kept, await again(bench, login, feed, kept)
            if any(id_ is not None and (dataset, id_) not in kept.shown for id_ in (added, altered)):
                raise changes_are_found.broken(f"a record of {dataset!r} was not")
            if altered is not None and _said(before, dataset, altered) == _said(kept, dataset, altered):
                raise changes_are_found.broken(f"an altered record of {dataset!r} is as it was")


@rule(
    says="What was deleted since is gone after the next reading.",
    mend="Name it in gone, where a feed of CHANGES tells of it; a SNAPSHOT just does not show it any more.",
)
async def what_is_deleted_goes(bench: Bench) -> None:
    login = await bench.login()
    for feed in bench.feeds:
        kept = await read(bench, login, feed)
        for dataset in feed.datasets:
            deleted = await bench.pretender.delete(dataset)
            if deleted is None:
                continue
            kept = await again(bench, login, feed, kept)
            if deleted in kept.ids(dataset):
                raise what_is_deleted_goes.broken(f"a record of {dataset!r} is there still")


@rule(
    says="Where nothing can be read on from a cursor, CursorTooOld comes before the first page: no change is missed.",
    mend="Raise CursorTooOld for what the provider does not look back to, and never begin from now.",
)
async def old_cursors_say_so(bench: Bench) -> None:
    if not isinstance(bench.pretender, ForgettingPretender):
        return
    login = await bench.login()
    for feed in [each for each in bench.feeds if each.kind is FeedKind.CHANGES]:
        kept = await read(bench, login, feed)
        for dataset in feed.datasets:
            await bench.pretender.add(dataset)
        await bench.pretender.forget()
        onto = kept.begun_anew()
        try:
            await read(bench, login, feed, onto=onto)
        except CursorTooOld:
            if onto.pages:
                raise old_cursors_say_so.broken(f"in its feed {feed.name!r} a page came first") from None
            onto = await read(bench, login, feed)
        await _compare(bench, old_cursors_say_so, feed, onto)


@rule(
    says="A reading costs the declared number of calls when nothing has changed.",
    mend="Ask for what changed since the cursor, in as few calls as the provider allows, and correct the README.",
)
async def no_change_costs_what_is_declared(bench: Bench) -> None:
    login = await bench.login()
    for feed in bench.feeds:
        kept = await read(bench, login, feed)
        before = len(bench.wire.answers)
        await again(bench, login, feed, kept)
        calls = len(bench.wire.answers) - before
        declared = bench.unchanged_calls.get(feed.name)
        if calls != declared:
            raise no_change_costs_what_is_declared.broken(
                f"its feed {feed.name!r} took {calls}, where {declared} are declared"
            )


def _said(kept: Kept, dataset: str, id_: str) -> Record | None:
    """The record but for the time of its change, which says nothing of it."""
    record = kept.records.get((dataset, id_))
    return None if record is None else replace(record, updated_at=None)


async def _compare(bench: Bench, broken: Rule, feed: Feed, kept: Kept) -> None:
    there = await bench.pretender.books()
    for dataset in feed.datasets:
        wanted = set(there.get(dataset, ()))
        missing, strange = wanted - kept.ids(dataset), kept.ids(dataset) - wanted
        if missing:
            raise broken.broken(f"{len(missing)} of {len(wanted)} of {dataset!r} were missing")
        if strange:
            raise broken.broken(f"{len(strange)} of {dataset!r} are not in the books")


RULES = (
    everything_is_shown,
    the_same_books_are_the_same_records,
    snapshots_show_everything_each_time,
    readings_go_on_after_any_page,
    cursors_are_good_for_any_size,
    changes_are_found,
    what_is_deleted_goes,
    old_cursors_say_so,
    no_change_costs_what_is_declared,
)
