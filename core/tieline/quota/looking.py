"""What Redis answers to whoever only looks: the figures of each limit, and the blocks that stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tieline.errors import LimitScope
from tieline.quota.calls import Call, place_of
from tieline.quota.lasting import Block

_FIGURES = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What is known of one limit; None where nobody knows.

    `used` is what counts now, and `left` what is left of a DAY. By `resets_at` a month lets another call of ours
    through, or a rate has forgotten all calls; at `looks_again_at` a call finds out whether a day that is spent began
    anew. `told_at` is when an answer last said what is left of a DAY.
    """

    used: int | None = None
    left: int | None = None
    resets_at: datetime | None = None
    looks_again_at: datetime | None = None
    told_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """How it stands with the limits of a call, by their names, at this instant of the calendar."""

    at: datetime
    figures: Mapping[str, Figures]
    blocks: tuple[Block, ...]


def read_look(call: Call, answer: Sequence[str]) -> Looked | None:
    """The script's answer in these terms; None where Redis has forgotten the app."""
    verb, _, *more = answer
    if verb == "unknown":
        return None
    now, *rest = more
    figures = {
        limit.name: _figures(rest[nth * _FIGURES : (nth + 1) * _FIGURES])
        for nth, limit in enumerate(call.limits)
    }
    return Looked(
        at=_instant(now), figures=figures, blocks=_blocks(call, rest[len(call.limits) * _FIGURES :])
    )


def _figures(said: Sequence[str]) -> Figures:
    used, left, resets, looks, told = said
    return Figures(
        used=int(used) if used else None,
        left=int(left) if left else None,
        resets_at=_instant(resets) if resets else None,
        looks_again_at=_instant(looks) if looks else None,
        told_at=_instant(told) if told else None,
    )


def _blocks(call: Call, said: Sequence[str]) -> tuple[Block, ...]:
    """From place, limit and end, one after the other."""
    scopes = {place_of(scope): scope for scope in LimitScope}
    found = [
        Block(organisation=call.whose(scopes[int(place)]), limit=limit, until=_instant(until))
        for place, limit, until in zip(said[::3], said[1::3], said[2::3], strict=True)
    ]
    return tuple(sorted(found, key=lambda block: (block.organisation or "", block.limit)))


def _instant(milliseconds: str) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
