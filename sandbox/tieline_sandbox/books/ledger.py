"""What a company's records follow from: its seed, and how many there are of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from tieline_sandbox.seeds import Dice

_FIRST_CHANGE = datetime(2026, 1, 5, 8, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_SPAN = timedelta(days=170) // _MILLISECOND


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """`home` is the company's id at its provider; `counts` are the records that the seed gives, by dataset."""

    provider: str
    home: str
    seed: str
    country: str
    currency: str
    counts: tuple[tuple[str, int], ...]

    @cached_property
    def _counts(self) -> dict[str, int]:
        return dict(self.counts)

    def count(self, dataset: str) -> int:
        return self._counts[dataset]

    def dice(self, dataset: str, number: int) -> Dice:
        return Dice(f"{self.provider} record", self.seed, dataset, number)

    def updated_at(self, dataset: str, number: int) -> datetime:
        """When the record was last changed before anybody was here: later for greater numbers."""
        step = _SPAN / max(1, self.count(dataset))
        within = (number * 7919 + 104_729) % 1000 / 1000
        return _FIRST_CHANGE + int((number + within * 0.9) * step) * _MILLISECOND
