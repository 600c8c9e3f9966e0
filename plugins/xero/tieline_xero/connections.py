"""The organisations that a Xero user has connected to the app: Xero's `connections`.

The call names no organisation and spends no organisation's quota. A connection's `id` is not its `tenantId`.
https://developer.xero.com/documentation/best-practices/managing-connections/connections/
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from tieline.errors import AccessLost, NotAtProvider, ProviderBroken
from tieline.plugins import Consent, Reached, Session

_PATH = "connections"
_ORGANISATION = "ORGANISATION"
_BEFORE = timedelta(minutes=10)  # a person was at Xero for this long at most before the consent came back
_AFTER = timedelta(minutes=2)  # their clock may be ahead of ours


@dataclass(frozen=True, kw_only=True, slots=True)
class XeroConnection:
    """One entry of the list; `consent` is the event in which it was made, `updated_at` None if unreadable."""

    id: str
    tenant_id: str
    tenant_type: str
    tenant_name: str
    consent: str
    updated_at: datetime | None


async def reached(session: Session, consent: Consent | None, *, provider: str) -> list[Reached]:
    """The organisations, without practices and whatever else may be connected; each once."""
    connections = await _listed(session, provider)
    marked = _marked(connections, consent)
    organisations = {
        one.tenant_id: one for one in reversed(connections) if one.tenant_type.upper() == _ORGANISATION
    }
    consented = {one.tenant_id for one in marked}
    return [
        Reached(external_id=one.tenant_id, name=one.tenant_name, consented=one.tenant_id in consented)
        for one in reversed(organisations.values())
    ]


async def released(session: Session, tenant_id: str, *, provider: str) -> None:
    """Xero answers 404 or 403 for a connection that has just gone: either way it is no longer there."""
    for connection in await _listed(session, provider):
        if connection.tenant_id.lower() != tenant_id.lower():
            continue
        try:
            await session.request("DELETE", f"{_PATH}/{quote(connection.id, safe='')}")
        except (NotAtProvider, AccessLost):
            continue


def _marked(connections: list[XeroConnection], consent: Consent | None) -> list[XeroConnection]:
    """What the consent brought.

    Whether Xero gives a new mark to an organisation that was connected before is in doubt; where no entry bears
    the mark, those that were changed around the consent are taken.
    """
    if consent is None:
        return []
    mark, since, until = (consent.mark or "").lower(), consent.at - _BEFORE, consent.at + _AFTER
    marked = [one for one in connections if mark and one.consent.lower() == mark]
    return marked or [one for one in connections if one.updated_at and since <= one.updated_at <= until]


async def _listed(session: Session, provider: str) -> list[XeroConnection]:
    entries = (await session.get(_PATH)).json_list()
    return [_read(entry, provider) for entry in entries]


def _read(entry: Any, provider: str) -> XeroConnection:
    """An entry that cannot be read is not passed over: its organisation would seem to be gone."""
    if not isinstance(entry, dict) or not _text(entry, "id") or not _text(entry, "tenantId"):
        raise ProviderBroken(provider, "an entry of its connections has no ids")
    tenant_id = _text(entry, "tenantId")
    return XeroConnection(
        id=_text(entry, "id"),
        tenant_id=tenant_id,
        tenant_type=_text(entry, "tenantType"),
        tenant_name=_text(entry, "tenantName") or tenant_id,
        consent=_text(entry, "authEventId"),
        updated_at=_instant(_text(entry, "updatedDateUtc")),
    )


def _text(entry: dict[str, Any], name: str) -> str:
    value = entry.get(name)
    return value.strip() if isinstance(value, str) else ""


def _instant(text: str) -> datetime | None:
    """Xero writes UTC without a zone, with seven decimals."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
