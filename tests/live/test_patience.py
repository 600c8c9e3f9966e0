"""A loop that is busy for longer than Redis may take to answer: it reads late, and takes nobody for away."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.support.own_redis import OwnRedis
from tests.support.polling import until
from tieline.ids import PracticeId, new_id
from tieline.live import Hint, listening, telling
from tieline.live.patience import patience
from tieline.live.watchers import WATCHERS

PRACTICE = PracticeId(new_id())
BUSY_SECONDS = 0.05
listening_module: Any = sys.modules[listening.__module__]
telling_module: Any = sys.modules[telling.__module__]


async def busy(turns: int, redis: OwnRedis) -> None:
    """Each turn of the loop takes longer than a part of what anybody would wait for Redis by the clock.

    Redis has answered by then, however late the machine lets it.
    """
    for _ in range(turns):
        time.sleep(BUSY_SECONDS)  # noqa: ASYNC251 - what blocks the loop is what this is about
        redis.has_answered()
        await asyncio.sleep(0)


async def hears() -> bool:
    return WATCHERS._hearing


async def test_a_busy_loop_takes_nobody_for_away(
    own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with telling(own_redis.settings), listening(own_redis.settings):
        await until(hears, "hints arrive")
        monkeypatch.setattr(listening_module, "HEARTBEAT_SECONDS", BUSY_SECONDS / 5)
        for module in (listening_module, telling_module):
            monkeypatch.setattr(module, "ANSWER_SECONDS", BUSY_SECONDS)
        await telling_module.tell(PRACTICE, [])  # the next wait is one of these
        with capture_logs() as logged:
            working = asyncio.create_task(busy(80, own_redis))
            told = [await telling_module._teller.tell(PRACTICE, [Hint("client", PRACTICE)])]
            await asyncio.wait({working})
            said, still_hears = list(logged), await hears()

    assert told == [True]
    assert said == []
    assert still_hears


async def test_patience_ends_where_the_loop_has_turns_and_nothing_comes() -> None:
    with pytest.raises(TimeoutError):
        async with patience(0.05):
            await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("turn", "most"), [(0.001, 18), (0.06, 8)], ids=["long-turns", "longer-ones-than-ten-times-that"]
)
async def test_on_a_busy_loop_patience_ends_after_a_few_turns(turn: float, most: int) -> None:
    turns = 0

    async def work() -> None:
        nonlocal turns
        while True:
            time.sleep(turn)  # noqa: ASYNC251 - as above
            turns += 1
            await asyncio.sleep(0)

    working = asyncio.create_task(work())
    with pytest.raises(TimeoutError):
        async with patience(0.004):
            await asyncio.Event().wait()
    working.cancel()
    await asyncio.wait({working})

    assert turns <= most


async def test_what_came_while_the_loop_was_busy_is_read_before_it_counts_as_missing() -> None:
    async with _echo() as (reader, writer), patience(BUSY_SECONDS / 5):
        writer.write(b"late")
        time.sleep(BUSY_SECONDS)  # noqa: ASYNC251 - as above
        assert await reader.read(4) == b"late"


@asynccontextmanager
async def _echo() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A line on which what is written comes back once."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(4))
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            yield reader, writer
        finally:
            writer.close()
            await writer.wait_closed()
