"""Ids, dates and numbers of one organisation's records: each follows from the record's number alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from tieline_sandbox.seeds import Dice, uuid_of
from tieline_sandbox.xero.model import Dataset, Organisation

DEFAULT_COUNTS: dict[Dataset, int] = {
    "accounts": 60,
    "tax_rates": 10,
    "tracking_categories": 2,
    "contacts": 40,
    "invoices": 120,
    "bank_transactions": 80,
}
_FIRST_CHANGE = datetime(2026, 1, 5, 8, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_SPAN = timedelta(days=170) // _MILLISECOND
_LOW = (1 << 48) - 1
_DIGITS = re.compile("[0-9a-f]{12}")
_SPREAD = 0x5DEECE66D  # odd, so that multiplying by it can be undone
_GATHER = pow(_SPREAD, -1, _LOW + 1)

Record = dict[str, Any]


@dataclass(frozen=True)
class Ledger:
    """What the books follow from. `counts` are the records that the seed gives, by dataset."""

    tenant_id: str
    seed: str
    country: str
    currency: str
    counts: tuple[tuple[Dataset, int], ...]

    @cached_property
    def _counts(self) -> dict[Dataset, int]:
        return DEFAULT_COUNTS | dict(self.counts)

    def count(self, dataset: Dataset) -> int:
        return self._counts[dataset]

    def dice(self, dataset: Dataset, number: int) -> Dice:
        return Dice("xero record", self.seed, dataset, number)

    def id_of(self, dataset: str, number: int) -> str:
        """The record's UUID: its last 12 digits hold the number, scrambled, so that it can be read back."""
        start, mask = self._base(dataset)
        return f"{start}{mask ^ (number * _SPREAD & _LOW):012x}"

    def number_of(self, dataset: str, id_: str) -> int | None:
        """The number of a record, if the id (in small letters) is one of this dataset's."""
        start, mask = self._base(dataset)
        digits = id_.removeprefix(start)
        if digits == id_ or not _DIGITS.fullmatch(digits):
            return None
        return (int(digits, 16) ^ mask) * _GATHER & _LOW

    def updated_at(self, dataset: Dataset, number: int) -> datetime:
        """When the record was last changed before anybody was here: later for greater numbers."""
        step = _SPAN / max(1, self.count(dataset))
        within = (number * 7919 + 104_729) % 1000 / 1000
        return _FIRST_CHANGE + int((number + within * 0.9) * step) * _MILLISECOND

    def _base(self, dataset: str) -> tuple[str, int]:
        """What the dataset's ids begin with, and what scrambles their ends."""
        found = self._bases.get(dataset)
        if found is None:
            whole = uuid_of("xero record", self.tenant_id, dataset)
            found = self._bases[dataset] = whole[:-12], int(whole[-12:], 16)
        return found

    @cached_property
    def _bases(self) -> dict[str, tuple[str, int]]:
        return {}


def ledger_of(organisation: Organisation) -> Ledger:
    return Ledger(
        tenant_id=organisation.tenant_id,
        seed=organisation.seed,
        country=organisation.country,
        currency=organisation.currency,
        counts=tuple(sorted(organisation.records.items())),
    )
