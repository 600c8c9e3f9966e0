"""A call as the quota sees it: whose it is, which limits it spends, under which names Redis knows them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from tieline.errors import LimitScope
from tieline.plugins.limits import Limit, LimitKind

LATEST_ARRIVAL = timedelta(seconds=5)
"""So long a call may be under way before the provider counts it; it counts with us meanwhile, or until it is over."""

_DAY = timedelta(days=1)
_HIGHEST_FIGURE = 1_000_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Meter:
    """Whose limits they are: an app at its provider, by client id, so that copies of one app share them."""

    provider: str
    client_id: str

    @property
    def prefix(self) -> str:
        """The hash tag keeps all keys of an app on one node of a cluster."""
        return f"quota:{{{self.provider}:{quote(self.client_id, safe='')}}}"

    def marker(self) -> str:
        return f"{self.prefix}:marker"

    def state(self, organisation: str | None) -> str:
        return f"{self.prefix}:state:{_whose(organisation)}"

    def flight(self, organisation: str | None) -> str:
        return f"{self.prefix}:flight:{_whose(organisation)}"

    def rate(self, limit: Limit, organisation: str | None) -> str:
        whose = organisation if limit.scope is LimitScope.ORGANISATION else None
        return f"{self.prefix}:rate:{limit.name}:{_whose(whose)}"

    def month(self, limit: str, organisation: str | None) -> str:
        """`organisation` is None where it is the app's limit."""
        return f"{self.prefix}:month:{limit}:{_whose(organisation)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """`limits` are those it spends; `reserve` is the share of each day or month that it must leave to others."""

    meter: Meter
    organisation: str | None
    limits: tuple[Limit, ...]
    reserve: float
    id: str = field(default_factory=lambda: secrets.token_hex(8))

    @classmethod
    def of(cls, meter: Meter, organisation: str | None, limits: Sequence[Limit], *, reserve: float) -> Call:
        """A call without an organisation spends the app's limits only."""
        spent = tuple(limit for limit in limits if organisation or limit.scope is LimitScope.APP)
        return cls(meter=meter, organisation=organisation, limits=spent, reserve=reserve)

    def keys(self) -> list[str]:
        meter = self.meter
        places = (None,) if self.organisation is None else (None, self.organisation)
        return [
            meter.marker(),
            *(key for place in places for key in (meter.state(place), meter.flight(place))),
            *(self._key(limit) for limit in self._with_keys()),
        ]

    def asked(self) -> dict[str, Any]:
        """The call as the script reads it."""
        keyed = self._with_keys()
        listed = [
            self._limit(limit, nth=keyed.index(limit) + 1 if limit in keyed else 0) for limit in self.limits
        ]
        return {"call": self.id, "organisation": self.organisation is not None, "limits": listed}

    def _with_keys(self) -> list[Limit]:
        return [limit for limit in self.limits if limit.counted_over is not None]

    def _key(self, limit: Limit) -> str:
        if limit.kind is LimitKind.MONTH:
            return self.meter.month(limit.name, self.whose(limit.scope))
        return self.meter.rate(limit, self.organisation)

    def _limit(self, limit: Limit, *, nth: int) -> dict[str, Any]:
        told: dict[str, Any] = {
            "name": limit.name,
            "kind": limit.kind.value,
            "most": limit.most - self._kept_back(limit),
            "place": place_of(limit.scope),
            "nth": nth,
        }
        if limit.counted_over is not None:
            told |= {"window": milliseconds(limit.counted_over), "late": milliseconds(LATEST_ARRIVAL)}
        if limit.kind is LimitKind.DAY:
            told["floor"] = self.floor(limit)
        return told

    def whose(self, scope: LimitScope) -> str | None:
        """The organisation, where it is an organisation's limit."""
        return self.organisation if scope is LimitScope.ORGANISATION else None

    def floor(self, limit: Limit) -> int:
        """So many calls of the day or month are not for this one."""
        return int(limit.most * self.reserve)

    def _kept_back(self, limit: Limit) -> int:
        """Of a month, or a rate for a day or more, what is not for this one."""
        over = limit.counted_over
        return self.floor(limit) if over is not None and over >= _DAY else 0

    def reserved(self, limit: Limit) -> int:
        """So many of the limit's calls are left to others."""
        return self.floor(limit) if limit.kind is LimitKind.DAY else self._kept_back(limit)

    def doubt(self) -> timedelta:
        """After so long a time, what was forgotten of the organisation's calls no longer counts."""
        windows = [
            limit.window
            for limit in self.limits
            if limit.scope is LimitScope.ORGANISATION and limit.window is not None
        ]
        return max((window + LATEST_ARRIVAL for window in windows), default=timedelta(0))

    def told(self, figures: Mapping[str, int]) -> dict[str, int]:
        """Of what an answer says is left, what can be true."""
        kept_back = {limit.name: self._kept_back(limit) for limit in self.limits}
        return {
            name: max(0, min(left, _HIGHEST_FIGURE) - kept_back[name])
            for name, left in figures.items()
            if name in kept_back and left >= 0
        }


def place_of(scope: LimitScope) -> int:
    return 2 if scope is LimitScope.ORGANISATION else 1


def milliseconds(span: timedelta) -> int:
    return round(span / timedelta(milliseconds=1))


def _whose(organisation: str | None) -> str:
    return "" if organisation is None else quote(organisation, safe="")
