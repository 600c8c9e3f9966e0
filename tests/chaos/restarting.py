"""A PostgreSQL that is stopped at once and started again: amid syncs, and right after a place in the feed was told."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from tests.chaos.following import written
from tests.chaos.insisting import codes_of
from tests.chaos.portfolio import WAIT_SECONDS, Portfolio
from tests.support.events import CURSOR
from tests.support.polling import until
from tieline.live.hints import CHANNEL, Hint, encode

_PAGES = """
SELECT coalesce(sum((feed.value->>'pages')::int), 0)::int AS pages
  FROM sync_run, jsonb_each(progress) AS feed WHERE practice_id = $1
"""
_WRITTEN_LATE = ("ALTER SYSTEM SET wal_writer_delay = '10s'", "SELECT pg_reload_conf()")
GIVEN_UP = 20
"""Transactions whose numbers are forgotten by a breakdown that comes right after them."""
_VIEWER = "{ viewer { practice { name } } }"


@dataclass(kw_only=True)
class Restarter:
    """`seconds`: after each restart, from when PostgreSQL takes connections until the API is healthy."""

    portfolio: Portfolio
    seconds: list[float] = field(default_factory=list)

    async def strike(self, *, looks: bool) -> None:
        """Stop it the moment somebody has stored a page and goes on with the next.

        `looks`: while it is away a hint arrives that has been on its way, so that subscribers look.
        """
        await self.until_stored(await self.stored() + 1)
        postgres = self.portfolio.stand.postgres
        assert postgres is not None
        await asyncio.to_thread(postgres.stop_at_once)
        if looks:
            self._hint()
        await asyncio.to_thread(postgres.start)
        back_at = time.monotonic()
        await until(self._is_healthy, "the API is healthy again")
        self.seconds.append(time.monotonic() - back_at)

    def _hint(self) -> None:
        practice_id = self.portfolio.practice_id
        with self.portfolio.stand.redis.client() as client:
            client.publish(CHANNEL, encode(practice_id, [Hint("events", practice_id)]))

    async def stored(self) -> int:
        """How many pages the syncs of the practice have committed."""
        [row] = await self.portfolio.stand.rows(_PAGES, self.portfolio.practice_id)
        pages: int = row["pages"]
        return pages

    async def until_stored(self, pages: int) -> None:
        async def are_stored() -> bool:
            return await self.stored() >= pages

        await until(are_stored, f"{pages} pages are stored", seconds=WAIT_SECONDS)

    async def _is_healthy(self) -> bool:
        ready = await self.portfolio.stand.http.get("/readyz")
        answer = (await self.portfolio.admin.post(_VIEWER)).json()
        return ready.is_success and not codes_of(answer)


async def skipped(portfolio: Portfolio) -> int:
    """How many events after a breakdown stand before a place that was told right before it; nothing else goes on."""
    stand = portfolio.stand
    assert stand.postgres is not None
    for statement in _WRITTEN_LATE:
        await stand.rows(statement)
    given_up = await stand.deployment.connect()
    for _ in range(GIVEN_UP):
        await given_up.execute("BEGIN; SELECT pg_current_xact_id(); ROLLBACK")
    place = (await portfolio.admin.ask(CURSOR))["clients"]["eventCursor"]
    given_up.terminate()
    await asyncio.to_thread(stand.postgres.restart)
    await portfolio.admin.create_client("After")
    return 1 - len(await written(portfolio, place))
