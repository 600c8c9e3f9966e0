"""The board, as it is shown on a terminal: how many clients have which status, and what mends the bad ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tieline.cli.demo import PRACTICE
from tieline.cli.story.board import Board, Row

_ORDER = ("expired", "mismatch", "paused", "connected", "not connected")
_MOST = 4
_SHOWN = {"connected": 2, "not connected": 2}
_STYLES = {"expired": "red", "mismatch": "yellow", "paused": "cyan", "connected": "green"}
_REMEDIES = {
    "ADD_CONNECTION": "add connection",
    "MANAGE_CONNECTION": "manage connection",
    "RECONNECT": "reconnect",
    "ASK_FOR_ACCESS": "ask for access",
    "RENEW_SUBSCRIPTION": "renew subscription",
}


def show_board(console: Console, board: Board, *, now: datetime) -> None:
    """The counts, and the lines that a person would look at first."""
    counts = board.counts
    console.print(
        f"\n[bold]{PRACTICE}: {board.total} clients[/]   {counts['connected']} connected "
        f"({counts['mismatch']} mismatch), {counts['expired']} expired, {counts['unintegrated']} not connected\n"
    )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("Client", "Status", "Organisation", "Integrated by", "Last sync", "What mends it"):
        table.add_column(heading, no_wrap=True)
    chosen = _chosen(board.rows)
    for row in chosen:
        style = _STYLES.get(row.word, "")
        table.add_row(
            escape(row.client),
            f"[{style}]{row.word}[/]" if style else row.word,
            escape(row.organisation or ""),
            escape("" if row.integrator is None else row.integrator.person),
            _synced(row, now),
            _mended(row, now),
        )
    if len(chosen) < len(board.rows):
        table.add_row(f"… and {len(board.rows) - len(chosen)} more", style="dim")
    console.print(table)


def clock_time(at: datetime, now: datetime) -> str:
    """When something is, by the clock on the wall here."""
    local, today = at.astimezone(), now.astimezone()
    return local.strftime("%H:%M") if local.date() == today.date() else local.strftime("%H:%M on %d %B")


def _chosen(rows: Sequence[Row]) -> list[Row]:
    """Those that are not as they should be, then some of the others at each provider."""
    chosen: list[Row] = []
    seen: Counter[tuple[str, str | None]] = Counter()
    for row in sorted(rows, key=lambda row: _ORDER.index(row.word)):
        seen[row.word, row.provider] += 1
        if seen[row.word, row.provider] <= _SHOWN.get(row.word, _MOST):
            chosen.append(row)
    return chosen


def _synced(row: Row, now: datetime) -> str:
    if row.state in {"QUEUED", "RUNNING"} and "EXPIRED" not in row.statuses:
        return "under way"
    return "" if row.last_synced_at is None else clock_time(row.last_synced_at, now)


def _mended(row: Row, now: datetime) -> str:
    if row.word == "paused" and row.resume_at is not None:
        return f"goes on at {clock_time(row.resume_at, now)}"
    return _REMEDIES.get(row.remedy or "", row.remedy or "")
