"""Syncs as people see them under way: bars on a terminal, a few lines anywhere else."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from tieline.cli.story.board import Row

_LINES_AT_ONCE = 8
_STEPS = 5  # of all organisations, so that lines stay few


class Bars(Protocol):
    """Shows how far these are, again and again while its block lasts."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None: ...

    def show(self, rows: Sequence[Row]) -> None: ...


def bars_for(console: Console) -> Bars:
    return LiveBars(console) if console.is_terminal else Lines(console)


class LiveBars:
    """One bar for all, and one for each of the organisations that are being read."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("   {task.description}"),
            BarColumn(bar_width=28),
            TextColumn("{task.fields[said]}", style="dim"),
            console=console,
            transient=True,
        )
        self._all = self._progress.add_task("All organisations".ljust(24), total=None, said="")
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, rows: Sequence[Row]) -> None:
        resting = sum(row.is_resting for row in rows)
        records = sum(row.records for row in rows)
        self._progress.update(
            self._all,
            total=len(rows),
            completed=resting,
            said=f"{resting} of {len(rows)}, {records:,} records",
        )
        running = [row for row in rows if row.state == "RUNNING"][:_LINES_AT_ONCE]
        for client in self._tasks.keys() - {row.client for row in running}:
            self._progress.remove_task(self._tasks.pop(client))
        for row in running:
            self._line(row)

    def _line(self, row: Row) -> None:
        done, total = row.feeds_done
        if row.client not in self._tasks:
            self._tasks[row.client] = self._progress.add_task(row.client[:24].ljust(24), total=total, said="")
        said = f"{row.stage}, {row.records:,} records"
        self._progress.update(self._tasks[row.client], completed=done, total=total, said=said)


class Lines:
    """A line whenever another part of all has come to rest."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Nothing of it stays to be cleared away."""

    def show(self, rows: Sequence[Row]) -> None:
        resting = sum(row.is_resting for row in rows)
        step = resting * _STEPS // max(len(rows), 1)
        before, self._said = self._said, max(step, self._said or 0)
        if before is not None and step > before:
            records = sum(row.records for row in rows)
            self._console.print(f"   {resting:>3} of {len(rows)} organisations, {records:>7,} records")
