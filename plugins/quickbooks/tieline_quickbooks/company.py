"""A company's details, from CompanyInfo and Preferences; only the latter knows its currency.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/companyinfo
"""

from __future__ import annotations

from functools import partial
from typing import Any

from tieline.errors import ProviderBroken
from tieline.plugins import OrganisationDetails
from tieline_quickbooks.asking import Company
from tieline_quickbooks.mapping import Noun, Sorted, alpha_2, organisation, sorted_out
from tieline_quickbooks.wire import Unreadable, part, ref, text


async def name_of(company: Company) -> str:
    """What the company is called. Raises ProviderBroken where it does not say."""
    return _name(await _info(company), company.provider)


async def details_of(company: Company) -> OrganisationDetails:
    """The details of the session's company. Raises ProviderBroken where it has no name."""
    info = await _info(company)
    preferences = await _preferences(company)
    return OrganisationDetails(
        name=_name(info, company.provider),
        legal_name=text(info, "LegalName"),
        country=alpha_2(text(info, "Country")),
        currency=_currency(preferences),
        tax_number=text(info, "EmployerId"),
        registration_number=None,
        timezone=text(info, "DefaultTimeZone"),
    )


async def organisation_of(company: Company) -> Sorted:
    """The record of the company, known by its realm."""
    info = await _info(company)
    preferences = await _preferences(company)
    noun = Noun(
        entity="CompanyInfo",
        dataset="organisation",
        mapped=partial(organisation, preferences=preferences),
    )
    return sorted_out(noun, {**info, "Id": company.realm})


async def _info(company: Company) -> dict[str, Any]:
    found = (await company.get(f"companyinfo/{company.realm}")).json().get("CompanyInfo")
    if not isinstance(found, dict):
        raise ProviderBroken(company.provider, "its CompanyInfo has no company")
    return found


async def _preferences(company: Company) -> dict[str, Any]:
    return next((one for one in await company.preferences() if isinstance(one, dict)), {})


def _name(info: dict[str, Any], provider: str) -> str:
    name = " ".join((text(info, "CompanyName") or text(info, "LegalName") or "").split())
    if not name:
        raise ProviderBroken(provider, "a company has no name")
    return name


def _currency(preferences: dict[str, Any]) -> str | None:
    try:
        return ref(part(preferences, "CurrencyPrefs") or {}, "HomeCurrency")
    except Unreadable:
        return None
