"""What documents are written in and look like: the organisation's currencies and its branding themes."""

from __future__ import annotations

from tieline_sandbox.books.values import Record
from tieline_sandbox.xero.books.ledger import Ledger
from tieline_sandbox.xero.wire import ms_date

_CURRENCIES = {
    "GBP": "British Pound",
    "EUR": "Euro",
    "USD": "United States Dollar",
    "AUD": "Australian Dollar",
    "NZD": "New Zealand Dollar",
    "CAD": "Canadian Dollar",
    "CHF": "Swiss Franc",
    "JPY": "Japanese Yen",
    "SEK": "Swedish Krona",
    "ZAR": "South African Rand",
}
_THEMES = ("Standard", "Very orange invoice!", "Special projects", "Quarterly")


def currency_codes(ledger: Ledger) -> tuple[str, ...]:
    """The organisation's own first, then those that its documents are in."""
    return (ledger.currency, *(code for code in _CURRENCIES if code != ledger.currency))


def currency(ledger: Ledger, number: int) -> Record:
    codes = currency_codes(ledger)
    code = codes[number] if number < len(codes) else f"X{number:02}"
    return {"Code": code, "Description": _CURRENCIES.get(code, code)}


def branding_theme(ledger: Ledger, number: int) -> Record:
    lap, place = divmod(number, len(_THEMES))
    return {
        "BrandingThemeID": ledger.id_of("branding_themes", number),
        "Name": f"{_THEMES[place]} {lap + 1}" if lap else _THEMES[place],
        "LogoUrl": f"https://example.invalid/logos/{number + 1}.png",
        "Type": "INVOICE",
        "SortOrder": number,
        "CreatedDateUTC": ms_date(ledger.updated_at("branding_themes", number)),
    }
