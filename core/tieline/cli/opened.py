"""What commands begin with: settings and logs, and for some a database that is open."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from tieline.settings import Settings

T = TypeVar("T")


def configured() -> Settings:
    """The settings, with logs as they say. Raises StartRefused."""
    from tieline import log
    from tieline.settings import load_settings

    settings = load_settings()
    log.configure(format=settings.log_format, level=settings.log_level)
    return settings


def with_database(run: Callable[[], Awaitable[T]]) -> T:
    """Open the database, run it, close the database. Raises what it raises, and StartRefused."""
    from tieline import log
    from tieline.lifespan import ready
    from tieline.settings import load_settings

    settings = load_settings()
    log.configure(format=settings.log_format, level="WARNING")

    async def opened() -> T:
        async with ready(settings):
            return await run()

    return asyncio.run(opened())
