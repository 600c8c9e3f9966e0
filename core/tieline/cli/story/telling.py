"""The story in its order, and what of it was seen; or, once it was told, the board as it is."""

from __future__ import annotations

from rich.console import Console

from tieline import clock
from tieline.cli.story import beginning, mending
from tieline.cli.story.api import Api, BrokeOff
from tieline.cli.story.promises import not_seen
from tieline.cli.story.scene import Scene
from tieline.cli.story.showing import show_board
from tieline.cli.story.syncing import follow_syncs

_CATCH_UP_SECONDS = 15.0


def tell(scene: Scene, *, is_new: bool) -> list[str]:
    """Tell all of it, or, if it is not new, what an earlier start left; what was not seen of what it promises."""
    scene.console.print()
    try:
        beginning.connect_many(scene)
        beginning.connect_by_rounds(scene)
        equal = beginning.sync(scene)
        mending.lose(scene)
        mending.reconnect_all(scene)
        mending.reassign(scene)
        board = mending.see_synced(scene)
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
