"""The recipes for front ends as they are printed, with npm's own packages: nothing is missed, whatever is cut off."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.editing import Editors, Event, editors
from tests.chaos.expiring import BURST, COST, came_back, expire, waits
from tests.chaos.pages import FOLLOWING, NPM, Office, Page, heard, office, recipes, until_all, versions
from tests.chaos.seeds import chance
from tests.chaos.sizes import IS_FULL
from tests.chaos.stand import GATEWAY, Stand
from tests.support.figures import Figures
from tests.support.relay import Relay, relaying
from tests.support.sockets import caller_at

CUTS, EDITS, CLIENTS = 20, 25, 20
ROW = "Front ends from npm"
ALONE = "alone"
_KEY_GONE = {4403, "UNAUTHENTICATED"}


def test_the_recipes_can_be_run_as_they_are_printed_with_the_versions_that_they_name() -> None:
    locked = json.loads((NPM / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    named = {name: locked[f"node_modules/{name}"]["version"].startswith(f"{at}.") for name, at in versions()}
    modules = recipes("http://here")
    addresses = {name: code.count("://here/graphql") for name, code in modules.items()}

    packages = ("@apollo/client", "@urql/core", "@urql/exchange-graphcache", "graphql-ws")
    assert named == dict.fromkeys(packages, True)
    assert not [name for name, code in modules.items() if "tieline.example" in code or "localhost" in code]
    assert addresses == {
        "events.graphql": 0,
        "follow.mjs": 0,
        "sockets.mjs": 2,
        "urql.mjs": 1,
        "apollo.mjs": 1,
        "alone.mjs": 1,
    }


@dataclass(frozen=True, kw_only=True)
class Played:
    """`following` go on from their last cursor, `anew` from its first one; `late` were one socket too many at first.

    `since` are the events after the cursors of those that follow had expired and their pages were loaded again,
    `written` all since the others were opened as well, `shown` the clients at the end, and `opened` the lines that were
    opened after the pages' keys had been revoked.
    """

    following: Sequence[Page]
    anew: Page
    late: Sequence[Page]
    since: Sequence[Event]
    written: Sequence[Event]
    shown: dict[str, str]
    opened: int

    @property
    def pages(self) -> list[Page]:
        return [*self.following, self.anew, *self.late]

    @property
    def alone(self) -> list[Page]:
        """Those that begin anew."""
        return [page for page in self.pages if page.recipe == ALONE]


@pytest.mark.skipif(not IS_FULL, reason="`make chaos` brings Node, and fetches packages from npm")
async def test_front_ends_of_every_kind_miss_nothing_though_gateways_are_killed_and_lines_cut(
    stand: Stand, figures: Figures, tmp_path: Path
) -> None:
    start(stand, TIELINE_RATE_COST=COST, TIELINE_RATE_BURST=BURST)
    async with (
        relaying(stand.deployment.public_port) as relay,
        editors(stand, chance(ROW), clients=CLIENTS) as people,
    ):
        with office(tmp_path / "npm", relay.url) as pages:
            played = await play(stand, relay, people, pages)

    cuts = sum(map(cut_off, played.following))
    nexts = sum("next" in page.said("token") for page in played.following)
    others = sum(page.said("shown") != [played.shown] for page in played.pages)
    figures.at_least(f"{ROW}: times that a page was cut off amid events", cuts, len(FOLLOWING) * CUTS)
    figures.at_least(f"{ROW}: events while pages follow", len(played.written), CUTS * EDITS)
    figures.exactly(f"{ROW}: events missed", sum(missing(page, played.written) for page in played.pages), 0)
    figures.exactly(
        f"{ROW}: pages that had them in another order",
        sum(heard(page)[-len(played.written) :] != played.written for page in played.pages),
        0,
    )
    figures.exactly(
        f"{ROW}: events that came twice to pages that go on from their last cursor",
        sum(twice(page) for page in played.pages if page.recipe != ALONE),
        0,
    )
    figures.at_least(
        f"{ROW}: events that came again where the package begins anew, known by their cursor",
        sum(len(page.said("again")) for page in played.alone),
        1,
    )
    figures.exactly(f"{ROW}: pages whose clients are not the table's at the end", others, 0)
    figures.exactly(f"{ROW}: pages that came back with the next key", nexts, len(FOLLOWING))
    figures.exactly(f"{ROW}: lines opened after 4403", played.opened, 0)
    shortest = min(pause_after(page, 4430) for page in played.late)
    figures.at_least(f"{ROW}: pause after 4430", shortest, 30, " s")
    count_expiry(figures, played)
    figures.hold()


def count_expiry(figures: Figures, played: Played) -> None:
    back = sum(came_back(page, played.since) for page in played.following)
    told = [wait for page in played.pages for wait in waits(page)]
    hasty = sum(waited < asked for asked, waited in told)
    unloaded = sum(len(page.said("unloaded")) for page in played.following)
    figures.exactly(
        f"{ROW}: pages whose cursor expired, and that came back and missed nothing", back, len(FOLLOWING)
    )
    figures.at_least(
        f"{ROW}: times that these could not be loaded at first, nor again", unloaded, 2 * len(FOLLOWING)
    )
    figures.at_least(f"{ROW}: times that pages were told how long to wait", len(told), len(FOLLOWING))
    figures.exactly(f"{ROW}: of these, times that they asked sooner", hasty, 0)


async def play(stand: Stand, relay: Relay, people: Editors, pages: Office) -> Played:
    """Pages are opened, struck at again and again, wait until they have heard all, and lose their keys."""
    relay.turns_away = True
    following = [pages.open(recipe, await people.new_key()) for recipe in FOLLOWING]
    await until_all(following, lambda page: bool(page.said("unloaded")), "was turned away")
    relay.turns_away = False
    await until_all(following, lambda page: bool(page.said("loaded")), "shows the clients")
    await people.edit(EDITS)
    await until_all(following, lambda page: bool(page.said("event")), "follows")
    since = await expire(stand, relay, people, following, edits=EDITS)
    stand.kill(GATEWAY)
    await asyncio.to_thread(start, stand)
    before = len(await people.written())
    anew = pages.open(ALONE, await people.new_key())
    late = await asyncio.gather(*(came_late(stand, people, pages, recipe) for recipe in ("sockets", ALONE)))
    await until_all(pages.pages, lambda page: bool(page.said("loaded")), "shows the clients")
    for number in range(CUTS):
        await strike(stand, relay, people, following, number)
    await until_all(pages.pages, is_connected, "is connected")
    await people.edit(1)
    written = (await people.written())[before:]
    await until_all(pages.pages, lambda page: written[-1] in heard(page), "has heard of the last client made")
    opened = relay.opened
    for page in pages.pages:
        await people.end_key(page.key)
    await until_all(pages.pages, Page.is_over, "is over")
    return Played(
        following=following,
        anew=anew,
        late=late,
        since=since,
        written=written,
        shown=await people.clients(),
        opened=relay.opened - opened,
    )


def start(stand: Stand, **more: str) -> None:
    stand.start(GATEWAY, "serve", prepare=None, TIELINE_SOCKETS_PER_CALLER="1", **more)


async def came_late(stand: Stand, people: Editors, pages: Office, recipe: str) -> Page:
    """A page whose caller holds as many sockets as it may, until the page was told so."""
    key = await people.new_key()
    async with caller_at(stand.gateway.socket, key):
        page = pages.open(recipe, key)
        await until_all([page], lambda page: 4430 in codes_of(page), "was told of too many sockets")
    return page


async def strike(stand: Stand, relay: Relay, people: Editors, following: Sequence[Page], number: int) -> None:
    """Once every page has heard of an edit, cut all lines or kill the gateway. While it is away, once, keys change."""
    heard_of = {page.output: len(page.said("event")) for page in following}
    ended = {page.output: len(page.said("ended")) for page in following}
    async with asyncio.TaskGroup() as group:
        group.create_task(people.edit(EDITS))
        await until_all(following, lambda page: len(page.said("event")) > heard_of[page.output], "follows")
        if number % 2:
            relay.cut()
        else:
            stand.kill(GATEWAY)
            if number == CUTS // 4 * 2:
                await change_keys(people, following)
            await asyncio.to_thread(start, stand)
        await until_all(following, lambda page: len(page.said("ended")) > ended[page.output], "is cut off")


async def change_keys(people: Editors, following: Sequence[Page]) -> None:
    for page in following:
        old, new = page.key, await people.new_key()
        page.key_file.write_text(new, encoding="utf-8")
        await people.end_key(old)


def cut_off(page: Page) -> int:
    """How often a subscription that had told of events ended, and not for the key's sake."""
    cuts, told = 0, False
    for line in page.lines():
        if "ended" in line:
            cuts += told and line["ended"] not in _KEY_GONE
        told = "event" in line or (told and "ended" not in line)
    return cuts


def codes_of(page: Page) -> list[Any]:
    """How its subscriptions ended, or where the package begins anew its sockets."""
    return [*page.said("ended"), *page.said("closed")]


def is_connected(page: Page) -> bool:
    lines = [line for line in page.lines() if not line.keys().isdisjoint({"connected", "closed", "ended"})]
    return bool(lines) and "connected" in lines[-1]


def missing(page: Page, written: Sequence[Event]) -> int:
    return (Counter(written) - Counter(heard(page))).total()


def twice(page: Page) -> int:
    return len(page.said("event")) - len(heard(page))


def pause_after(page: Page, code: int) -> float:
    """Seconds from the first such end of a subscription until the next one asked for a key, or for a socket."""
    lines = list(page.lines())
    at = next(place for place, line in enumerate(lines) if code in {line.get("ended"), line.get("closed")})
    after = next(line["at"] for line in lines[at:] if not line.keys().isdisjoint({"token", "connecting"}))
    return round(float(after - lines[at]["at"]), 1)
