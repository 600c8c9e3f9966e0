"""Companies: founded from a seed, and shown as the API shows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tieline_sandbox.books.values import Record
from tieline_sandbox.names import TOWNS, legal_name
from tieline_sandbox.quickbooks.books.parties import address
from tieline_sandbox.quickbooks.model import Company
from tieline_sandbox.quickbooks.wire import instant, on
from tieline_sandbox.seeds import Dice

_FIRST_FOUNDED = datetime(2018, 1, 8, 17, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class _Country:
    currency: str
    timezone: str
    year_start: str = "January"


_COUNTRIES = {
    "US": _Country(currency="USD", timezone="America/Los_Angeles"),
    "GB": _Country(currency="GBP", timezone="Europe/London", year_start="April"),
    "IE": _Country(currency="EUR", timezone="Europe/Dublin"),
    "AU": _Country(currency="AUD", timezone="Australia/Sydney", year_start="July"),
    "NZ": _Country(currency="NZD", timezone="Pacific/Auckland", year_start="April"),
    "CA": _Country(currency="CAD", timezone="America/Toronto"),
}


def realm_id_of(*words: object) -> str:
    """Sixteen digits that these words always give."""
    dice = Dice("quickbooks realm", *words)
    return "9341" + "".join(str(dice.below(10)) for _ in range(12))


def found(realm_id: str, *, seed: str, name: str, country: str = "US") -> Company:
    """A new company; what is not said follows from the seed."""
    dice, home = Dice("quickbooks company", seed), _COUNTRIES.get(country, _COUNTRIES["IE"])
    created_at = _FIRST_FOUNDED + timedelta(days=dice.below(2_500), seconds=dice.below(28_800))
    return Company(
        realm_id=realm_id,
        seed=seed,
        name=name,
        legal_name=legal_name(name),
        created_at=created_at,
        updated_at=created_at,
        country=country,
        currency=home.currency,
        timezone=home.timezone,
        fiscal_year_start_month=home.year_start,
        tax_number="".join(str(dice.below(10)) for _ in range(9)),
        email=f"office.{realm_id}@example.invalid",
    )


def info(company: Company) -> Record:
    """The entity `CompanyInfo`."""
    town = Dice("quickbooks town", company.seed).pick(TOWNS)
    home = address("1 High Street", town, company.country)
    fields: Record = {
        "CompanyName": company.name,
        "LegalName": company.legal_name,
        "CompanyAddr": home,
        "LegalAddr": home,
        "CompanyStartDate": on(company.created_at.date()),
        "EmployerId": company.tax_number,
        "FiscalYearStartMonth": company.fiscal_year_start_month,
        "Country": company.country,
        "Email": company.email and {"Address": company.email},
        "WebAddr": {},
        "SupportedLanguages": "en",
        "DefaultTimeZone": company.timezone,
        "NameValue": [
            {"Name": "NeoEnabled", "Value": "true"},
            {"Name": "OfferingSku", "Value": "QuickBooks Online Plus"},
        ],
        **_stem(company),
    }
    return {name: value for name, value in fields.items() if value is not None}


def preferences(company: Company) -> Record:
    """The entity `Preferences`, which alone tells the home currency."""
    books: Record = {
        "FirstMonthOfFiscalYear": company.fiscal_year_start_month,
        "UseAccountNumbers": True,
        "TrackDepartments": True,
        "ClassTrackingPerTxn": False,
        "ClassTrackingPerTxnLine": True,
    }
    if company.closing_date is not None:
        books["BookCloseDate"] = on(company.closing_date)
    return {
        "AccountingInfoPrefs": books,
        "CurrencyPrefs": {"MultiCurrencyEnabled": True, "HomeCurrency": {"value": company.currency}},
        "SalesFormsPrefs": {"CustomTxnNumbers": False, "DefaultTerms": {"value": "4"}},
        "TaxPrefs": {"UsingSalesTax": True},
        "OtherPrefs": {"NameValue": [{"Name": "WarnDuplicateBillNumber", "Value": "true"}]},
        **_stem(company),
    }


@dataclass(frozen=True, kw_only=True)
class Single:
    """An entity of which every company has exactly one record."""

    entity: str
    make: Callable[[Company], Record]


SINGLES = {
    single.entity.lower(): single
    for single in (Single(entity="CompanyInfo", make=info), Single(entity="Preferences", make=preferences))
}


def _stem(company: Company) -> Record:
    times = {"CreateTime": instant(company.created_at), "LastUpdatedTime": instant(company.updated_at)}
    return {"domain": "QBO", "sparse": False, "Id": "1", "SyncToken": "4", "MetaData": times}
