"""What documents refer to: accounts, classes, departments, terms, payment methods.

Names as in https://github.com/intuit/QuickBooks-V3-PHP-SDK (its Finance.xsd).
"""

from __future__ import annotations

from tieline.canonical import Account, PaymentMethod, Term, TrackingValue
from tieline_quickbooks.wire import Entry, amount, is_active, ref, text, whole

_BANKS = frozenset({"Bank", "Credit Card"})


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
