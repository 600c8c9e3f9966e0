"""What a dataset of somebody's books comes to: how many records, and the sum of their totals. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Self


@dataclass(frozen=True, kw_only=True, slots=True)
class Sum:
    """`total` is of records that have one, each in its own currency; zero for lists of names."""

    count: int
    total: Decimal = Decimal()

    @classmethod
    def of(cls, totals: Iterable[object]) -> Self:
        """Of one total for each record, as JSON has it; None where a record has none."""
        known = list(totals)
        return cls(
            count=len(known), total=sum((Decimal(str(each)) for each in known if each is not None), Decimal())
        )
