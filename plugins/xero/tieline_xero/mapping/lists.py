"""Organisation, accounts, tax rates and tracking categories.

https://developer.xero.com/documentation/api/accounting/organisation
https://developer.xero.com/documentation/api/accounting/accounts
https://developer.xero.com/documentation/api/accounting/taxrates
https://developer.xero.com/documentation/api/accounting/trackingcategories
"""

from __future__ import annotations

from tieline.canonical import (
    Account,
    Organisation,
    TaxComponent,
    TaxRate,
    TrackingCategory,
    TrackingOption,
)
from tieline_xero.wire import Entry, amount, day, flag, guid, parts, text, whole

_SIDES = ("Assets", "Equity", "Expenses", "Liabilities", "Revenue")
_CLASSIFICATION = {"Assets": "ASSET", "Expenses": "EXPENSE", "Liabilities": "LIABILITY"}


def organisation(id: str, entry: Entry) -> Organisation:
    status = text(entry, "OrganisationStatus")
    return Organisation(
        id=id,
        name=text(entry, "Name"),
        legal_name=text(entry, "LegalName"),
        country=text(entry, "CountryCode"),
        currency=text(entry, "BaseCurrency"),
        tax_number=text(entry, "TaxNumber"),
        registration_number=text(entry, "RegistrationNumber"),
        timezone=text(entry, "Timezone"),
        year_end_day=whole(entry, "FinancialYearEndDay"),
        year_end_month=whole(entry, "FinancialYearEndMonth"),
        locked_until=day(entry, "PeriodLockDate"),
        closed_until=day(entry, "EndOfYearLockDate"),
        edition=text(entry, "Class"),
        is_demo=flag(entry, "IsDemoCompany"),
        status=status,
        active=is_active(status),
    )


def account(id: str, entry: Entry) -> Account:
    status = text(entry, "Status")
    return Account(
        id=id,
        code=text(entry, "Code"),
        name=text(entry, "Name"),
        type=text(entry, "Type"),
        classification=text(entry, "Class"),
        description=text(entry, "Description"),
        currency=text(entry, "CurrencyCode"),
        tax_code=text(entry, "TaxType"),
        bank_account_type=text(entry, "BankAccountType"),
        bank_account_number=text(entry, "BankAccountNumber"),
        system_role=text(entry, "SystemAccount"),
        takes_payments=flag(entry, "EnablePaymentsToAccount"),
        status=status,
        active=is_active(status),
    )


def tax_rate(id: str, entry: Entry) -> TaxRate:
    status = text(entry, "Status")
    return TaxRate(
        id=id,
        code=id,
        name=text(entry, "Name"),
        percent=amount(entry, "EffectiveRate"),
        applies_to=tuple(
            _CLASSIFICATION.get(side, side.upper()) for side in _SIDES if flag(entry, f"CanApplyTo{side}")
        ),
        report_code=text(entry, "ReportTaxType"),
        components=tuple(
            TaxComponent(
                name=text(one, "Name"),
                percent=amount(one, "Rate"),
                is_compound=flag(one, "IsCompound"),
                is_recoverable=not flag(one, "IsNonRecoverable"),
            )
            for one in parts(entry, "TaxComponents")
        ),
        status=status,
        active=is_active(status),
    )


def tracking_category(id: str, entry: Entry) -> TrackingCategory:
    status = text(entry, "Status")
    return TrackingCategory(
        id=id,
        name=text(entry, "Name"),
        options=tuple(_option(one) for one in parts(entry, "Options")),
        status=status,
        active=is_active(status),
    )


def is_active(status: str | None) -> bool:
    """Whether new entries may use it; a status nobody has heard of says no, none at all says nothing against it."""
    return status is None or status.upper() == "ACTIVE"


def _option(entry: Entry) -> TrackingOption:
    status = text(entry, "Status")
    return TrackingOption(
        id=guid(entry, "TrackingOptionID"),
        name=text(entry, "Name"),
        status=status,
        active=is_active(status),
    )
