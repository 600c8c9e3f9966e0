"""A company's details and preferences; only the latter know its currency.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/companyinfo
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from tieline.errors import ProviderBroken
from tieline.plugins import OrganisationDetails
from tieline_quickbooks.asking import Company
from tieline_quickbooks.mapping import Noun, Sorted, alpha_2, organisation, preferences, sorted_out
from tieline_quickbooks.wire import Unreadable, part, ref, text

_PREFERENCES = Noun(entity="Preferences", dataset="preferences", mapped=preferences)


async def name_of(company: Company) -> str:
    """What the company is called. Raises ProviderBroken where it does not say."""
    return _name(await _info(company), company.provider)


async def details_of(company: Company) -> OrganisationDetails:
    """The details of the session's company. Raises ProviderBroken where it has no name."""
    info = await _info(company)
    said = await _preferences(company)
    return OrganisationDetails(
        name=_name(info, company.provider),
        legal_name=text(info, "LegalName"),
        country=alpha_2(text(info, "Country")),
        currency=_currency(said),
        tax_number=text(info, "EmployerId"),
        registration_number=None,
        timezone=text(info, "DefaultTimeZone"),
    )


async def organisation_of(company: Company) -> Sequence[Sorted]:
    """The records of the company and of its preferences, known by its realm."""
    info = await _info(company)
    said = await _preferences(company)
    mapped = partial(organisation, preferences=said)
    found = sorted_out(
        Noun(entity="CompanyInfo", dataset="organisation", mapped=mapped), {**info, "Id": company.realm}
    )
    return [found, sorted_out(_PREFERENCES, {**said, "Id": company.realm})] if said else [found]


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


def _currency(said: dict[str, Any]) -> str | None:
    try:
        return ref(part(said, "CurrencyPrefs") or {}, "HomeCurrency")
    except Unreadable:
        return None
