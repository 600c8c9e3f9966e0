"""The later chapters: consents that are lost, what one sign-in mends of it, and what a colleague takes over.

Each looks first what is there, so that a story that was cut off goes on.
"""

from __future__ import annotations

from collections.abc import Iterable

from tieline.cli.story import moving
from tieline.cli.story.board import Board, Row, read_board
from tieline.cli.story.cast import (
    ACCOUNTANT,
    COLLEAGUE,
    DIRECTOR,
    HANDED_OVER,
    INVITED,
    LEFT_ALONE,
    LOST,
    SUCCESSORS,
    Person,
)
from tieline.cli.story.losing import disconnect, found_expired, take_back
from tieline.cli.story.played import XERO
from tieline.cli.story.scene import Scene
from tieline.cli.story.signing_in import sign_in
from tieline.cli.story.stage import invite
from tieline.cli.story.syncing import see_syncs_rest

SWEEP_SECONDS = 45.0
SYNC_SECONDS = 60.0


def lose(scene: Scene) -> None:
    """A consent is taken back at the provider; what somebody disconnected before is none of its business."""
    if not read_board(scene.api).of(LOST).is_connected:
        scene.say(5, "Sweep", f"{LOST} was found expired at an earlier start")
        return
    disconnect(scene.api, LEFT_ALONE)
    take_back(scene.sandbox, DIRECTOR)
    scene.say(5, "Sweep", f"{LEFT_ALONE} is disconnected by hand")
    scene.more(f"{DIRECTOR.name} removes the app at the provider, and tells nobody")
    row = found_expired(scene.api, LOST, sweep=scene.sweep, seconds=SWEEP_SECONDS)
    board = read_board(scene.api)
    more = sum(board.of(client).reason == row.reason for client in INVITED)
    scene.more(f"the sweep finds it: {LOST} and {more} more are expired ({row.reason})")


def reconnect_all(scene: Scene) -> None:
    """One sign-in mends what it reaches of all that is broken."""
    board = read_board(scene.api)
    if all(board.of(client).is_connected for client in INVITED):
        scene.say(6, "Reconnect all", f"{_and(INVITED)} were mended at an earlier start")
        return
    ahead = moving.preview(scene.api, XERO)
    scene.say(
        6,
        "Reconnect all",
        f"{ahead.broken} to mend at Xero; {ahead.disconnected} disconnected by hand stays so",
    )
    invite(scene.sandbox, ACCOUNTANT, INVITED)
    scene.more(f"{ACCOUNTANT.name} was invited to {_and(INVITED)} there, and signs in once")
    sign_in_id = sign_in(
        scene.api, scene.sandbox, ACCOUNTANT, purpose="RECONNECT_ALL", return_url=scene.return_url
    )
    for code, clients in moving.reconnect_all(scene.api, sign_in_id).items():
        scene.more(f"{code}: {_and(clients)}")


def reassign(scene: Scene) -> None:
    """A colleague takes chosen clients over, by logins of their own."""
    before = read_board(scene.api)
    chosen = [row for row in map(before.of, HANDED_OVER) if not _is_colleagues(before, row.client)]
    if not chosen:
        scene.say(7, "Reassign", f"{_and(HANDED_OVER)} were taken over at an earlier start")
        return
    scene.say(
        7,
        "Reassign",
        f"{COLLEAGUE}, with a key and logins of their own, takes over; who it is integrated by:",
    )
    for person in SUCCESSORS:
        _take_over(scene, person, [row for row in chosen if row.client in person.guest_of])
    after = read_board(scene.api)
    width = max(len(row.client) for row in chosen)
    for row in chosen:
        scene.more(f"{row.client.ljust(width)}  {row.integrator} → {after.of(row.client).integrator}")


def _take_over(scene: Scene, person: Person, chosen: list[Row]) -> None:
    if chosen:
        sign_in_id = sign_in(
            scene.colleague, scene.sandbox, person, purpose="CONNECT", return_url=scene.return_url
        )
        moving.reassign(
            scene.colleague, sign_in_id, [row.connection_id for row in chosen if row.connection_id]
        )


def see_synced(scene: Scene) -> Board:
    """What was mended or taken over syncs by itself; the board after that."""
    return see_syncs_rest(scene.api, scene.console, seconds=SYNC_SECONDS)


def _is_colleagues(board: Board, client: str) -> bool:
    integrator = board.of(client).integrator
    return integrator is not None and integrator.person == COLLEAGUE


def _and(names: Iterable[str]) -> str:
    *some, last = names
    return f"{', '.join(some)} and {last}" if some else last
