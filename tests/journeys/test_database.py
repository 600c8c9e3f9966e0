"""The database goes away and comes back: what had not begun is tried again, what had is answered honestly."""

from __future__ import annotations

import asyncio
import importlib
import threading
from typing import Any

import asyncpg
import pytest

from tests.support.deployment import Deployment
from tests.support.firm import Firm
from tests.support.polling import until
from tieline.database import pool_figures, system_scope
from tieline.errors import Unavailable

END_ALL = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
 WHERE datname = current_database() AND application_name LIKE 'tieline%'
"""


async def test_connections_that_died_in_the_pool_cost_callers_nothing(
    firm: Firm, deployment: Deployment
) -> None:
    admin = await deployment.connect()
    query = "{ viewer { role } }"
    await asyncio.gather(*(firm.admin.ask(query) for _ in range(20)))

    for _ in range(5):
        assert await admin.fetchval(END_ALL) > 0
        answers = await asyncio.gather(*(firm.admin.ask(query) for _ in range(20)))

        assert answers == [{"viewer": {"role": "ADMIN"}}] * 20
    await admin.close()


class EndedInHand:
    """The server ends so many connections in the moment in which the pool hands them out, and nobody hears of it."""

    def __init__(self, opened: Deployment, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
        self.left = count
        self._opened = opened
        acquire = asyncpg.Pool.acquire

        async def acquired(pool: asyncpg.Pool, **given: Any) -> Any:
            connection = await acquire(pool, **given)
            if self.left:
                self.left -= 1
                ending = threading.Thread(target=asyncio.run, args=(self._end(connection.get_server_pid()),))
                ending.start()
                ending.join()  # this loop is held meanwhile
            return connection

        monkeypatch.setattr(asyncpg.Pool, "acquire", acquired)

    async def _end(self, pid: int) -> None:
        admin = await self._opened.connect()
        await admin.fetchval("SELECT pg_terminate_backend($1, 10_000)", pid)
        await admin.close()


async def test_a_connection_that_was_ended_before_anybody_noticed_costs_callers_nothing(
    opened: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending = EndedInHand(opened, monkeypatch, 3)

    async with system_scope() as scope:
        assert await scope.value("SELECT 1") == 1

    assert ending.left == 0


async def test_where_every_connection_is_ended_callers_are_told_so(
    opened: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = 2 * pool_figures()["limit"]
    ending = EndedInHand(opened, monkeypatch, many)

    with pytest.raises(Unavailable):
        async with system_scope():
            pass

    assert many - ending.left == pool_figures()["limit"]


async def test_a_transaction_whose_connection_is_cut_says_that_the_database_is_away(
    opened: Deployment,
) -> None:
    admin = await opened.connect()

    async def cut_off() -> None:
        async with system_scope() as scope:
            pid = await scope.value("SELECT pg_backend_pid()")
            await admin.execute("SELECT pg_terminate_backend($1)", pid)

            async def gone() -> bool:
                return not await admin.fetchval("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", pid)

            await until(gone, "the server has let go of it")
            await scope.value("SELECT 1")

    with pytest.raises(Unavailable):
        await cut_off()

    async with system_scope() as scope:
        assert await scope.value("SELECT 1") == 1
    await admin.close()


@pytest.mark.usefixtures("opened")
async def test_what_is_committed_stays_so_when_its_connection_cannot_be_given_back_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.import_module("tieline.database.scope"), "_CLEAN_UP_SECONDS", 0.0)

    async with system_scope() as scope:
        assert await scope.value("SELECT 1") == 1
    async with system_scope() as scope:
        assert await scope.value("SELECT 2") == 2

    assert pool_figures()["size"] == pool_figures()["idle"]
