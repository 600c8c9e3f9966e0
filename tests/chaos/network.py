"""Two practices at a stand, one at each provider, behind lines that may be made rough; and how their time goes on."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from tests.chaos.companies import many_companies
from tests.chaos.portfolio import WAIT_SECONDS, Compared, Portfolio, many
from tests.chaos.seeds import chance
from tests.chaos.stand import Stand
from tests.support.polling import until
from tests.support.proxy import Proxy, Roughness, proxied

PROVIDERS = ("Xero", "QuickBooks Online")
REFRESHES = re.compile(rb"POST /quickbooks/oauth2/\S+ .*\bgrant_type=refresh_token\b", re.DOTALL)
"""A pair that Intuit rotated and nobody received is lost with its consent: that is not promised."""
_SOON = """
SELECT due_at - (clock_timestamp() + offset_by) AS wait, coalesce(lease_until > clock_timestamp(), false) AS is_held
  FROM job, clock
 WHERE practice_id IS NOT NULL AND failed_at IS NULL
   AND due_at < clock_timestamp() + offset_by + interval '20 minutes'
"""
_LOOKS = 50
_AT_ONCE, _A_MOMENT = timedelta(0), timedelta(seconds=0.1)


@dataclass(frozen=True, kw_only=True)
class Network:
    """The practices, and the lines to their providers, in the order of `PROVIDERS`."""

    stand: Stand
    portfolios: Sequence[Portfolio]
    proxies: Sequence[Proxy]
    names: random.Random = field(repr=False)

    def be(self, *, rough: bool) -> None:
        for proxy in self.proxies:
            proxy.is_rough = rough

    async def held(self) -> int:
        """How many connections it broke that we do not close, although nothing is under way."""
        for _ in range(_LOOKS):
            if not (held := sum(proxy.held for proxy in self.proxies)):
                break
            await asyncio.sleep(_A_MOMENT.total_seconds())
        return held

    def told(self, event: str) -> Iterator[dict[str, Any]]:
        """Each time that our processes logged this."""
        for _, log in self.stand.logged():
            for line in log.splitlines():
                if f'"{event}"' in line:
                    yield json.loads(line)

    def lost(self) -> int:
        """How many refreshes got no answer the first time, at the provider where that may be asked again."""
        return sum(told["provider"] == "xero" for told in self.told("credential.answer_lost"))

    async def syncs(self) -> list[frozenset[str]]:
        """The ids of all that were begun, for each practice."""
        rows = await self.stand.rows("SELECT id::text, practice_id FROM sync_run")
        return [
            frozenset(row["id"] for row in rows if row["practice_id"] == each.practice_id)
            for each in self.portfolios
        ]

    async def edit(self, *, times: int) -> None:
        """At both providers every organisation has new contacts, another name of one, and one less in use."""
        for portfolio in self.portfolios:
            await portfolio.edit(lambda: f"Contact {self.names.getrandbits(64):x}", times=times)

    async def sync(self) -> None:
        """Somebody asks for the sync of each."""
        for portfolio in self.portfolios:
            await portfolio.sync()

    async def until_over(self) -> None:
        """Wait until nothing is to be done soon. Whenever all of it waits for something, time goes on."""

        async def nothing_left() -> bool:
            jobs = await self.stand.rows(_SOON)
            wait = min((job["wait"] for job in jobs), default=_AT_ONCE)
            if wait > _AT_ONCE and not any(job["is_held"] for job in jobs):
                await self.stand.move(wait + _A_MOMENT)
            return not jobs

        await until(nothing_left, "nothing is left to do", seconds=3 * WAIT_SECONDS)

    async def compared(self) -> list[Compared]:
        return [await portfolio.compared() for portfolio in self.portfolios]


@asynccontextmanager
async def rough_network(
    stand: Stand,
    row: str,
    roughness: Roughness,
    *,
    organisations: int,
    companies: int,
    records: dict[str, int],
) -> AsyncIterator[Network]:
    """It is smooth until the practices are connected: first reads wait for a worker. The gateway must run."""
    sandbox = stand.sandbox
    told_late = replace(roughness, answered=REFRESHES)
    async with (
        proxied(sandbox.url, roughness, chance(f"{row}: xero")) as to_xero,
        proxied(sandbox.url, told_late, chance(f"{row}: quickbooks")) as to_intuit,
    ):
        at_xero = await many(stand, organisations, seed="network", records=records, url=f"{to_xero.url}/xero")
        at_intuit = await many_companies(stand, companies, seed="network", url=f"{to_intuit.url}/quickbooks")
        made = Network(
            stand=stand, portfolios=(at_xero, at_intuit), proxies=(to_xero, to_intuit), names=chance(row)
        )
        made.be(rough=True)
        yield made
        made.be(rough=False)
        await asyncio.to_thread(stand.stop)
