"""The company itself, and what documents refer to: accounts, classes, departments, terms, payment methods, taxes.

Names as in https://github.com/intuit/QuickBooks-V3-PHP-SDK (its Finance.xsd).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from tieline.canonical import (
    Account,
    Organisation,
    PaymentMethod,
    TaxComponent,
    TaxRate,
    Term,
    TrackingValue,
)
from tieline_quickbooks.mapping.countries import alpha_2
from tieline_quickbooks.wire import Entry, amount, day, flag, is_active, part, parts, ref, text, whole

_MONTHS = (
    "January February March April May June July August September October November December".lower().split()
)
_BANKS = frozenset({"Bank", "Credit Card"})
_TAX_LISTS = ("SalesTaxRateList", "PurchaseTaxRateList")
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


def account(id: str, entry: Entry) -> Account:
    """`Classification` is the side: Asset, Equity, Expense, Liability, Revenue."""
    type_, side = text(entry, "AccountType"), text(entry, "Classification")
    is_bank = type_ in _BANKS
    return Account(
        id=id,
        code=text(entry, "AcctNum"),
        name=text(entry, "FullyQualifiedName") or text(entry, "Name"),
        type=type_,
        classification=side and side.upper(),
        description=text(entry, "Description"),
        currency=ref(entry, "CurrencyRef"),
        tax_code=ref(entry, "TaxCodeRef"),
        bank_account_type=text(entry, "AccountSubType") if is_bank else None,
        bank_account_number=text(entry, "BankNum"),
        system_role=None,
        takes_payments=is_bank,
        status=text(entry, "status"),
        active=is_active(entry),
    )


def tax_code(id: str, entry: Entry, rates: Mapping[str, Entry]) -> TaxRate:
    """What a line names: a code, made of the rates of its sales and purchase sides.

    A rate that stands on both sides is one component; `percent` is known where all of its rates are.
    """
    sides = [part(entry, field) or {} for field in _TAX_LISTS]
    listed = dict.fromkeys(
        rate for side in sides for one in parts(side, "TaxRateDetail") if (rate := ref(one, "TaxRateRef"))
    )
    found = {rate: rates.get(rate, {}) for rate in listed}
    components = tuple(
        TaxComponent(
            name=text(rate, "Name"),
            percent=amount(rate, "RateValue"),
            is_compound=False,
            is_recoverable=True,
        )
        for rate in found.values()
    )
    return TaxRate(
        id=id,
        code=id,
        name=text(entry, "Name"),
        percent=_percent(sides, rates),
        applies_to=(),
        report_code=None,
        components=components,
        status=text(entry, "status"),
        active=is_active(entry) and not flag(entry, "Hidden"),
    )


def tracking_class(id: str, entry: Entry) -> TrackingValue:
    return _tracking_value(id, entry, "Class")


def department(id: str, entry: Entry) -> TrackingValue:
    """What people see as "Location"."""
    return _tracking_value(id, entry, "Department")


def term(id: str, entry: Entry) -> Term:
    return Term(
        id=id,
        name=text(entry, "Name"),
        due_days=whole(entry, "DueDays"),
        due_day_of_month=whole(entry, "DayOfMonthDue"),
        discount_percent=amount(entry, "DiscountPercent"),
        discount_days=whole(entry, "DiscountDays"),
        status=text(entry, "status"),
        active=is_active(entry),
    )


def payment_method(id: str, entry: Entry) -> PaymentMethod:
    return PaymentMethod(
        id=id,
        name=text(entry, "Name"),
        type=text(entry, "Type"),
        status=text(entry, "status"),
        active=is_active(entry),
    )


def _tracking_value(id: str, entry: Entry, category: str) -> TrackingValue:
    return TrackingValue(
        id=id,
        category=category,
        name=text(entry, "FullyQualifiedName") or text(entry, "Name"),
        parent_id=ref(entry, "ParentRef"),
        status=text(entry, "status"),
        active=is_active(entry),
    )


def _percent(sides: list[Entry], rates: Mapping[str, Entry]) -> Decimal | None:
    """What the first side that has rates charges in all; None where one of them is not known."""
    for side in sides:
        charged = [
            amount(rates.get(ref(one, "TaxRateRef") or "", {}), "RateValue")
            for one in parts(side, "TaxRateDetail")
        ]
        if charged:
            known = [percent for percent in charged if percent is not None]
            return sum(known, Decimal(0)) if len(known) == len(charged) else None
    return None


def _end_of_year(first_month: str | None) -> date | None:
    """The day before the first of that month; the last of February counts as the 29th."""
    if first_month is None or first_month.lower() not in _MONTHS:
        return None
    return date(_LEAP_YEAR, _MONTHS.index(first_month.lower()) + 1, 1) - timedelta(days=1)


def _named(entry: Entry, name: str) -> str | None:
    """One of the company's pairs of a name and a value."""
    return next((text(pair, "Value") for pair in parts(entry, "NameValue") if pair.get("Name") == name), None)
