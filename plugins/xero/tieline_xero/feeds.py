"""What is read of an organisation at Xero: one feed for each endpoint, lists before what refers to them.

A call of CHANGES says `If-Modified-Since`; the endpoints of SNAPSHOT do not know it and are small.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from tieline.plugins import Feed, FeedKind, Product

_HOURLY = timedelta(hours=1)
_DAILY = timedelta(days=1)


def _changes(name: str, *datasets: str) -> Feed:
    return Feed(name=name, datasets=datasets or (name,), kind=FeedKind.CHANGES, every=_HOURLY)


def _snapshot(name: str) -> Feed:
    return Feed(name=name, datasets=(name,), kind=FeedKind.SNAPSHOT, every=_DAILY)


_LISTS = (
    _snapshot("organisation"),
    _changes("accounts"),
    _snapshot("tax_rates"),
    _snapshot("tracking_categories"),
    _changes("contacts"),
)
_DOCUMENTS = (
    _changes("invoices", "invoices", "bills"),
    _changes("bank_transactions"),
)

FEEDS: Mapping[Product, tuple[Feed, ...]] = {
    Product.BOOKKEEPING: _LISTS,
    Product.DATA_HEALTH: _LISTS + _DOCUMENTS,
}
