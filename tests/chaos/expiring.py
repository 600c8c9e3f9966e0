"""A feed that begins anew, as after a restore: every cursor expires at once, and no page can be loaded for a while."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.chaos.editing import Editors, Event
from tests.chaos.pages import Page, heard, until_all
from tests.chaos.stand import Stand
from tests.support.relay import Relay

COST, BURST = "20", "100"
"""At a gateway that gives no more, each operation of a page takes all that its caller has, for five seconds."""
_BEGIN_ANEW = "UPDATE feed SET epoch = gen_random_uuid()"


async def expire(
    stand: Stand, relay: Relay, people: Editors, pages: Sequence[Page], *, edits: int
) -> list[Event]:
    """A new feed begins and people go on, while what pages ask over HTTP is turned away until all have met that.

    Answers with the events after they were loaded again, which all have heard by then.
    """
    relay.turns_away = True
    await stand.rows(_BEGIN_ANEW)
    await people.edit(edits)
    await until_all(pages, lambda page: "unloaded" in after_expiry(page), "was turned away")
    relay.turns_away = False
    await until_all(pages, lambda page: "loaded" in after_expiry(page), "was loaded again")
    before = len(await people.written())
    await people.edit(edits)
    since = (await people.written())[before:]
    await until_all(pages, lambda page: since[-1] in heard(page), "goes on from there")
    return since


def after_expiry(page: Page) -> list[str]:
    """What it said of, since its cursor had expired, in its order."""
    lines = list(page.lines())
    expired = [place for place, line in enumerate(lines) if line.get("ended") == "CURSOR_EXPIRED"]
    return [what for line in lines[expired[0] :] for what in line] if expired else []


def came_back(page: Page, since: Sequence[Event]) -> bool:
    """Whether its cursor expired, it was loaded again, and it was told of all events since then, in their order."""
    events, said = heard(page), after_expiry(page)
    first = events.index(since[0]) if since[0] in events else len(events)
    return "loaded" in said and events[first : first + len(since)] == list(since)


def waits(page: Page) -> Iterator[tuple[float, float]]:
    """How many seconds it was told to wait, and how many it did until it next asked anything."""
    lines = list(page.lines())
    for place, line in enumerate(lines):
        if "retryAfter" in line:
            again = [later["at"] for later in lines[place:] if "token" in later]
            yield line["retryAfter"], (again[0] if again else float("inf")) - line["at"]
