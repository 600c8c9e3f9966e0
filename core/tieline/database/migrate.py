"""Migrations under a lock: one process migrates, the others wait; the code knows which schema it needs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
from tortoise import Tortoise
from tortoise.connection import get_connection
from tortoise.exceptions import BaseORMException
from tortoise.migrations.executor import MigrationExecutor

from tieline import migrations
from tieline.database.address import connected
from tieline.database.connect import ALIAS, APP, pool, pool_beside, tortoise_config
from tieline.database.migration import Recorder
from tieline.database.roles import ensure_roles
from tieline.errors import StartRefused
from tieline.settings import Settings

_LOCK = 7_234_016_285  # any number; the same in every version of Tieline
_RECORDER = "tortoise_migrations"
_FIRST_TABLE = "practice"


@dataclass(frozen=True, kw_only=True, slots=True)
class SchemaState:
    """What the database has against what this code knows, as names of migrations in order."""

    applied: tuple[str, ...]
    known: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(name for name in self.known if name not in self.applied)

    @property
    def unknown(self) -> tuple[str, ...]:
        return tuple(name for name in self.applied if name not in self.known)

    def refusal(self) -> StartRefused | None:
        """Why a process of this version may not start on this schema, or None."""
        if self.unknown:
            return StartRefused(
                f"The database was migrated by a newer Tieline (it has {self.unknown[-1]})",
                "start that version",
            )
        if self.missing:
            return StartRefused(
                f"The database lacks {len(self.missing)} migration(s), next {self.missing[0]}",
                "run 'tieline migrate'",
            )
        return None


async def migrate(settings: Settings, *, report: Callable[[str], None] = lambda _line: None) -> SchemaState:
    """Bring the database to this version's schema; safe to run from several places. Raises StartRefused."""
    async with _locked(settings) as connection:
        await ensure_roles(connection)
        filled = await _exists(connection, _FIRST_TABLE)
        before = SchemaState(applied=await _applied(connection), known=known_migrations())
        if filled and not before.applied:
            raise StartRefused(
                f"The database has Tieline's tables, but {_RECORDER} does not say how they were made",
                "restore that table too, from the same backup",
            )
        if before.unknown:
            raise before.refusal() or StartRefused("The database is newer than this version.")
        if before.missing:
            await _run(settings, report)
        return SchemaState(applied=await _applied(connection), known=before.known)


async def schema_state(*, beside: bool = False) -> SchemaState:
    """Compare the open database's schema with what this code knows; `beside` what callers have the pool for."""
    async with (pool_beside() if beside else pool()).acquire() as connection:
        try:
            return SchemaState(applied=await _applied(connection), known=known_migrations())
        except BaseException:
            connection.terminate()  # else giving it back waits for a mute server, past whoever lost patience
            raise


@cache
def known_migrations() -> tuple[str, ...]:
    folder = Path(migrations.__file__).parent
    return tuple(sorted(file.stem for file in folder.glob("[0-9]*.py")))


async def _run(settings: Settings, report: Callable[[str], None]) -> None:
    def progress(event: str, _app: str, name: str) -> None:
        if event == "apply_start":
            report(name)

    config = tortoise_config(settings, engine="tortoise.backends.asyncpg")
    config["connections"][ALIAS]["credentials"]["command_timeout"] = None
    await Tortoise.init(config=config, init_connections=False)
    try:
        connection = get_connection(ALIAS)
        executor = MigrationExecutor(connection, config["apps"])
        executor.recorder = executor.loader.recorder = Recorder(connection)
        await executor.migrate(direction="forward", progress=progress)
    except (BaseORMException, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as failed:
        raise StartRefused(
            f"A migration failed and nothing of it was kept ({failed})",
            "mend that and run 'tieline migrate' again",
        ) from failed
    finally:
        await Tortoise.close_connections()


@asynccontextmanager
async def _locked(settings: Settings) -> AsyncIterator[Any]:
    async with connected(settings) as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        yield connection


async def _applied(connection: Any) -> tuple[str, ...]:
    """The recorder's rows. Raises StartRefused where they cannot be read, which the library takes for 'none'."""
    if not await _exists(connection, _RECORDER):
        return ()
    try:
        rows = await connection.fetch(f"SELECT name FROM {_RECORDER} WHERE app = $1 ORDER BY name", APP)  # noqa: S608
    except asyncpg.InsufficientPrivilegeError as refused:
        raise StartRefused(
            f"The login may not read {_RECORDER}, which says how far the database was migrated",
            "let an administrator make the login its owner",
        ) from refused
    return tuple(row["name"] for row in rows)


async def _exists(connection: Any, table: str) -> bool:
    return bool(await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", table))
