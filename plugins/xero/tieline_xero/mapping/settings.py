"""Currencies and branding themes.

https://developer.xero.com/documentation/api/accounting/currencies
https://developer.xero.com/documentation/api/accounting/brandingthemes
"""

from __future__ import annotations

from tieline.canonical import BrandingTheme, Currency
from tieline_xero.mapping.lists import is_active
from tieline_xero.wire import Entry, text, whole


def currency(id: str, entry: Entry) -> Currency:
    status = text(entry, "Status")
    return Currency(id=id, name=text(entry, "Description"), status=status, active=is_active(status))


def branding_theme(id: str, entry: Entry) -> BrandingTheme:
    status = text(entry, "Status")
    return BrandingTheme(
        id=id,
        name=text(entry, "Name"),
        position=whole(entry, "SortOrder"),
        status=status,
        active=is_active(status),
    )
