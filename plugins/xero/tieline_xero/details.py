"""One organisation's details, from Xero's `Organisation`.

https://developer.xero.com/documentation/api/accounting/organisation — its `APIKey` is a secret of the
organisation's own and is never read here.
"""

from __future__ import annotations

import re
from typing import Any

from tieline.errors import ProviderBroken
from tieline.plugins import OrganisationDetails, Session

_PATH = "api.xro/2.0/Organisation"
_COUNTRY = re.compile(r"[A-Z]{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")


async def details_of(session: Session, *, provider: str) -> OrganisationDetails:
    """The details of the session's organisation. Raises ProviderBroken when the answer has no name."""
    if session.organisation is None:
        raise ValueError("This session is bound to no organisation.")
    answer = await session.get(_PATH, headers={"xero-tenant-id": session.organisation})
    listed = answer.json().get("Organisations")
    if not isinstance(listed, list) or not listed or not isinstance(listed[0], dict):
        raise ProviderBroken(provider, "its Organisation has no organisation")
    return _read(listed[0], provider)


def _read(entry: dict[str, Any], provider: str) -> OrganisationDetails:
    name = _text(entry, "Name") or _text(entry, "LegalName")
    if name is None:
        raise ProviderBroken(provider, "an organisation has no name")
    return OrganisationDetails(
        name=name,
        legal_name=_text(entry, "LegalName"),
        country=_code(entry, "CountryCode", _COUNTRY),
        currency=_code(entry, "BaseCurrency", _CURRENCY),
        tax_number=_text(entry, "TaxNumber"),
        registration_number=_text(entry, "RegistrationNumber"),
        timezone=_text(entry, "Timezone"),
    )


def _text(entry: dict[str, Any], field: str) -> str | None:
    value = entry.get(field)
    return (" ".join(value.split()) or None) if isinstance(value, str) else None


def _code(entry: dict[str, Any], field: str, form: re.Pattern[str]) -> str | None:
    value = (_text(entry, field) or "").upper()
    return value if form.fullmatch(value) else None
