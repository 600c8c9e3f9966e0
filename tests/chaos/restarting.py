"""A PostgreSQL that is stopped at once and started again: amid syncs, and right after a place in the feed was told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

from tests.chaos.following import Subscriber, written
from tests.chaos.insisting import codes_of
from tests.chaos.portfolio import WAIT_SECONDS, Portfolio
from tests.support.events import CURSOR
from tests.support.polling import left_of, until
from tieline.live.hints import CHANNEL, Hint, encode

_PAGES = """
SELECT coalesce(sum((feed.value->>'pages')::int), 0)::int AS pages
  FROM sync_run, jsonb_each(progress) AS feed WHERE practice_id = $1
"""
_WORKED = "SELECT id FROM job WHERE actor = 'sync.work_run' AND lease_until > clock_timestamp()"
_WRITTEN_LATE = ("ALTER SYSTEM SET wal_writer_delay = '10s'", "SELECT pg_reload_conf()")
GIVEN_UP = 20
"""Transactions whose numbers are forgotten by a breakdown that comes right after them."""
_VIEWER = "{ viewer { practice { name } } }"


@dataclass(frozen=True, kw_only=True)
class Absence:
    """From when PostgreSQL was stopped until it took connections again, by the monotonic clock."""

    begin: float
    end: float


@dataclass(kw_only=True)
class Restarter:
    """`seconds`: after each absence, until the API answers as many at once as its pool may hold connections.

    `amid` are the absences that began amid syncs, the moment a page was stored. `latency` is the provider's.
    """

    portfolio: Portfolio
    subscribers: Sequence[Subscriber]
    at_once: int
    latency: float
    absences: list[Absence] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    amid: int = 0
    began: float = field(default_factory=time.monotonic)

    @property
    def last(self) -> float:
        """When it was stopped, or when this began, by the monotonic clock."""
        return self.absences[-1].begin if self.absences else self.began

    async def strike(self, *, looks: bool, latest: float | None = None) -> None:
        """Stop it the moment somebody has stored a page and goes on with the next, or at the `latest`.

        `looks`: while it is away hints arrive that have been on their way, until a subscriber has looked.
        """
        self.amid += await self._is_amid(latest)
        postgres = self.portfolio.stand.postgres
        assert postgres is not None
        cuts, begin = self._cuts(), time.monotonic()
        await asyncio.to_thread(postgres.stop_at_once)
        await self._let_go()
        if looks:
            await self._until_cut(cuts)
        await asyncio.to_thread(postgres.start)
        self.absences.append(Absence(begin=begin, end=time.monotonic()))
        await until(self._is_healthy, "the API is healthy again")
        self.seconds.append(time.monotonic() - self.absences[-1].end)

    async def _is_amid(self, latest: float | None) -> bool:
        """Whether a page is stored by then. Without a `latest` it has to be."""
        if latest is None:
            await self._until_held_amid()
            return True
        pages = await self.stored() + 1

        async def lacking() -> int:
            return max(0, pages - await self.stored())

        return not await left_of(lacking, seconds=latest - time.monotonic())

    async def _until_held_amid(self) -> None:
        """From here on the provider answers nobody: what is worked does not end before the strike, however late."""
        while True:
            await self.until_stored(await self.stored() + 1)
            await self.portfolio.stand.sandbox.hold()
            if await self.portfolio.stand.rows(_WORKED):
                return
            await self._let_go()

    async def _let_go(self) -> None:
        await self.portfolio.stand.sandbox.control("PUT", "/latency", {"seconds": self.latency})

    async def _until_cut(self, before: int) -> None:
        practice_id = self.portfolio.practice_id
        hint = encode(practice_id, [Hint("events", practice_id)])
        with self.portfolio.stand.redis.client() as client:

            async def somebody_is() -> bool:
                client.publish(CHANNEL, hint)
                return self._cuts() > before

            await until(somebody_is, "a subscriber is cut off")

    def _cuts(self) -> int:
        return sum(one.cuts for one in self.subscribers)

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
        answers = await asyncio.gather(*(self.portfolio.admin.post(_VIEWER) for _ in range(self.at_once)))
        return ready.is_success and not any(codes_of(answer.json()) for answer in answers)


def longest_after(absences: Sequence[Absence], told_away: Sequence[float]) -> float:
    """The seconds from the end of an absence until somebody was told for the last time that the database is away."""
    begins = [*(each.begin for each in absences[1:]), inf]
    return max(
        (
            at - absence.end
            for absence, next_begin in zip(absences, begins, strict=True)
            for at in told_away
            if absence.end <= at < next_begin
        ),
        default=0.0,
    )


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
