"""A provider whose grants are for one company each, end for good some day, and answer by script, in this process.

A refresh token lives 100 days and gets another value when it is used a day after the last one; the old one is dead at
once. A grant that has a hard end ends then, however often it was refreshed.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import parse_qs

import httpx

from tests.support.books import Pretend
from tieline import clock, host
from tieline.clients.service import NewClient, create_client
from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.repository import ConnectionRepository, NewConnection
from tieline.credentials.apps.repository import App, AppRepository
from tieline.credentials.apps.service import NewApp, add_app
from tieline.credentials.pairs import Pair
from tieline.credentials.repository import CredentialRepository
from tieline.credentials.service import keep_consent
from tieline.database import scope
from tieline.ids import ConnectionId, PersonId, PracticeId, new_id
from tieline.plugins import Product, Reached, Registry, Subject, TokenSet
from tieline.principal import Principal
from tieline.vault import Secret
from tieline.work import unit_of_work

SLUG = "rolling"
LIFE = timedelta(days=100)
_ROTATES_AFTER = timedelta(hours=24)
_ACCESS = timedelta(hours=1)


@dataclass(kw_only=True)
class Grant:
    """What the provider knows of one consent."""

    refresh: str
    rotated_at: datetime
    used_at: datetime
    ends: datetime | None


class Rolling(Pretend):
    """The plugin and the token endpoint behind it; `refreshed` is how often it gave new tokens."""

    def __init__(self) -> None:
        super().__init__(SLUG)
        endpoints = replace(self.oauth.endpoints, token="https://rolling.invalid/token")
        self.oauth = replace(
            self.oauth,
            endpoints=endpoints,
            refresh_life=LIFE,
            rotation_grace=timedelta(0),
            hard_expiry_field="hard_expires_in",
        )
        self.grants: list[Grant] = []
        self.refreshed = 0

    def grant(self, ends_in: timedelta | None) -> TokenSet:
        """The tokens of a new consent."""
        at = clock.now()
        ends = at + ends_in if ends_in else None
        made = Grant(refresh=secrets.token_hex(8), rotated_at=at, used_at=at, ends=ends)
        self.grants.append(made)
        return TokenSet(
            access=Secret(secrets.token_hex(8)),
            refresh=Secret(made.refresh),
            id_token=None,
            expires_in=_ACCESS,
            refresh_expires_in=LIFE,
            scopes=frozenset({"ledger", "reports"}),
            refresh_hard_expires_in=ends_in,
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        """The token endpoint."""
        [token] = parse_qs(request.content.decode())["refresh_token"]
        now = clock.now()
        found = [each for each in self.grants if each.refresh == token]
        if (
            not found
            or found[0].used_at + LIFE <= now
            or (found[0].ends is not None and found[0].ends <= now)
        ):
            return httpx.Response(400, json={"error": "invalid_grant"})
        [used] = found
        self.refreshed += 1
        used.used_at = now
        if used.rotated_at + _ROTATES_AFTER <= now:
            used.refresh, used.rotated_at = secrets.token_hex(8), now
        said: dict[str, object] = {
            "access_token": secrets.token_hex(8),
            "token_type": "bearer",
            "expires_in": int(_ACCESS.total_seconds()),
            "refresh_token": used.refresh,
            "x_refresh_token_expires_in": int(LIFE.total_seconds()),
        }
        if used.ends is not None:
            said["hard_expires_in"] = int((used.ends - now).total_seconds())
        return httpx.Response(200, json=said)


@asynccontextmanager
async def rolling() -> AsyncIterator[Rolling]:
    """This process has the provider too, until the block ends."""
    before, made = host.host(), Rolling()
    transport = httpx.MockTransport(made.answer)
    registry = Registry.of(made, *before.registry)
    async with httpx.AsyncClient(mounts={"https://rolling.invalid": transport}) as client:
        host.install(replace(before, registry=registry, client=client))
        try:
            yield made
        finally:
            host.install(before)


async def add_rolling_app(practice_id: PracticeId) -> App:
    new = NewApp(provider=SLUG, client_id=str(new_id()), secret=Secret("secret"))
    added = await add_app(practice_id, new)
    async with scope(practice_id):
        app = await AppRepository.of(practice_id).get(added.id)
    assert app is not None
    return app


async def connect_rolling(
    provider: Rolling, app: App, person_id: PersonId, name: str, *, ends_in: timedelta | None = None
) -> ConnectionId:
    """A client of this name connected to the one company of a new consent."""
    practice_id, principal = app.practice_id, Principal.machine(app.practice_id)
    client = await create_client(principal, NewClient(name=name))
    async with unit_of_work(principal) as work:
        pair = Pair.of(provider.grant(ends_in), at=work.now)
        subject = Subject(id=secrets.token_hex(8), login=None, consent=None)
        credential = await keep_consent(work, app, pair, subject, person_id=person_id, takes_over=True)
        organisations = OrganisationRepository.of(practice_id)
        reached = Reached(external_id=subject.id, name=name, consented=True)
        [known] = await organisations.upsert(SLUG, app.environment, [reached], at=work.now)
        await CredentialRepository.of(practice_id).set_reach(credential.id, {known.id: True}, at=work.now)
        await organisations.set_client({known.id: client.id})
        [made] = await ConnectionRepository.of(practice_id).add_many(
            [
                NewConnection(
                    client_id=client.id,
                    product=Product.BOOKKEEPING,
                    organisation_id=known.id,
                    credential_id=credential.id,
                    mismatch=False,
                )
            ],
            at=work.now,
        )
    return made.id
