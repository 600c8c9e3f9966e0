"""The quota of this process: one Redis client, what is known without it, and the lines of those who wait.

While Redis is away it is left alone for some seconds at a time, and calls go by the careful quota.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from tieline import clock
from tieline.errors import TielineError
from tieline.live.client import closing
from tieline.log import fields_of, get_logger
from tieline.quota.calls import Call
from tieline.quota.careful import Careful
from tieline.quota.lasting import LONG, Block, Lasting
from tieline.quota.lines import Lines
from tieline.quota.looking import Looked
from tieline.quota.memory import QUIET, Memory
from tieline.quota.months import WRITE_EVERY, Months
from tieline.quota.script import (
    ANSWER_SECONDS,
    IN_FLIGHT,
    RESTART,
    UNANSWERED,
    Go,
    Outcome,
    Script,
    Unknown,
    Wait,
    real_offset,
)
from tieline.settings import Settings

REST = timedelta(seconds=5)
CONNECTIONS = 32
_AWAY = (RedisError, OSError, TimeoutError)
_ALONE = Go(granted=0, seqs=(0, 0))

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket:
    """A call that may start; `go` is None where Redis did not count it."""

    call: Call
    go: Go | None


class Quota:
    """Takes and gives back places for all gates of the process. Never raises what the Redis client raises.

    `life` is how long a call may be in flight, `quiet` how long nothing starts after Redis forgot, `rest` how long a
    Redis that did not answer is left alone, and `every` how long what was counted of a month may wait to be written.
    """

    def __init__(
        self,
        client: Redis,
        *,
        offset: Callable[[], timedelta] = real_offset,
        life: timedelta = IN_FLIGHT,
        quiet: timedelta = QUIET,
        rest: timedelta = REST,
        every: timedelta = WRITE_EVERY,
    ) -> None:
        self.lines = Lines()
        self._script = Script(client, offset=offset, life=life)
        self._careful = Careful()
        self._months = Months(every=every)
        self._memory = Memory(self._script, self._careful, self._months, quiet=quiet)
        self._rest = rest.total_seconds()
        self._away_until = 0.0
        self._is_away = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, call: Call, lasting: Lasting) -> Ticket | Wait:
        """All limits of the call, or why it has to wait. Raises Unavailable when what outlives Redis cannot be read."""
        if self._asks_redis():
            try:
                return await self._take(call, lasting)
            except _AWAY as error:
                self._went_away(error)
        await self._memory.recall(call, lasting)
        wait = self._careful.take(call)
        if wait is not None:
            return wait
        self._memory.started(call)
        return Ticket(call=call, go=None)

    async def finish(self, ticket: Ticket, outcome: Outcome, lasting: Lasting) -> None:
        """Give the place back and take over what the answer said, also when the caller is cancelled meanwhile."""
        call = ticket.call
        self._careful.told(call, outcome.left)
        block = _block(call, outcome)
        if block is not None:
            self._careful.block(call.meter, block)
        is_long = outcome.refusal is not None and outcome.refusal.wait >= LONG
        await asyncio.shield(self._begin(self._end(ticket, outcome, block if is_long else None, lasting)))

    async def look(self, calls: Sequence[Call]) -> list[Looked | None]:
        """How it stands with the limits of each; None where Redis is away or has forgotten."""
        if calls and self._asks_redis():
            try:
                looked = await self._script.look(calls)
            except _AWAY as error:
                self._went_away(error)
            else:
                self._came_back()
                return looked
        return [None] * len(calls)

    async def close(self) -> None:
        """Wait for what is still being given back, and write what was counted of months."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._months.close()

    async def _take(self, call: Call, lasting: Lasting) -> Ticket | Wait:
        try:
            taken = await self._memory.take(call, lasting)
        except asyncio.CancelledError:
            self._begin(self._finish(Ticket(call=call, go=_ALONE), UNANSWERED))  # it may have been taken
            raise
        self._came_back()
        if isinstance(taken, Unknown):
            return Wait(limit=RESTART, until=clock.now(), seconds=0, soon=True)
        if isinstance(taken, Wait):
            return taken
        self._memory.started(call)
        if self._months.heard(lasting, taken.days):
            self._begin(self._months.write(lasting))
        return Ticket(call=call, go=taken)

    async def _end(self, ticket: Ticket, outcome: Outcome, block: Block | None, lasting: Lasting) -> None:
        await self._finish(ticket, outcome)
        if block is not None:
            await _keep(block, lasting)

    async def _finish(self, ticket: Ticket, outcome: Outcome) -> None:
        call = ticket.call
        self._memory.ended(call)
        if ticket.go is None:
            self._careful.free(call)
            outcome = replace(outcome, left={})
        if self._asks_redis():
            try:
                await self._script.settle(call, ticket.go or _ALONE, outcome)
            except _AWAY as error:
                self._went_away(error)
        self.lines.freed(call.meter, call.organisation)

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _asks_redis(self) -> bool:
        return time.monotonic() >= self._away_until

    def _went_away(self, error: BaseException) -> None:
        self._away_until = time.monotonic() + self._rest
        self._memory.doubt()
        if not self._is_away:
            log.warning("quota.away", **fields_of(error))
        self._is_away = True

    def _came_back(self) -> None:
        if self._is_away:
            log.info("quota.back")
        self._is_away = False


def _block(call: Call, outcome: Outcome) -> Block | None:
    if outcome.refusal is None:
        return None
    return Block(
        organisation=call.whose(outcome.refusal.scope),
        limit=outcome.refusal.limit,
        until=clock.now() + outcome.refusal.wait,
    )


async def _keep(block: Block, lasting: Lasting) -> None:
    """Best effort: Redis and this process know of it, too."""
    try:
        await lasting.keep(block)
    except TielineError as error:
        log.warning("quota.block_not_kept", **fields_of(error))


def make_client(redis_url: str) -> Redis:
    """Connects when it is first used, and waits for answers as long as its caller does.

    It has no time-out of sockets: with one, redis-py writes inside of `asyncio.wait_for`, which in Python 3.11 loses
    a cancellation that comes when the write is done.
    """
    pool = BlockingConnectionPool.from_url(
        redis_url,
        socket_connect_timeout=ANSWER_SECONDS,
        socket_timeout=None,
        max_connections=CONNECTIONS,
        timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    return Redis.from_pool(pool)


@asynccontextmanager
async def metering(settings: Settings) -> AsyncIterator[Quota]:
    """The quota of this process until the block ends. Redis may come and go meanwhile."""
    async with closing(make_client(settings.redis_url.get_secret_value())) as client:
        quota = Quota(client)
        try:
            yield quota
        finally:
            await quota.close()
