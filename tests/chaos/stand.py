"""A deployment that may be struck: a database, a Redis and processes of a test's own, and the session's sandbox.

stand ── start(name, …)   a gateway, worker or scheduler, known by a name
      ── kill, stop       end one, as a crash would or as an operator does
      ── rows(sql, …)     what the tables hold, seen by a superuser, also after a restart of the database
      ── asserts_sound()  no code of ours broke off in any process, and none logged an error that is not allowed
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from tests.chaos.sizes import IS_FULL
from tests.support.deployment import (
    WAIT_SECONDS,
    Deployment,
    Gateway,
    Process,
    environment_of,
    wait_until_ready,
)
from tests.support.own_postgres import OwnPostgres
from tests.support.own_redis import OwnRedis, running_redis
from tests.support.polling import until
from tests.support.processes import assert_unbroken
from tests.support.sandbox import Sandbox

GATEWAY = "gateway"
ANSWER_SECONDS = 60.0
NOTHING_KEPT = httpx.Limits(max_keepalive_connections=0)
SECONDS_BETWEEN_LOOKS = "5" if IS_FULL else "0.2"
"""A scheduler looks as often as it does by itself; in a small share nobody waits for it."""
_PAGE_SIZE = {"TIELINE_XERO_PAGE_SIZE": "100"}
"""As small as it may be, so that a strike can come between two pages of one feed."""
_PAUSE_SECONDS = 0.1
_BROKEN = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    OSError,
)
_LOUD = frozenset({"error", "critical"})


@dataclass(kw_only=True)
class Stand:
    """`postgres` is None where the database is one of the session's server.

    `allowed` are the names of events that may be errors, or how they begin.
    """

    deployment: Deployment
    redis: OwnRedis
    sandbox: Sandbox = field(repr=False)
    http: httpx.AsyncClient = field(repr=False)
    postgres: OwnPostgres | None = None
    allowed: set[str] = field(default_factory=set)
    running: dict[str, Process] = field(default_factory=dict)
    _all: list[tuple[str, Process]] = field(default_factory=list)
    _above: asyncpg.Connection | None = field(default=None, repr=False)
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    def start(
        self, name: str, *arguments: str, prepare: Callable[[], None] | None = None, **more: str
    ) -> Process:
        """Start a command of `tieline` that stays, and wait until it serves."""
        if self.is_running(name):
            raise ValueError(f"{name} runs already")
        if name == GATEWAY:
            more.setdefault("TIELINE_PORT", str(self.deployment.public_port))
        process = self.deployment.begin(arguments, more, prepare=prepare)
        self._all.append((name, process))
        self.running[name] = process
        if name == GATEWAY:
            wait_until_ready(self.gateway.url, process)
        else:
            process.wait_for(f"{arguments[0]}.started")
        return process

    def kill(self, name: str) -> None:
        self.running.pop(name).kill()

    def stop(self, *names: str) -> None:
        """These, or all: an end that is not a good one fails the test."""
        for name in names or tuple(self.running):
            process = self.running.pop(name)
            assert process.stop() == 0, process.logged()

    def is_running(self, name: str) -> bool:
        return name in self.running and self.running[name].popen.poll() is None

    def pids(self) -> dict[str, int]:
        """Of those that live, by name."""
        return {name: process.popen.pid for name, process in self.running.items() if self.is_running(name)}

    @property
    def gateway(self) -> Gateway:
        return Gateway(url=f"http://127.0.0.1:{self.deployment.public_port}", process=self.running[GATEWAY])

    async def rows(self, sql: str, *given: Any) -> list[dict[str, Any]]:
        """Asked anew where the connection broke off, as a restart of the database does to all of them."""
        deadline = time.monotonic() + WAIT_SECONDS
        async with self._asking:
            while True:
                try:
                    return await self._asked(sql, *given)
                except _BROKEN:
                    self._let_go()
                    if time.monotonic() > deadline:
                        raise
                await asyncio.sleep(_PAUSE_SECONDS)

    async def until_none(self, sql: str, *given: Any, what: str, seconds: float) -> None:
        """Wait until this finds no row."""

        async def none() -> bool:
            return not await self.rows(sql, *given)

        await until(none, what, seconds=seconds)

    async def until_as_many(self, sql: str, count: int, *given: Any, what: str) -> None:
        """Wait until this finds as many rows."""

        async def as_many() -> bool:
            return len(await self.rows(sql, *given)) == count

        await until(as_many, what, seconds=ANSWER_SECONDS)

    async def move(self, by: timedelta) -> None:
        """Calendar time goes on, for us and for the providers."""
        above = await self.deployment.connect()
        await above.execute("UPDATE clock SET offset_by = offset_by + $1", by)
        await above.close()
        await self.sandbox.move_clock(by.total_seconds())

    def logged(self) -> Iterator[tuple[str, str]]:
        """What each process logged, also of those that are gone, in the order of their starts."""
        for name, process in self._all:
            yield name, process.logged()

    def asserts_sound(self) -> None:
        for name, log in self.logged():
            assert_unbroken(log)
            loud = [line for line in _lines(log) if line.get("level") in _LOUD]
            allowed = tuple(self.allowed)
            assert not [line for line in loud if not line["event"].startswith(allowed)], (name, loud)

    def loud(self) -> int:
        """How many lines of all logs tell of an error, or of code that broke off."""
        logs = [log for _, log in self.logged()]
        return sum(
            log.count("Traceback") + sum(line.get("level") in _LOUD for line in _lines(log)) for log in logs
        )

    def close(self) -> None:
        for process in self.running.values():
            process.kill()
        self._let_go()

    async def _asked(self, sql: str, *given: Any) -> list[dict[str, Any]]:
        if self._above is None:
            self._above = await self.deployment.connect()
        return [dict(row) for row in await self._above.fetch(sql, *given)]

    def _let_go(self) -> None:
        if self._above is not None:
            self._above.terminate()
        self._above = None


def _lines(log: str) -> Iterator[dict[str, Any]]:
    for line in log.splitlines():
        if line.startswith("{"):
            with suppress(ValueError):  # whoever was killed may not have come to its end
                yield json.loads(line)


@asynccontextmanager
async def standing(
    folder: Path,
    sandbox: Sandbox,
    *,
    database_url: str,
    admin_url: str,
    postgres: OwnPostgres | None = None,
) -> AsyncIterator[Stand]:
    """A stand with a migrated database, where nothing runs yet. At its end every process is killed and looked at."""
    logs = folder / "logs"
    logs.mkdir()
    environment = environment_of(database_url=database_url, redis_url="redis://127.0.0.1:1/0") | _PAGE_SIZE
    bare = Deployment(environment=environment, admin_url=admin_url, redis_url="", logs=logs)
    with running_redis(bare, folder) as own:
        deployment = replace(
            bare, environment=environment | {"TIELINE_REDIS_URL": own.url}, redis_url=own.url
        )
        address = f"http://127.0.0.1:{deployment.public_port}"
        async with httpx.AsyncClient(base_url=address, timeout=ANSWER_SECONDS, limits=NOTHING_KEPT) as http:
            made = Stand(deployment=deployment, redis=own, sandbox=sandbox, http=http, postgres=postgres)
            try:
                yield made
                made.asserts_sound()
            finally:
                made.close()
