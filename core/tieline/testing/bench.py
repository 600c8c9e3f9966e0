"""Where a provider is tried: sign-ins at its pretender, and sessions as the core opens them, without any wait."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

import httpx

from tieline.errors import ConsentGone
from tieline.plugins import (
    Challenge,
    Consent,
    Endpoints,
    Feed,
    Grant,
    GrantRejected,
    Provider,
    Remaining,
    Session,
    Subject,
    TokenRequest,
    TokenSet,
    ask_userinfo,
    authorization_url,
    code_request,
    faults,
    read_tokens,
    refresh_request,
    send,
)
from tieline.testing.pretender import Pretender
from tieline.testing.wire import Wire
from tieline.vault import Secret

_SECONDS = 30.0
_STATE = "a-state"


@dataclass
class Heard:
    """What the answers of a session said of limits. It is a gate that lets everything pass."""

    refusals: list[faults.Throttled] = field(default_factory=list)
    figures: list[Remaining] = field(default_factory=list)

    @asynccontextmanager
    async def call(self, organisation: str | None) -> AsyncIterator[Heard]:  # noqa: ARG002 - one for all
        yield self

    def answered(self, remaining: Sequence[Remaining], throttled: faults.Throttled | None) -> None:
        self.figures += remaining
        if throttled is not None:
            self.refusals.append(throttled)


@dataclass(kw_only=True)
class Login:
    """A consent and its tokens, which are renewed when a session asks for that."""

    bench: Bench
    grant: Grant
    subject: Subject
    consent: Consent
    tokens: TokenSet
    renewed_times: int = 0

    async def access(self) -> Secret:
        return self.tokens.access

    async def renewed(self, stale: Secret) -> Secret:
        """Raises ConsentGone where the provider does not accept the refresh token."""
        if stale == self.tokens.access:
            self.tokens = await self.bench.refreshed(self.tokens)
            self.renewed_times += 1
        return self.tokens.access


@dataclass(frozen=True, kw_only=True)
class Bench:
    """`unchanged_calls` are those that each feed costs when nothing has changed, as the plugin declares them."""

    provider: Provider
    pretender: Pretender
    unchanged_calls: Mapping[str, int]
    client: httpx.AsyncClient
    wire: Wire

    @property
    def slug(self) -> str:
        return self.provider.info.slug

    @property
    def feeds(self) -> Sequence[Feed]:
        """Of all products, each once."""
        return list(
            {feed.name: feed for feeds in self.provider.info.feeds.values() for feed in feeds}.values()
        )

    @property
    def endpoints(self) -> Endpoints:
        return self.provider.oauth.endpoints.moved_to(self.pretender.url)

    async def login(self) -> Login:
        """A consent to all products."""
        oauth, app, challenge = self.provider.oauth, self.pretender.app, Challenge.make()
        asked = oauth.scopes_for(self.provider.info.products)
        back = await self.pretender.consent(
            authorization_url(
                oauth,
                self.endpoints,
                client_id=app.client_id,
                redirect_uri=app.redirect_uri,
                state=_STATE,
                challenge=challenge,
                scopes=asked,
            )
        )
        said = dict(parse_qsl(urlsplit(back).query))
        request = code_request(
            oauth,
            self.endpoints,
            client_id=app.client_id,
            client_secret=app.client_secret,
            code=Secret(said.pop("code")),
            redirect_uri=app.redirect_uri,
            verifier=challenge.verifier,
        )
        tokens = await self._told(request, asked)
        said.pop("state", None)
        return await self._login(tokens, said)

    async def refreshed(self, tokens: TokenSet) -> TokenSet:
        """A new pair for the old one. Raises ConsentGone."""
        app = self.pretender.app
        assert tokens.refresh is not None, "a consent brings a refresh token"
        request = refresh_request(
            self.provider.oauth,
            self.endpoints,
            client_id=app.client_id,
            client_secret=app.client_secret,
            refresh=tokens.refresh,
        )
        try:
            return await self._told(request, tokens.scopes)
        except GrantRejected as gone:
            raise ConsentGone(self.slug) from gone

    async def session(
        self, login: Login, *, is_bound: bool = True, halved: int = 0, heard: Heard | None = None
    ) -> Session:
        """One of the login, for the pretender's books or for none. `halved`: how often pages were too large."""
        now = await self.pretender.now()
        session = Session(
            client=self.client,
            provider=self.provider,
            endpoints=self.endpoints,
            tokens=login,
            gate=heard or Heard(),
            subject=login.subject.id,
            organisation=self.pretender.organisation if is_bound else None,
            now=lambda: now,
            sleep=_at_once,
            seconds=_SECONDS,
        )
        session.halved = halved
        return session

    async def _told(self, request: TokenRequest, asked: Sequence[str] | frozenset[str]) -> TokenSet:
        status, body = await send(self.client, request, provider=self.slug, seconds=_SECONDS)
        return read_tokens(
            self.slug,
            status,
            body,
            asked_scopes=asked,
            hard_expiry_field=self.provider.oauth.hard_expiry_field,
        )

    async def _login(self, tokens: TokenSet, said: Mapping[str, str]) -> Login:
        at: datetime = await self.pretender.now()
        claims = await ask_userinfo(
            self.client, self.endpoints, tokens.access, provider=self.slug, seconds=_SECONDS
        )
        grant = Grant(tokens=tokens, parameters=said, claims=claims)
        subject = self.provider.subject(grant)
        return Login(
            bench=self,
            grant=grant,
            subject=subject,
            consent=Consent(mark=subject.consent, at=at),
            tokens=tokens,
        )


@asynccontextmanager
async def opened(
    provider: Provider, pretender: Pretender, unchanged_calls: Mapping[str, int]
) -> AsyncIterator[Bench]:
    wire = Wire(pretender.transport)
    async with httpx.AsyncClient(transport=wire, trust_env=False) as client:
        yield Bench(
            provider=provider,
            pretender=pretender,
            unchanged_calls=unchanged_calls,
            client=client,
            wire=wire,
        )


async def _at_once(_seconds: float) -> None:
    return
