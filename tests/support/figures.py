"""What is counted of a promise, each figure with its bound; docs/reliability.md has a row for each of them."""

from __future__ import annotations

import operator
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.support.source import ROOT

PAGE = ROOT / "docs" / "reliability.md"


def is_full(what: str) -> bool:
    """Whether this run is of the whole size: `PROOFS=full` says so of proofs, `CHAOS=full` of chaos."""
    return os.environ.get(what.upper()) == "full"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """`what` and `bound` stand in the document as a full run has them, so they name no size; `seen` is of this run."""

    what: str
    bound: str
    seen: str
    holds: bool

    def row(self, *, full: bool) -> str:
        return f"| {self.what} | {self.bound} |" if full else f"| {self.what} |"


@dataclass
class Figures:
    """Those of one run, in the order in which they were counted. A run that is not `full` measures no time."""

    full: bool
    all: list[Figure] = field(default_factory=list)

    def exactly(self, what: str, seen: float, bound: float, unit: str = "") -> None:
        self._add(what, seen, bound, unit, "", operator.eq)

    def at_most(self, what: str, seen: float, bound: float, unit: str = "") -> None:
        self._add(what, seen, bound, unit, "≤ ", operator.le)

    def at_least(self, what: str, seen: float, bound: float, unit: str = "") -> None:
        self._add(what, seen, bound, unit, "≥ ", operator.ge)

    def timed(self, what: str, seen: float, bound: float, unit: str = " s") -> None:
        """At most so long; nobody asks that of a machine that does other things, too."""
        if self.full:
            self.at_most(what, seen, bound, unit)

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
        rows = [figure.row(full=self.full) for figure in self.all]
        missing = [row for row in rows if row not in told]
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


def summary(counted: Sequence[Figures], *notes: str) -> list[str]:
    """The lines after a full run: where it was, what is to be noted of it, and one table of all that was counted."""
    everything = Figures(full=True, all=[figure for one in counted for figure in one.all])
    return ["", machine(), *notes, "", *everything.table()]


def machine() -> str:
    """Where and when the figures were seen, without names."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return (
        f"{os.cpu_count()} cores, {pages * size / 2**30:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}, load {os.getloadavg()[2]:.1f}"
    )


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"
