"""What a run that a limit has paused says to people: which limit, and how much is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from tieline.errors import LimitScope
from tieline.plugins import Limit, LimitKind, Provider
from tieline.sync.standing import Standing

_WORDS = {
    timedelta(seconds=1): "second",
    timedelta(minutes=1): "minute",
    timedelta(hours=1): "hour",
    timedelta(days=1): "day",
}
_OF_OURS = {
    "line": "Other calls at {} come first",
    "restart": "What was asked of {} lately is being counted anew",
}


def why_paused(standing: Standing, provider: Provider, limit: str) -> str:
    """A sentence or two, without the time: `resume_at` says when, in whatever zone people live."""
    every = len(standing.wanted)
    done = every - len(standing.open_feeds)
    parts = (
        f"{done} of {every} {'part' if every == 1 else 'parts'} {'is' if 1 in {done, every} else 'are'} read"
    )
    return f"{_what(provider.info.name, provider.limits(None), limit)}. {parts}, and it goes on from there by itself."


def _what(name: str, limits: Sequence[Limit], limit: str) -> str:
    if limit in _OF_OURS:
        return _OF_OURS[limit].format(name)
    found = next((each for each in limits if each.name == limit), None)
    if found is None:
        return f"The limit {limit!r} of {name} is spent"
    whose = "the organisation's" if found.scope is LimitScope.ORGANISATION else "the app's"
    if found.kind is LimitKind.CONCURRENCY:
        return f"All of {whose} calls that {name} allows at once are taken"
    return f"What syncs may use of {whose} {_span(found)} at {name} is used up"


def _span(limit: Limit) -> str:
    if limit.kind is LimitKind.DAY:
        return "day"
    if limit.kind is LimitKind.MONTH:
        return "month"
    return _WORDS.get(limit.window or timedelta(0), f"limit {limit.name!r}")
