"""A provider that is only data, for practices whose books are written straight into the tables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import httpx

from tieline import host
from tieline.plugins import (
    CONTRACT_VERSION,
    ClientAuthentication,
    Consent,
    Endpoints,
    Fault,
    Feed,
    FeedKind,
    Grant,
    Limit,
    OAuth,
    OrganisationDetails,
    Page,
    Product,
    Provider,
    ProviderInfo,
    Reached,
    Registry,
    Remaining,
    RevocationForm,
    Session,
    Subject,
)

BOOKKEEPING, DATA_HEALTH = Product.BOOKKEEPING, Product.DATA_HEALTH
LISTS = ("accounts", "contacts")
ALL_SCOPES = ("ledger", "reports")
_DAY = timedelta(days=1)


def _feed(name: str) -> Feed:
    return Feed(name=name, datasets=(name,), kind=FeedKind.CHANGES, every=_DAY)


class Pretend:
    """A provider that is only data: nothing here speaks to it."""

    def __init__(self, slug: str = "pretend") -> None:
        self.info = ProviderInfo(
            slug=slug,
            name=slug.title(),
            contract_version=CONTRACT_VERSION,
            products=(BOOKKEEPING, DATA_HEALTH),
            bulk_consent=True,
            guided_queue=False,
            feeds={
                BOOKKEEPING: tuple(_feed(name) for name in LISTS),
                DATA_HEALTH: (_feed("accounts"), _feed("reports")),
            },
        )
        base = "https://pretend.invalid"
        self.oauth = OAuth(
            endpoints=Endpoints(
                authorize=f"{base}/authorize",
                token=f"{base}/token",
                revocation=f"{base}/revoke",
                api=f"{base}/api",
            ),
            base_scopes=(),
            product_scopes={BOOKKEEPING: ("ledger",), DATA_HEALTH: ("reports",)},
            client_authentication=ClientAuthentication.BASIC,
            revocation=RevocationForm.FORM,
            access_life=timedelta(minutes=30),
            refresh_life=timedelta(days=60),
            rotation_grace=timedelta(minutes=30),
        )

    def limits(self, tier: str | None) -> Sequence[Limit]:
        del tier
        return ()

    def remaining(self, response: httpx.Response) -> Sequence[Remaining]:
        raise NotImplementedError

    def classify(self, response: httpx.Response) -> Fault | None:
        raise NotImplementedError

    def subject(self, grant: Grant) -> Subject:
        raise NotImplementedError

    async def organisations(self, session: Session, consent: Consent | None) -> Sequence[Reached]:
        raise NotImplementedError

    async def organisation(self, session: Session) -> OrganisationDetails:
        raise NotImplementedError

    async def release(self, session: Session, external_id: str) -> None:
        raise NotImplementedError

    def pull(self, session: Session, feed: Feed, cursor: str | None) -> AsyncIterator[Page]:
        raise NotImplementedError


@contextmanager
def pretending(*providers: Provider) -> Iterator[None]:
    """This process has these providers, or the two pretend ones, and no other, until the block ends."""
    before = host.host()
    host.install(replace(before, registry=Registry.of(*(providers or (Pretend(), Pretend("feigned"))))))
    try:
        yield
    finally:
        host.install(before)
