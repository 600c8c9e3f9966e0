"""What proofs count, each figure with its bound; docs/reliability.md has a row for each of them."""

from __future__ import annotations

import operator
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.support.source import ROOT

IS_FULL = os.environ.get("PROOFS") == "full"
PAGE = ROOT / "docs" / "reliability.md"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """`what` and `bound` stand in the document as a full run has them; `seen` is of this run."""

    what: str
    bound: str
    seen: str
    holds: bool

    @property
    def row(self) -> str:
        return f"| {self.what} | {self.bound} |" if IS_FULL else f"| {self.what} |"


@dataclass
class Figures:
    """Those of one run, in the order in which they were counted."""

    all: list[Figure] = field(default_factory=list)

    def exactly(self, what: str, seen: float, bound: float, unit: str = "") -> None:
        self._add(what, seen, bound, unit, "", operator.eq)

    def at_most(self, what: str, seen: float, bound: float, unit: str = "") -> None:
        self._add(what, seen, bound, unit, "≤ ", operator.le)

    def at_least(self, what: str, seen: float, bound: float, unit: str = "") -> None:
        self._add(what, seen, bound, unit, "≥ ", operator.ge)

    def share(self, what: str, part: int, whole: int, bound: float) -> None:
        """At most so many per cent. Of nothing there is no share: a bound that nothing came near to is not held."""
        if whole:
            self.at_most(what, 100 * max(0, part) / whole, bound, " %")
        else:
            self.all.append(
                Figure(what=what, bound=f"≤ {_number(bound)} %", seen="not one call", holds=False)
            )

    def hold(self) -> None:
        """Fails with those that do not reach their bound, and those that the document has no row for."""
        told = PAGE.read_text(encoding="utf-8")
        short = [
            f"{figure.what}: {figure.seen}, not {figure.bound}" for figure in self.all if not figure.holds
        ]
        missing = [figure.row for figure in self.all if figure.row not in told]
        assert not short, "; ".join(short)
        assert not missing, f"{PAGE.name} has no row {missing[0]}"

    def table(self) -> list[str]:
        rows = [f"| {figure.what} | {figure.bound} | {figure.seen} |" for figure in self.all]
        short = [f"short: {figure.what}" for figure in self.all if not figure.holds]
        return ["| figure | bound | seen |", "|---|---|---|", *rows, *short]

    def _add(
        self,
        what: str,
        seen: float,
        bound: float,
        unit: str,
        sign: str,
        holds: Callable[[float, float], bool],
    ) -> None:
        shown = f"{sign}{_number(bound)}{unit}"
        figure = Figure(what=what, bound=shown, seen=f"{_number(seen)}{unit}", holds=holds(seen, bound))
        self.all.append(figure)


def machine() -> str:
    """Where and when the figures were seen, without names."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return (
        f"{os.cpu_count()} cores, {pages * size / 2**30:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"
    )


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"
