"""Ids of one organisation's records: each follows from the record's number alone, and can be read back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from tieline_sandbox.books import ledger
from tieline_sandbox.seeds import uuid_of
from tieline_sandbox.xero.model import Dataset, Organisation

DEFAULT_COUNTS: dict[Dataset, int] = {
    "accounts": 60,
    "tax_rates": 10,
    "tracking_categories": 2,
    "contacts": 40,
    "currencies": 4,
    "branding_themes": 2,
    "items": 20,
    "invoices": 120,
    "credit_notes": 12,
    "prepayments": 6,
    "overpayments": 4,
    "bank_transactions": 80,
    "bank_transfers": 15,
    "manual_journals": 15,
}
"""Of payments there are as many as invoices, unless somebody wants another number."""
_LOW = (1 << 48) - 1
_DIGITS = re.compile("[0-9a-f]{12}")
_SPREAD = 0x5DEECE66D  # odd, so that multiplying by it can be undone
_GATHER = pow(_SPREAD, -1, _LOW + 1)


@dataclass(frozen=True, kw_only=True)
class Ledger(ledger.Ledger):
    """What the books of an organisation follow from."""

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

    def _base(self, dataset: str) -> tuple[str, int]:
        """What the dataset's ids begin with, and what scrambles their ends."""
        found = self._bases.get(dataset)
        if found is None:
            whole = uuid_of("xero record", self.home, dataset)
            found = self._bases[dataset] = whole[:-12], int(whole[-12:], 16)
        return found

    @cached_property
    def _bases(self) -> dict[str, tuple[str, int]]:
        return {}


def ledger_of(organisation: Organisation) -> Ledger:
    counts = DEFAULT_COUNTS | organisation.records
    counts = {"payments": counts["invoices"], **counts}
    return Ledger(
        provider="xero",
        home=organisation.tenant_id,
        seed=organisation.seed,
        country=organisation.country,
        currency=organisation.currency,
        counts=tuple(sorted(counts.items())),
    )
