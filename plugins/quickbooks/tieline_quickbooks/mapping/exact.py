"""Sums and differences of amounts with every digit: Python's own keep 28 of them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal
from functools import reduce

_EXACT = Context(prec=1_000)


def less(total: Decimal | None, other: Decimal | None) -> Decimal | None:
    """The total where either is not known."""
    return total if total is None or other is None else _EXACT.subtract(total, other)


def opposite(amount: Decimal) -> Decimal:
    return amount.copy_negate()


def added(amounts: Iterable[Decimal]) -> Decimal:
    return reduce(_EXACT.add, amounts, Decimal(0))
