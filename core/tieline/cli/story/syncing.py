"""Syncs, followed until all of them rest."""

from __future__ import annotations

import time

from rich.console import Console

from tieline.cli.story.api import Api, BrokeOff
from tieline.cli.story.bars import Bars, bars_for
from tieline.cli.story.board import Board, Row, read_board
from tieline.cli.story.live import Progress, live


def follow_syncs(api: Api, console: Console, *, seconds: float) -> Board:
    """Show the syncs until none of them is under way, or the time is over; the board then. Raises BrokeOff."""
    deadline = time.monotonic() + seconds
    board = read_board(api)
    if not board.under_way():
        return board
    with bars_for(console) as bars, live(api) as progress:
        while board.under_way() and time.monotonic() < deadline:
            _follow(board, progress, bars, deadline)
            board = read_board(api)
        bars.show(_connected(board))
    return board


def see_syncs_rest(api: Api, console: Console, *, seconds: float) -> Board:
    """Follow the syncs to where none is under way. Raises BrokeOff, with their names, when the time is over before."""
    board = follow_syncs(api, console, seconds=seconds)
    if under_way := board.under_way():
        names = ", ".join(row.client for row in under_way)
        raise BrokeOff(f"After {seconds:.0f} seconds syncs are still under way: {names}.")
    return board


def _follow(board: Board, progress: Progress, bars: Bars, deadline: float) -> None:
    """Show what is told of the board's syncs, until those that are known by now rest."""
    while True:
        bars.show(_connected(board))
        progress.follow(row.run_id for row in board.under_way() if row.run_id is not None)
        told = progress.next()
        board = board if told is None else board.told(told)
        if time.monotonic() > deadline or not any(row.run_id in progress.open for row in board.under_way()):
            return


def _connected(board: Board) -> list[Row]:
    return [row for row in board.rows if row.is_connected]
