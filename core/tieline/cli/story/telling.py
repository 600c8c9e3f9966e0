"""The chapters in their order. Each looks first what is there, so that a story that was cut off goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape

from tieline import clock
from tieline.cli.story.api import Api, BrokeOff
from tieline.cli.story.board import Row, clock_time, read_board, show_board
from tieline.cli.story.cast import ACCOUNTANT, AT_ONCE, DIRECTOR, LOST
from tieline.cli.story.connecting import Connected, connect_suggested
from tieline.cli.story.losing import found_expired, take_back
from tieline.cli.story.promises import not_seen
from tieline.cli.story.provider import Sandbox
from tieline.cli.story.signing_in import sign_in
from tieline.cli.story.syncing import equal_to_books, follow_syncs, see_syncs_rest

SYNC_SECONDS = 120.0
SWEEP_SECONDS = 45.0
_CATCH_UP_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What the story is told with. `return_url` is where a front end would be; `sweep` looks at all consents now."""

    api: Api
    sandbox: Sandbox
    console: Console
    return_url: str
    sweep: Callable[[], None]


def tell(scene: Scene, *, is_new: bool) -> list[str]:
    """Tell all of it, or, if it is not new, what an earlier start left; what was not seen of what it promises."""
    scene.console.print()
    try:
        _connect_many(scene)
        _connect_director(scene)
        equal = _sync(scene)
        _lose(scene)
        board = read_board(scene.api)
        show_board(scene.console, board, now=clock.now())
        return not_seen(board, equal, is_new=is_new)
    except BrokeOff as broken:
        return [str(broken)]


def show_as_it_is(api: Api, console: Console) -> list[str]:
    """A later start: what is due is synced by itself; the board, once that is done or has taken long enough."""
    try:
        board = follow_syncs(api, console, seconds=_CATCH_UP_SECONDS)
    except BrokeOff as broken:
        return [str(broken)]
    show_board(console, board, now=clock.now())
    return [] if board.total else ["The practice has no clients."]


def _connect_many(scene: Scene) -> None:
    rows = [row for row in read_board(scene.api).rows if row.client in AT_ONCE]
    if rows and all(row.is_connected for row in rows):
        _say(scene, 2, "Bulk connect", f"{len(rows)} clients were connected at an earlier start")
        return
    sign_in_id = sign_in(
        scene.api, scene.sandbox, ACCOUNTANT, purpose="BULK_CONNECT", return_url=scene.return_url
    )
    connected = connect_suggested(scene.api, sign_in_id)
    found = len(connected.matches)
    _say(scene, 1, "Sign in", f"{ACCOUNTANT.name} at Xero, played by the sandbox: {found} organisations")
    _tell_connected(scene, connected)


def _tell_connected(scene: Scene, connected: Connected) -> None:
    outcomes = ", ".join(f"{count} {code}" for code, count in sorted(connected.outcomes.items()))
    without = len(connected.matches) - connected.matched
    _say(scene, 2, "Bulk connect", f"{connected.matched} clients by suggested names, in one call: {outcomes}")
    _more(scene, f"{connected.exact} names the same, {len(connected.near)} only alike, {without} nobody's")
    for match in connected.near:
        _more(scene, f"{match.client} is connected to {match.organisation}, on purpose: a mismatch")


def _connect_director(scene: Scene) -> None:
    if read_board(scene.api).of(LOST).connection_id is None:
        sign_in_id = sign_in(
            scene.api, scene.sandbox, DIRECTOR, purpose="CONNECT", return_url=scene.return_url
        )
        connect_suggested(scene.api, sign_in_id)
        _more(scene, f"{LOST} is connected by a login of its own, {DIRECTOR.name}'s")


def _sync(scene: Scene) -> list[Row]:
    """The first syncs; those that equal the provider's books."""
    _say(scene, 3, "First syncs", "lists, invoices, bills and bank transactions")
    board = see_syncs_rest(scene.api, scene.console, seconds=SYNC_SECONDS)
    synced = [row for row in board.rows if row.is_connected and row.state == "SUCCEEDED"]
    equal = equal_to_books(scene.api, scene.sandbox, synced)
    records = sum(row.records for row in equal)
    _more(
        scene,
        f"{len(equal)} equal the provider's books: {records:,} records, and the sums of their documents",
    )
    for row in board.rows:
        if row.state == "PAUSED":
            _more(scene, _paused(row))
    return equal


def _paused(row: Row) -> str:
    limit = "limit" if row.limit is None else f"{row.limit} limit"
    when = "" if row.resume_at is None else f", goes on at {clock_time(row.resume_at, clock.now())}"
    return f"{row.client} is paused by the provider's {limit}: {row.records:,} records so far{when}"


def _lose(scene: Scene) -> None:
    if not read_board(scene.api).of(LOST).is_connected:
        _say(scene, 4, "Sweep", f"{LOST} was found expired at an earlier start")
        return
    take_back(scene.sandbox, DIRECTOR)
    _say(scene, 4, "Sweep", f"{DIRECTOR.name} removes the app at the provider, and tells nobody")
    row = found_expired(scene.api, LOST, sweep=scene.sweep, seconds=SWEEP_SECONDS)
    _more(scene, f"the sweep finds it: {LOST} is expired ({row.reason})")


def _say(scene: Scene, number: int, title: str, text: str) -> None:
    scene.console.print(f"[bold]{number}  {title:<14}[/]{escape(text)}", soft_wrap=True)


def _more(scene: Scene, text: str) -> None:
    scene.console.print(f"   {'':<14}{escape(text)}", soft_wrap=True)
