"""Xero: the data of its consent, and each method handed to the module that knows.

https://developer.xero.com/documentation/guides/oauth2/auth-flow
https://developer.xero.com/documentation/guides/oauth2/token-types
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx

from tieline.plugins import (
    ClientAuthentication,
    Consent,
    Endpoints,
    Fault,
    Feed,
    Grant,
    Limit,
    OAuth,
    OrganisationDetails,
    Page,
    Product,
    ProviderInfo,
    Reached,
    Remaining,
    RevocationForm,
    Session,
    Setting,
    Subject,
    WebhookEvent,
    Webhooks,
)
from tieline.vault import Secret
from tieline_xero import connections, details, faults, identity, limits, reading, scopes
from tieline_xero.feeds import FEEDS
from tieline_xero.settling import SETTINGS
from tieline_xero.webhooks import WEBHOOKS, parse

_SLUG = "xero"

_INFO = ProviderInfo(
    slug=_SLUG,
    name="Xero",
    contract_version=1,
    products=(Product.BOOKKEEPING, Product.DATA_HEALTH),
    bulk_consent=True,
    guided_queue=True,
    feeds=FEEDS,
    tiers=limits.TIERS,
    settings=(
        Setting(
            name="page_size",
            default=reading.PAGE_SIZE,
            meaning="How many records a page is asked for; 100 is what older pages of Xero's promise.",
            least=100,
            most=reading.PAGE_SIZE,
        ),
    ),
    connection_settings=SETTINGS,
)
_OAUTH = OAuth(
    endpoints=Endpoints(
        authorize="https://login.xero.com/identity/connect/authorize",
        token="https://identity.xero.com/connect/token",  # noqa: S106 - an address
        revocation="https://identity.xero.com/connect/revocation",
        api="https://api.xero.com",
        issuer="https://identity.xero.com",
        reference_header="xero-correlation-id",
    ),
    base_scopes=scopes.BASE,
    product_scopes=scopes.PRODUCTS,
    wider=scopes.WIDER,
    client_authentication=ClientAuthentication.BASIC,
    revocation=RevocationForm.FORM,
    access_life=timedelta(minutes=30),
    refresh_life=timedelta(days=60),
    rotation_grace=timedelta(minutes=30),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Xero:
    """The provider that the hook returns."""

    info: ProviderInfo = _INFO
    oauth: OAuth = _OAUTH
    page_size: int = reading.PAGE_SIZE
    webhooks: Webhooks = WEBHOOKS

    def settled(self, values: Mapping[str, bool | int]) -> Xero:
        return replace(self, page_size=int(values["page_size"]))

    def limits(self, tier: str | None) -> Sequence[Limit]:
        return limits.limits_of(tier)

    def remaining(self, response: httpx.Response) -> Sequence[Remaining]:
        return limits.remaining_of(response)

    def classify(self, response: httpx.Response) -> Fault | None:
        return faults.classify(response)

    def subject(self, grant: Grant) -> Subject:
        return identity.subject_of(grant, provider=_SLUG)

    async def organisations(self, session: Session, consent: Consent | None) -> Sequence[Reached]:
        return await connections.reached(session, consent, provider=_SLUG)

    async def organisation(self, session: Session) -> OrganisationDetails:
        return await details.details_of(session, provider=_SLUG)

    async def release(self, session: Session, external_id: str) -> None:
        await connections.released(session, external_id, provider=_SLUG)

    def pull(self, session: Session, feed: Feed, cursor: str | None) -> AsyncIterator[Page]:
        return reading.pull(session, feed, cursor, provider=_SLUG, page_size=self.page_size)

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes, secret: Secret
    ) -> Sequence[WebhookEvent]:
        return parse(headers, body, secret)
