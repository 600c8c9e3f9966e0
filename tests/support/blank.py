"""Databases of a test's own, beside the one that the test process shares: empty at first, or migrated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import Context
from typing import Any, TypeVar

import asyncpg
from tortoise import Tortoise
from tortoise.connection import get_connection
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget

from tests.support.deployment import Deployment, make_database
from tieline import database
from tieline.database.connect import ALIAS, APP, tortoise_config
from tieline.database.migration import Recorder
from tieline.settings import Settings

T = TypeVar("T")


@asynccontextmanager
async def blank_deployment(
    shared: Deployment, name: str, *, template: str = "template1"
) -> AsyncIterator[Deployment]:
    """A deployment like the shared one on an empty database of this name, dropped when the block ends."""
    await make_database(shared.admin_url, name, template=template)
    yield shared.at(name)
    connection = await shared.connect()
    await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await connection.close()


def migrated_deployment(shared: Deployment, name: str) -> AbstractAsyncContextManager[Deployment]:
    """The same with this version's tables and nothing in them, copied: migrating takes seconds of a core."""
    return blank_deployment(shared, name, template=shared.migrated)


async def migrate(made: Deployment) -> list[str]:
    """Migrate to the latest, as the command does; the names of what was applied."""
    applied: list[str] = []
    await _apart(lambda: database.migrate(made.settings, report=applied.append))
    return applied


async def migrate_to(made: Deployment, name: str) -> None:
    """Migrate up to one migration and no further."""
    await _apart(lambda: _up_to(made.settings, name))


async def _up_to(settings: Settings, name: str) -> None:
    config = tortoise_config(settings, engine="tortoise.backends.asyncpg")
    await Tortoise.init(config=config, init_connections=False)
    try:
        connection = get_connection(ALIAS)
        executor = MigrationExecutor(connection, config["apps"])
        executor.recorder = executor.loader.recorder = Recorder(connection)
        await executor.migrate([MigrationTarget(app_label=APP, name=name)], direction="forward")
    finally:
        await Tortoise.close_connections()


async def _apart(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run it on a loop and in a context of its own, so that the library's state here stays as it is."""
    return await asyncio.to_thread(lambda: Context().run(asyncio.run, make()))


async def as_login(made: Deployment) -> asyncpg.Connection:
    """A connection as the product's login, outside of any scope."""
    return await asyncpg.connect(made.environment["TIELINE_DATABASE_URL"])
