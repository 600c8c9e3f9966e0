"""The company itself, and how its books are set up.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/companyinfo
https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/preferences
"""

from __future__ import annotations

from datetime import date, timedelta

from tieline.canonical import Organisation, Preferences
from tieline_quickbooks.mapping.countries import alpha_2
from tieline_quickbooks.wire import Entry, day, flag, part, parts, ref, text

_MONTHS = (
    "January February March April May June July August September October November December".lower().split()
)
_LEAP_YEAR = 2000


def organisation(id: str, entry: Entry, preferences: Entry) -> Organisation:
    """From CompanyInfo and Preferences, which alone knows the currency and until when the books are closed."""
    currencies = part(preferences, "CurrencyPrefs") or {}
    accounting = part(preferences, "AccountingInfoPrefs") or {}
    last = _end_of_year(text(entry, "FiscalYearStartMonth"))
    return Organisation(
        id=id,
        name=text(entry, "CompanyName"),
        legal_name=text(entry, "LegalName"),
        country=alpha_2(text(entry, "Country")),
        currency=ref(currencies, "HomeCurrency"),
        tax_number=text(entry, "EmployerId"),
        registration_number=None,
        timezone=text(entry, "DefaultTimeZone"),
        year_end_day=last.day if last else None,
        year_end_month=last.month if last else None,
        locked_until=None,
        closed_until=day(accounting, "BookCloseDate"),
        edition=_named(entry, "OfferingSku"),
        is_demo=flag(entry, "SampleFile"),
        status=text(entry, "status"),
        active=True,
    )


def preferences(id: str, entry: Entry) -> Preferences:
    """Classes are tracked by transaction or by line; the term is the one that invoices begin with."""
    accounting, sales = (part(entry, field) or {} for field in ("AccountingInfoPrefs", "SalesFormsPrefs"))
    currencies, taxes = (part(entry, field) or {} for field in ("CurrencyPrefs", "TaxPrefs"))
    by_line = flag(accounting, "ClassTrackingPerTxnLine")
    warns = _named(part(entry, "OtherPrefs") or {}, "WarnDuplicateBillNumber")
    return Preferences(
        id=id,
        currency=ref(currencies, "HomeCurrency"),
        is_multi_currency=flag(currencies, "MultiCurrencyEnabled"),
        uses_tax=flag(taxes, "UsingSalesTax") or flag(taxes, "PartnerTaxEnabled"),
        tracks_classes=by_line or flag(accounting, "ClassTrackingPerTxn"),
        tracks_classes_by_line=by_line,
        tracks_departments=flag(accounting, "TrackDepartments"),
        numbers_documents_by_hand=flag(sales, "CustomTxnNumbers"),
        warns_of_double_numbers=(warns or "").lower() == "true",
        term_id=ref(sales, "DefaultTerms"),
        status=text(entry, "status"),
        active=True,
    )


def _end_of_year(first_month: str | None) -> date | None:
    """The day before the first of that month; the last of February counts as the 29th."""
    if first_month is None or first_month.lower() not in _MONTHS:
        return None
    return date(_LEAP_YEAR, _MONTHS.index(first_month.lower()) + 1, 1) - timedelta(days=1)


def _named(entry: Entry, name: str) -> str | None:
    """One of the company's pairs of a name and a value."""
    return next((text(pair, "Value") for pair in parts(entry, "NameValue") if pair.get("Name") == name), None)
