"""How `tieline app quota` prints what is left of an app's limits: a line for each, and what stops all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tieline.quota import LimitTold, QuotaTold

_HEADS = ("limit", "kind", "most", "used", "left", "for people", "resets")


def quota_lines(told: QuotaTold) -> list[str]:
    """A table of the limits, in columns; figures that nobody knows are a dash."""
    rows = [_HEADS, *(_cells(limit) for limit in told.limits)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
    return [
        *(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ),
        f"as of {_time(told.as_of)}, {told.source.lower()}",
        *_blocked(told),
    ]


def _cells(limit: LimitTold) -> Sequence[str]:
    figures = (limit.most, limit.used, limit.left, limit.reserve)
    cells = ("-" if figure is None else f"{figure:,}" for figure in figures)
    return (limit.name, limit.kind, *cells, "-" if limit.resets_at is None else _time(limit.resets_at))


def _blocked(told: QuotaTold) -> list[str]:
    if told.blocked_until is None:
        return []
    return [f"BLOCKED by {told.blocked_by} until {_time(told.blocked_until)}: no call passes until then"]


def _time(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
