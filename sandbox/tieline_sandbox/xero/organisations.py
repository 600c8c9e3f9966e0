"""Organisations: founded from a seed, and shown as the API shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tieline_sandbox.names import legal_name
from tieline_sandbox.seeds import Dice, uuid_of
from tieline_sandbox.xero.model import Organisation
from tieline_sandbox.xero.wire import ms_date, ms_instant

_FIRST_FOUNDED = datetime(2016, 1, 4, 9, tzinfo=UTC)
_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(frozen=True, kw_only=True)
class _Country:
    currency: str
    version: str
    timezone: str
    year_end: tuple[int, int]
    tax_digits: int
    tax_prefix: str = ""


_COUNTRIES = {
    "GB": _Country(
        currency="GBP",
        version="UK",
        timezone="GMTSTANDARDTIME",
        year_end=(31, 3),
        tax_digits=9,
        tax_prefix="GB",
    ),
    "IE": _Country(
        currency="EUR",
        version="GLOBAL",
        timezone="GMTSTANDARDTIME",
        year_end=(31, 12),
        tax_digits=7,
        tax_prefix="IE",
    ),
    "AU": _Country(
        currency="AUD", version="AU", timezone="AUSEASTERNSTANDARDTIME", year_end=(30, 6), tax_digits=11
    ),
    "NZ": _Country(
        currency="NZD", version="NZ", timezone="NEWZEALANDSTANDARDTIME", year_end=(31, 3), tax_digits=9
    ),
    "US": _Country(
        currency="USD", version="US", timezone="EASTERNSTANDARDTIME", year_end=(31, 12), tax_digits=9
    ),
}


def tenant_id_of(*words: object) -> str:
    return uuid_of("xero tenant", *words)


def found(tenant_id: str, *, seed: str, name: str, country: str = "GB") -> Organisation:
    """A new organisation; what is not said follows from the seed."""
    dice, home = Dice("xero organisation", seed), _COUNTRIES.get(country, _COUNTRIES["IE"])
    return Organisation(
        tenant_id=tenant_id,
        seed=seed,
        name=name,
        legal_name=legal_name(name),
        created_at=_FIRST_FOUNDED + timedelta(days=dice.below(3_000), seconds=dice.below(28_800)),
        country=country,
        currency=home.currency,
        version=home.version,
        timezone=home.timezone,
        short_code="!" + "".join(dice.pick(_LETTERS) for _ in range(5)),
        organisation_class=dice.pick(("IGNITE", "GROW", "COMPREHENSIVE", "ULTIMATE")),
        tax_number=home.tax_prefix + "".join(str(dice.below(10)) for _ in range(home.tax_digits)),
        registration_number="".join(str(dice.below(10)) for _ in range(8)),
        financial_year_end_day=home.year_end[0],
        financial_year_end_month=home.year_end[1],
    )


def shown(organisation: Organisation) -> dict[str, Any]:
    """The element of `Organisations`."""
    one = organisation
    fields: dict[str, Any] = {
        "Name": one.name,
        "LegalName": one.legal_name,
        "PaysTax": one.pays_tax,
        "Version": one.version,
        "OrganisationType": one.organisation_type,
        "BaseCurrency": one.currency,
        "CountryCode": one.country,
        "IsDemoCompany": one.is_demo_company,
        "OrganisationStatus": one.status,
        "RegistrationNumber": one.registration_number,
        "TaxNumber": one.tax_number,
        "FinancialYearEndDay": one.financial_year_end_day,
        "FinancialYearEndMonth": one.financial_year_end_month,
        "SalesTaxBasis": "ACCRUALS",
        "SalesTaxPeriod": "QUARTERLY",
        "DefaultSalesTax": "Tax Exclusive",
        "DefaultPurchasesTax": "Tax Exclusive",
        "PeriodLockDate": one.period_lock_date and ms_date(one.period_lock_date),
        "EndOfYearLockDate": one.end_of_year_lock_date and ms_date(one.end_of_year_lock_date),
        "CreatedDateUTC": ms_instant(one.created_at),
        "OrganisationEntityType": one.organisation_type,
        "Timezone": one.timezone,
        "ShortCode": one.short_code,
        "OrganisationID": one.tenant_id,
        "Edition": one.edition,
        "Class": one.organisation_class,
        "Addresses": [],
        "Phones": [],
        "ExternalLinks": [],
        "PaymentTerms": {},
    }
    return {name: value for name, value in fields.items() if value is not None}
