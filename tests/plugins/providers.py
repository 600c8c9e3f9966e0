"""A provider of the tests' own, made from data: its answers mean what their status says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx

from tieline.plugins import (
    ClientAuthentication,
    Consent,
    Endpoints,
    Fault,
    Feed,
    FeedKind,
    Grant,
    Limit,
    LimitKind,
    LimitScope,
    OAuth,
    OrganisationDetails,
    Page,
    Product,
    ProviderInfo,
    Reached,
    Remaining,
    RevocationForm,
    Session,
    Subject,
    faults,
)

FEED = Feed(name="accounts", datasets=("accounts",), kind=FeedKind.CHANGES, every=timedelta(hours=1))
INFO = ProviderInfo(
    slug="abacus",
    name="Abacus",
    contract_version=1,
    products=(Product.BOOKKEEPING,),
    bulk_consent=False,
    guided_queue=True,
    feeds={Product.BOOKKEEPING: (FEED,)},
)
OAUTH = OAuth(
    endpoints=Endpoints(
        authorize="https://login.abacus.test/oauth/authorize",
        token="https://id.abacus.test/oauth/token",
        revocation="https://id.abacus.test/oauth/revoke",
        api="https://api.abacus.test/v3",
    ),
    base_scopes=("openid", "offline"),
    product_scopes={Product.BOOKKEEPING: ("ledger", "contacts.read")},
    wider={"contacts.read": ("contacts",)},
    client_authentication=ClientAuthentication.BASIC,
    revocation=RevocationForm.FORM,
    access_life=timedelta(hours=1),
    refresh_life=timedelta(days=100),
    rotation_grace=timedelta(0),
)
MEANINGS: Mapping[int, Fault] = {
    400: faults.Rejected(message="The name is taken.", fields={"Name": "It is taken."}),
    401: faults.TokenExpired(),
    402: faults.SubscriptionLapsed(),
    403: faults.AccessLost(),
    404: faults.Missing(),
    405: faults.ScopeMissing(),
    410: faults.AppRemoved(),
    429: faults.Throttled(limit="day", scope=LimitScope.ORGANISATION, retry_after=timedelta(seconds=70)),
    500: faults.Broken(message="the ledger is upside down"),
    503: faults.Transient(message="the status was 503"),
}


@dataclass(frozen=True, kw_only=True)
class Abacus:
    """One consent is for one company, which the callback names, as QuickBooks does it."""

    info: ProviderInfo = INFO
    oauth: OAuth = OAUTH

    def limits(self, tier: str | None) -> Sequence[Limit]:
        del tier
        return (
            Limit(
                name="day",
                scope=LimitScope.ORGANISATION,
                kind=LimitKind.DAY,
                most=500,
                source="https://abacus.test/limits",
            ),
        )

    def remaining(self, response: httpx.Response) -> Sequence[Remaining]:
        left = response.headers.get("left")
        return () if left is None else (Remaining(limit="day", left=int(left)),)

    def classify(self, response: httpx.Response) -> Fault | None:
        return MEANINGS.get(response.status_code)

    def subject(self, grant: Grant) -> Subject:
        return Subject(id=grant.parameters["company"], login=None, consent=None)

    async def organisations(self, session: Session, consent: Consent | None) -> Sequence[Reached]:
        del consent
        return [
            Reached(external_id=session.subject, name=(await self.organisation(session)).name, consented=True)
        ]

    async def organisation(self, session: Session) -> OrganisationDetails:
        name = (await session.get(f"company/{session.subject}")).json()["name"]
        return OrganisationDetails(
            name=name,
            legal_name=None,
            country=None,
            currency=None,
            tax_number=None,
            registration_number=None,
            timezone=None,
        )

    async def release(self, session: Session, external_id: str) -> None:
        await session.request("DELETE", f"company/{external_id}")

    async def pull(self, session: Session, feed: Feed, cursor: str | None) -> AsyncIterator[Page]:
        del session, feed, cursor
        yield Page(records=(), cursor=None, last=True)


def abacus(**changes: Any) -> Abacus:
    """The provider with other data in its `info`."""
    return Abacus(info=replace(INFO, **changes))
