"""What tests of tokens share: an issuer that runs, trusted by this process, and a calendar that stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.deployment import Deployment
from tests.support.issuer import AUDIENCE, IssuerServer, running_issuer
from tieline import clock
from tieline.host import host
from tieline.identity.issuer import Issuer, trusting


@pytest.fixture(scope="session")
def running() -> Iterator[IssuerServer]:
    with running_issuer() as server:
        yield server


@pytest.fixture
def server(running: IssuerServer) -> IssuerServer:
    """The issuer, as it is at first."""
    running.reset()
    return running


@dataclass
class Calendar:
    """What time it is for tokens, until a test moves it."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def move(self, by: timedelta) -> None:
        self.at += by


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch) -> Calendar:
    made = Calendar(datetime.now(UTC).replace(microsecond=0))
    monkeypatch.setattr(clock, "now", made.now)
    return made


@pytest.fixture
async def trusted(opened: Deployment, server: IssuerServer) -> AsyncIterator[Issuer]:  # noqa: ARG001 - must be open
    """The issuer, with nothing fetched from it yet."""
    made = Issuer(server.url, audience=AUDIENCE, client=host().client)
    async with trusting(made):
        yield made
