"""What is read of an organisation at Xero: one feed for each endpoint, lists before what refers to them.

A call of CHANGES says `If-Modified-Since`. The endpoints of SNAPSHOT do not know it, but for items: what is deleted of
these leaves no trace in what changed, and all of them are one call as well. Who has become a supplier or a customer is
no change by Xero's date, so contacts are read whole more often than the rest.
https://developer.xero.com/documentation/api/accounting/requests-and-responses
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from tieline.plugins import Feed, FeedKind, Product

_HOURLY = timedelta(hours=1)
_NOW_AND_THEN = timedelta(hours=6)
_DAILY = timedelta(days=1)
_WEEKLY = timedelta(days=7)


def _changes(
    name: str, *datasets: str, every: timedelta = _HOURLY, whole_every: timedelta | None = None
) -> Feed:
    return Feed(
        name=name,
        datasets=datasets or (name,),
        kind=FeedKind.CHANGES,
        every=every,
        whole_every=whole_every,
    )


def _snapshot(name: str, every: timedelta = _DAILY) -> Feed:
    return Feed(name=name, datasets=(name,), kind=FeedKind.SNAPSHOT, every=every)


_LISTS = (
    _snapshot("organisation"),
    _changes("accounts"),
    _snapshot("tax_rates"),
    _snapshot("tracking_categories"),
    _changes("contacts", whole_every=_WEEKLY),
    _snapshot("items"),
    _snapshot("currencies", _WEEKLY),
    _snapshot("branding_themes", _WEEKLY),
)
_DOCUMENTS = (
    _changes("invoices", "invoices", "bills"),
    _changes("credit_notes", "credit_notes", "supplier_credit_notes"),
    _changes("payments"),
    _changes("prepayments", every=_NOW_AND_THEN),
    _changes("overpayments", every=_NOW_AND_THEN),
    _changes("bank_transactions"),
    _changes("bank_transfers", every=_NOW_AND_THEN),
    _changes("journals", every=_NOW_AND_THEN),
)

FEEDS: Mapping[Product, tuple[Feed, ...]] = {
    Product.BOOKKEEPING: _LISTS,
    Product.DATA_HEALTH: _LISTS + _DOCUMENTS,
}
