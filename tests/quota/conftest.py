"""What tests of gates stand on: the deployment's Redis, an app of the test's own, a calendar that it moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from tests.support.deployment import Deployment
from tests.support.firm import Firm
from tests.support.own_redis import OwnRedis, running_redis
from tests.support.patience import QUOTAS, wait_long
from tests.support.ports import free_port
from tieline import clock
from tieline.ids import AppId, new_id
from tieline.plugins.limits import Limit
from tieline.quota import Block, Counted, Forgetful, Lasting, Meter, Quota, RedisGate, process
from tieline.quota.calls import milliseconds
from tieline.quota.months import WRITE_EVERY
from tieline.quota.process import REST
from tieline.quota.script import Script
from tieline.work.actor import Lane

REAL = "local real = TIME[1] * 1000 + math.floor(TIME[2] / 1000)"
"""Where the script tells the time."""


@dataclass(eq=False)
class Kept:
    """What of an app's quota outlives Redis, in memory. `writes` is how often days were told."""

    blocks: list[Block] = field(default_factory=list)
    days: list[Counted] = field(default_factory=list)
    writes: int = 0

    async def load(self) -> list[Block]:
        return list(self.blocks)

    async def keep(self, block: Block) -> None:
        self.blocks.append(block)

    async def counted(self) -> list[Counted]:
        return list(self.days)

    async def count(self, days: Sequence[Counted]) -> None:
        self.days += days
        self.writes += 1


@dataclass(kw_only=True)
class Bench:
    """Quotas of as many processes as a test pretends to have, on one Redis; `offset` moves their calendar."""

    redis: Redis
    meter: Meter
    offset: timedelta = timedelta(0)
    made: list[Quota] = field(default_factory=list)

    def quota(self, *, rest: timedelta = REST, every: timedelta = WRITE_EVERY) -> Quota:
        quiet = timedelta(milliseconds=50)
        quota = Quota(self.redis, offset=lambda: self.offset, quiet=quiet, rest=rest, every=every)
        self.made.append(quota)
        return quota

    async def wipe(self, meter: Meter | None = None) -> None:
        """Redis forgets all of the app."""
        for key in await self.redis.keys(f"{(meter or self.meter).prefix}*"):
            await self.redis.delete(key)

    def gate(
        self,
        *limits: Limit,
        quota: Quota | None = None,
        meter: Meter | None = None,
        lane: Lane = Lane.INTERACTIVE,
        lasting: Lasting | None = None,
        patience: float = 0.0,
    ) -> RedisGate:
        return RedisGate(
            quota or self.quota(),
            meter=meter or self.meter,
            limits=limits,
            lane=lane,
            lasting=lasting or Forgetful(),
            patience=timedelta(seconds=patience),
        )


async def app_of(deployment: Deployment, firm: Firm, provider: str = "xero") -> AppId:
    """A new app of the practice."""
    connection = await deployment.connect()
    app_id = AppId(new_id())
    await connection.execute(
        "INSERT INTO provider_app (id, practice_id, provider, environment, client_id, secret_sealed, bulk_consent, "
        "created_at) VALUES ($1, $2, $3, 'LIVE', $4, '', false, $5)",
        app_id,
        firm.practice_id,
        provider,
        str(new_id()),
        clock.now(),
    )
    await connection.close()
    return app_id


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that is slow here is not taken for lost: who wants that says how long it is waited for."""
    wait_long(monkeypatch, *QUOTAS)


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """When it is for Redis, however long a test takes: only its calendar moves on."""
    at = datetime.now(UTC).replace(microsecond=0)
    source = files("tieline.quota").joinpath("quota.lua").read_text(encoding="utf-8")
    assert source.count(REAL) == 1
    stopped = source.replace(REAL, f"local real = {milliseconds(at - datetime.fromtimestamp(0, UTC))}")

    class Still(Script):
        def __init__(self, client: Redis, **more: Any) -> None:
            super().__init__(client, **more)
            self._run = client.register_script(stopped)

    monkeypatch.setattr(process, "Script", Still)
    return at


@pytest.fixture
async def bench(deployment: Deployment) -> AsyncIterator[Bench]:
    async with Redis.from_url(deployment.redis_url) as redis:
        made = Bench(redis=redis, meter=Meter(provider="pretend", client_id=f"{{{new_id()}}}"))
        yield made
        for quota in made.made:
            await quota.close()


@pytest.fixture
def own_redis(deployment: Deployment, tmp_path: Path) -> Iterator[OwnRedis]:
    """A Redis that runs when the test begins."""
    with running_redis(deployment, tmp_path) as made:
        yield made


@pytest.fixture
async def away() -> AsyncIterator[Bench]:
    """A bench whose Redis is not there."""
    async with Redis(host="127.0.0.1", port=free_port(), retry=Retry(NoBackoff(), 0)) as nowhere:
        made = Bench(redis=nowhere, meter=Meter(provider="pretend", client_id=str(new_id())))
        yield made
        for quota in made.made:
            await quota.close()
