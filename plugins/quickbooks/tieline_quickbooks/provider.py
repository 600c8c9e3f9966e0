"""QuickBooks Online: the data of its consent, and each method handed to the module that knows.

https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0
https://blogs.intuit.com/2025/11/12/important-changes-to-refresh-token-policy
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx

from tieline.errors import AppRemoved
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
from tieline_quickbooks import company, faults, identity, limits, reading
from tieline_quickbooks.asking import Company
from tieline_quickbooks.feeds import FEEDS
from tieline_quickbooks.settling import SETTINGS
from tieline_quickbooks.webhooks import WEBHOOKS, parse

_SLUG = "quickbooks"
_ACCOUNTING = "com.intuit.quickbooks.accounting"

_INFO = ProviderInfo(
    slug=_SLUG,
    name="QuickBooks Online",
    contract_version=1,
    products=(Product.BOOKKEEPING, Product.DATA_HEALTH),
    bulk_consent=False,
    guided_queue=True,
    feeds=FEEDS,
    tiers=limits.TIERS,
    settings=(
        Setting(
            name="lapse_is_proof",
            default=False,
            meaning="Whether Intuit looks at the token before it says that a subscription lapsed (6190).",
        ),
        Setting(
            name="monthly_reads",
            default=limits.BUILDERS_READS,
            meaning="The reads a month that a tier above `builder` includes; 0: they are not counted.",
            most=1_000_000_000,
        ),
    ),
    connection_settings=SETTINGS,
)
_ENDPOINTS = Endpoints(
    authorize="https://appcenter.intuit.com/connect/oauth2",
    token="https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",  # noqa: S106 - an address
    revocation="https://developer.api.intuit.com/v2/oauth2/tokens/revoke",
    api="https://quickbooks.api.intuit.com",
    reconnect_authorize="https://appcenter.intuit.com/app/connect/oauth2/request"
    "?appId={client_id}&realmId={organisation}&mode=reconnect",
    userinfo="https://accounts.platform.intuit.com/v1/openid_connect/userinfo",
    reference_header="intuit_tid",
)
_SANDBOX = replace(
    _ENDPOINTS,
    api="https://sandbox-quickbooks.api.intuit.com",
    userinfo="https://sandbox-accounts.platform.intuit.com/v1/openid_connect/userinfo",
)
_OAUTH = OAuth(
    endpoints=_ENDPOINTS,
    sandbox_endpoints=_SANDBOX,
    base_scopes=("openid", "profile", "email"),
    product_scopes={Product.BOOKKEEPING: (_ACCOUNTING,), Product.DATA_HEALTH: (_ACCOUNTING,)},
    client_authentication=ClientAuthentication.BASIC,
    revocation=RevocationForm.JSON,
    access_life=timedelta(hours=1),
    refresh_life=timedelta(days=100),
    rotation_grace=timedelta(0),
    token_headers={"x-include-refresh-token-hard-expires-in": "true"},
    hard_expiry_field="x_refresh_token_hard_expires_in",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class QuickBooks:
    """The provider that the hook returns."""

    info: ProviderInfo = _INFO
    oauth: OAuth = _OAUTH
    monthly_reads: int = limits.BUILDERS_READS
    webhooks: Webhooks = WEBHOOKS

    def settled(self, values: Mapping[str, bool | int]) -> QuickBooks:
        oauth = replace(self.oauth, lapse_is_proof=bool(values["lapse_is_proof"]))
        return replace(self, oauth=oauth, monthly_reads=int(values["monthly_reads"]))

    def limits(self, tier: str | None) -> Sequence[Limit]:
        return limits.limits_of(tier, monthly_reads=self.monthly_reads)

    def remaining(self, response: httpx.Response) -> Sequence[Remaining]:  # noqa: ARG002 - Intuit says nothing
        return ()

    def classify(self, response: httpx.Response) -> Fault | None:
        return faults.classify(response)

    def subject(self, grant: Grant) -> Subject:
        return identity.subject_of(grant, provider=_SLUG)

    async def organisations(
        self,
        session: Session,
        consent: Consent | None,  # noqa: ARG002 - each consent is for the one company
    ) -> Sequence[Reached]:
        found = Company(session=session, provider=_SLUG, realm=session.subject)
        try:
            name = await company.name_of(found)
        except AppRemoved:
            return []
        return [Reached(external_id=found.realm, name=name, consented=True)]

    async def organisation(self, session: Session) -> OrganisationDetails:
        return await company.details_of(Company.of(session, provider=_SLUG))

    async def release(self, session: Session, external_id: str) -> None:
        """Intuit knows no other way than to end the company's tokens."""

    def pull(self, session: Session, feed: Feed, cursor: str | None) -> AsyncIterator[Page]:
        return reading.pull(session, feed, cursor, provider=_SLUG)

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes, secret: Secret
    ) -> Sequence[WebhookEvent]:
        return parse(headers, body, secret)
