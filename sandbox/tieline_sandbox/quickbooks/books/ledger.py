"""Ids and times of one company's records: each follows from the record's number alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from tieline_sandbox.books.ledger import Ledger
from tieline_sandbox.books.values import Record
from tieline_sandbox.quickbooks.model import Company, Dataset
from tieline_sandbox.quickbooks.wire import instant

DEFAULT_COUNTS: dict[Dataset, int] = {
    "accounts": 40,
    "vendors": 25,
    "customers": 20,
    "classes": 5,
    "departments": 3,
    "tax_codes": 5,
    "tax_rates": 4,
    "tax_agencies": 1,
    "items": 12,
    "payment_methods": 6,
    "terms": 5,
    "bills": 60,
    "vendor_credits": 8,
    "bill_payments": 30,
    "purchases": 60,
    "invoices": 60,
    "credit_memos": 8,
    "sales_receipts": 20,
    "payments": 30,
    "deposits": 12,
    "transfers": 6,
    "journal_entries": 10,
}
_TOGETHER = 7
_TRANSACTIONS = (
    *("bills", "purchases", "invoices", "payments", "bill_payments", "vendor_credits", "credit_memos"),
    *("sales_receipts", "deposits", "transfers", "journal_entries"),
)
_NAMES = ("vendors", "customers")


@dataclass(frozen=True, kw_only=True)
class Books(Ledger):
    """Seeded records; seven at a time were changed in the same second, as an import does it."""

    def updated_at(self, dataset: str, number: int) -> datetime:
        """Whole seconds, as Intuit has them; equal ones stand on both sides of pages' borders."""
        return super().updated_at(dataset, number // _TOGETHER * _TOGETHER).replace(microsecond=0)

    def stem(self, dataset: Dataset, number: int, id_: str | None = None) -> Record:
        """What every record begins with."""
        updated = self.updated_at(dataset, number)
        made = updated - timedelta(days=self.dice(f"{dataset} made", number).below(90))
        return {
            "domain": "QBO",
            "sparse": False,
            "Id": id_ or id_of(dataset, number),
            "SyncToken": "0",
            "MetaData": {"CreateTime": instant(made), "LastUpdatedTime": instant(updated)},
        }


def id_of(dataset: Dataset, number: int) -> str:
    """Digits that other companies use, too: transactions share one row of numbers, vendors and customers another."""
    row = _row(dataset)
    return str(1 + number * len(row) + row.index(dataset))


def number_of(dataset: Dataset, id_: str) -> int | None:
    """The number of a record, if the id is one that this dataset has."""
    row = _row(dataset)
    if not (id_.isascii() and id_.isdecimal()):
        return None
    number, place = divmod(int(id_) - 1, len(row))
    return number if number >= 0 and row[place] == dataset else None


def books_of(company: Company) -> Books:
    return Books(
        provider="quickbooks",
        home=company.realm_id,
        seed=company.seed,
        country=company.country,
        currency=company.currency,
        counts=tuple(sorted((DEFAULT_COUNTS | company.records).items())),
    )


@cache
def _row(dataset: Dataset) -> tuple[str, ...]:
    """The datasets that take their ids in turn."""
    return next((row for row in (_TRANSACTIONS, _NAMES) if dataset in row), (dataset,))
