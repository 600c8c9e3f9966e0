"""What transactions of every kind say alike: day, currency, place, what they are linked to and what is settled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from tieline_sandbox.books.values import Record
from tieline_sandbox.quickbooks.books import lists
from tieline_sandbox.quickbooks.books.ledger import Books, id_of
from tieline_sandbox.quickbooks.books.lines import CENT, ZERO
from tieline_sandbox.quickbooks.model import Dataset
from tieline_sandbox.seeds import Dice

_FOREIGN = {"EUR": Decimal("1.1532"), "USD": Decimal("1.2718"), "GBP": Decimal("0.8671")}


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What of a document is paid, `credit` of it by the credit note that has the same number as the payment."""

    paid: Decimal = ZERO
    credit: Decimal = ZERO

    @property
    def money(self) -> Decimal:
        return self.paid - self.credit


def settled(
    books: Books,
    number: int,
    total: Decimal,
    *,
    by: Dataset,
    credits: Dataset,
    credited: Callable[[], Decimal],
) -> Settled:
    """By the payment with the document's number: all of it or half, and of that no more than half by credit."""
    if number >= books.count(by):
        return Settled()
    whole = books.dice(f"{by} paid", number).chance(75)
    paid = total if whole else (total / 2).quantize(CENT, ROUND_HALF_UP)
    if number >= books.count(credits):
        return Settled(paid=paid)
    return Settled(paid=paid, credit=min(credited(), (paid / 2).quantize(CENT, ROUND_DOWN)))


def linked(dataset: Dataset, type_: str, number: int) -> Record:
    return {"TxnId": id_of(dataset, number), "TxnType": type_}


def day_of(books: Books, dataset: str, number: int, dice: Dice) -> date:
    return books.updated_at(dataset, number).date() - timedelta(days=dice.below(30))


def currency_of(books: Books, dice: Dice) -> Record:
    """Now and then a foreign one, with what it costs."""
    foreign = dice.pick(sorted(_FOREIGN)) if dice.chance(6) else books.currency
    rate = {} if foreign == books.currency else {"ExchangeRate": _FOREIGN[foreign]}
    return {"CurrencyRef": lists.currency(foreign), **rate}


def placed(books: Books, dice: Dice) -> Record:
    count = books.count("departments")
    return {"DepartmentRef": lists.department_ref(dice.below(count))} if count and dice.chance(30) else {}


def method_of(books: Books, dice: Dice) -> Record:
    return lists.payment_method_ref(dice.below(max(1, books.count("payment_methods"))))
