"""What is read of a company: one feed for all that change data capture covers, slow snapshots for the rest.

Both products read the same: a single call tells of all changes, whoever wants them.
https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/change-data-capture
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from tieline.plugins import Feed, FeedKind, Product
from tieline_quickbooks.mapping import NOUNS

ORGANISATION = Feed(
    name="organisation",
    datasets=("organisation", "preferences"),
    kind=FeedKind.SNAPSHOT,
    every=timedelta(days=1),
)
TAX_RATES = Feed(
    name="tax_rates",
    datasets=("tax_rates", "tax_agencies"),
    kind=FeedKind.SNAPSHOT,
    every=timedelta(days=7),
)
CHANGES = Feed(
    name="changes",
    datasets=tuple(dict.fromkeys(noun.dataset for noun in NOUNS)),
    kind=FeedKind.CHANGES,
    every=timedelta(hours=1),
)
_ALL = (ORGANISATION, TAX_RATES, CHANGES)

FEEDS: Mapping[Product, tuple[Feed, ...]] = {Product.BOOKKEEPING: _ALL, Product.DATA_HEALTH: _ALL}
