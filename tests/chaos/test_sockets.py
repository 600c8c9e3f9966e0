"""Sockets that are reset by the thousand leave nothing behind, and who is cut off from events misses none."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from functools import partial

from tests.chaos.followers import Follower, Shown
from tests.chaos.gauges import REST_SECONDS, at_rest, gauges, resident_megabytes
from tests.chaos.leftovers import taken_in
from tests.chaos.lines import cursor_of, followed
from tests.chaos.portfolio import WAIT_SECONDS
from tests.chaos.renaming import EVENTS_EACH, Renaming, renaming_of
from tests.chaos.resets import Resetter
from tests.chaos.seeds import chance
from tests.chaos.sizes import IS_FULL, size
from tests.chaos.stand import GATEWAY, Stand
from tests.support.events import CURSOR, Place
from tests.support.figures import Figures
from tests.support.polling import left_of, until

RESET, LOST = "Sockets reset", "Cut off from events"
RESETS, WARM, PARTS = size(5_000, 100), 500, size(10, 2)
TOLD = size(1_250, 10)
"""Of the sockets that are reset at least so many are being told things; chance draws two of five."""
CLIENTS, ROUNDS, CUTS, FOLLOWERS = size(50, 10), size(100, 10), size(500, 20), size(20, 4)

_RUN = "SELECT id::text FROM sync_run WHERE practice_id = $1 LIMIT 1"
_CLIENTS = """
SELECT c.id::text, c.name, n.id::text AS connection, n.status FROM client AS c
  JOIN connection AS n ON n.client_id = c.id AND n.ended_at IS NULL WHERE c.practice_id = $1
"""
_EVENTS = "SELECT xid::text::bigint AS xid, position FROM event WHERE practice_id = $1 ORDER BY 1, 2"
_STATUSES = {"CONNECTED": ["CONNECTED"], "MISMATCH": ["CONNECTED", "MISMATCH"]}


async def test_sockets_that_are_reset_leave_no_subscription_and_no_memory(
    stand: Stand, figures: Figures
) -> None:
    stand.start(GATEWAY, "serve")
    renaming = await renaming_of(stand, size(20, 4), seed="reset")
    admin = renaming.portfolio.admin
    [run] = await stand.rows(_RUN, renaming.portfolio.practice_id)
    resetter = Resetter(stand=stand, key=admin.key, run_id=run["id"], draws=chance(RESET))
    if IS_FULL:
        await strike(resetter, renaming, WARM)
        await at_rest(stand)
    before, warmed, told = resident_megabytes(stand), resetter.resets, resetter.told
    async with followed(stand, [admin.key], after=await cursor_of(admin)):
        await strike(resetter, renaming, RESETS)
        amid, known = await gauges(stand), held_by_the_system(stand)
    left, seconds = await at_rest(stand, since=resetter.last)
    still = await left_of(partial(asyncio.to_thread, held_by_the_system, stand), seconds=REST_SECONDS)
    grown = resident_megabytes(stand) - before

    figures.at_least(f"{RESET}: sockets", resetter.resets - warmed, RESETS)
    figures.at_least(f"{RESET}: of these, those that were being told things", resetter.told - told, TOLD)
    told_of = min(amid.subscriptions, amid.sockets, known)
    figures.at_least(f"{RESET}: told of while somebody stays, of each kind", told_of, 1)
    figures.exactly(f"{RESET}: subscriptions that live on", left.subscriptions, 0)
    figures.exactly(f"{RESET}: sockets that stay open", left.sockets, 0)
    figures.exactly(f"{RESET}: connections of callers that the system still has", still, 0)
    figures.exactly(f"{RESET}: pooled connections that did not come back", left.taken, 0)
    figures.timed(f"{RESET}: until the last of them was gone", seconds, 5)
    if IS_FULL:
        figures.at_most(f"{RESET}: growth of the gateway's memory", grown, 10, " MB")
    figures.hold()


def held_by_the_system(stand: Stand) -> int:
    return taken_in(stand.pids()[GATEWAY], stand.gateway.port)


async def strike(resetter: Resetter, renaming: Renaming, times: int) -> None:
    """While events go on; each part of the sockets follows those from its own beginning on."""
    for _ in range(PARTS):
        resetter.after = (await renaming.portfolio.admin.ask(CURSOR))["clients"]["eventCursor"]
        await renaming.a_round()
        await asyncio.gather(resetter.strike(times // PARTS), renaming.a_round())


async def test_who_is_cut_off_amid_events_misses_none_and_shows_what_the_tables_hold(
    stand: Stand, figures: Figures
) -> None:
    stand.start(GATEWAY, "serve")
    renaming = await renaming_of(stand, CLIENTS, seed="followed")
    followers = [
        Follower(admin=renaming.portfolio.admin, url=stand.gateway.socket, draws=chance(f"{LOST} {number}"))
        for number in range(FOLLOWERS)
    ]
    before = len(await events_of(renaming))
    async with asyncio.TaskGroup() as group:
        following = [
            group.create_task(begin(follower, renaming, number / FOLLOWERS / 2))
            for number, follower in enumerate(followers)
        ]
        await cut_amid(renaming, followers, chance(LOST))
        table, clients = await events_of(renaming), await clients_of(renaming)
        await until_all_have(followers, table[-1])
        for task in following:
            task.cancel()

    seen: Counter[str] = sum((follower.compare(table, clients) for follower in followers), Counter())
    ends, cuts = (sum(getattr(one, name) for one in followers) for name in ("ends", "cuts"))
    figures.at_least(f"{LOST}: events", len(table) - before, CLIENTS * ROUNDS * EVENTS_EACH)
    figures.at_least(f"{LOST}: cuts amid them, each with a new beginning", min(cuts, ends), CUTS)
    figures.exactly(f"{LOST}: ends that were no cut", ends - cuts, 0)
    figures.at_least(f"{LOST}: events that came again", seen["again"], size(500, 4))
    figures.exactly(f"{LOST}: events missed", seen["missed"], 0)
    figures.exactly(f"{LOST}: events under another name than the table's", seen["foreign"], 0)
    figures.exactly(f"{LOST}: times that events came out of order", seen["disorderly"], 0)
    figures.exactly(f"{LOST}: clients shown otherwise than the tables have them", seen["differing"], 0)
    figures.hold()


async def begin(follower: Follower, renaming: Renaming, share: float) -> None:
    """Follow once this share of the rounds is over."""

    async def over() -> bool:
        return renaming.rounds >= int(ROUNDS * share)

    await until(over, "so many rounds are over", seconds=WAIT_SECONDS)
    await follower.follow()


async def cut_amid(renaming: Renaming, followers: list[Follower], draws: random.Random) -> None:
    """Rename round after round, and cut so many off in each, all but the last."""
    for number in range(ROUNDS):
        due = CUTS * (number + 1) // (ROUNDS - 1) if number < ROUNDS - 1 else CUTS
        await asyncio.gather(renaming.a_round(), cut_off(followers, due, draws))


async def cut_off(followers: list[Follower], most: int, draws: random.Random) -> None:
    """At any moment, whoever listens, until so many cuts were made in all."""
    async with asyncio.timeout(WAIT_SECONDS):
        while sum(follower.cuts for follower in followers) < most:
            await asyncio.sleep(draws.uniform(0, 0.05))
            draws.choice(followers).cut()


async def until_all_have(followers: list[Follower], last: Place) -> None:
    async def all_have() -> bool:
        return all(follower.last == last for follower in followers)

    await until(all_have, "all have been told of the last event", seconds=WAIT_SECONDS)


async def events_of(renaming: Renaming) -> list[Place]:
    rows = await renaming.portfolio.stand.rows(_EVENTS, renaming.portfolio.practice_id)
    return [(row["xid"], row["position"]) for row in rows]


async def clients_of(renaming: Renaming) -> dict[str, Shown]:
    """What the tables hold, in the form of the answers."""
    rows = await renaming.portfolio.stand.rows(_CLIENTS, renaming.portfolio.practice_id)
    return {
        row["id"]: {
            "id": row["id"],
            "name": row["name"],
            "connections": [{"id": row["connection"], "statuses": _STATUSES[row["status"]]}],
        }
        for row in rows
    }
