"""Sessions at a pretender: with tokens that count how often they were renewed, and pauses that take no time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from tests.plugins.pretending import Pretender, pretending
from tieline.plugins import FreeGate, Gate, Provider, Session
from tieline.vault import Secret

NOW = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)
TOKENS = ("first-token-vuB7", "second-token-Qe2k", "third-token-x81M")


@dataclass
class Tokens:
    """Where the session gets its tokens; `asked` holds what it called stale."""

    stale: list[str] = field(default_factory=list)

    async def access(self) -> Secret:
        return Secret(TOKENS[len(self.stale)])

    async def renewed(self, stale: Secret) -> Secret:
        self.stale.append(stale.reveal())
        return await self.access()


@dataclass(frozen=True, kw_only=True)
class Talk:
    session: Session
    client: httpx.AsyncClient
    pretender: Pretender
    tokens: Tokens
    pauses: list[float]


@asynccontextmanager
async def talking(
    provider: Provider,
    *,
    organisation: str | None = None,
    seconds: float = 60,
    max_bytes: int = 1_000_000,
    gate: Gate | None = None,
) -> AsyncIterator[Talk]:
    pauses: list[float] = []

    async def sleep(pause: float) -> None:
        pauses.append(pause)

    async with pretending() as pretender, httpx.AsyncClient(trust_env=False) as client:
        tokens = Tokens()
        session = Session(
            client=client,
            provider=provider,
            endpoints=provider.oauth.endpoints.moved_to(f"{pretender.url}/books"),
            tokens=tokens,
            gate=gate or FreeGate(provider.info.slug, lambda: NOW),
            subject="ada",
            organisation=organisation,
            now=lambda: NOW,
            sleep=sleep,
            seconds=seconds,
            max_bytes=max_bytes,
        )
        yield Talk(session=session, client=client, pretender=pretender, tokens=tokens, pauses=pauses)
