"""What every process opens before it serves and closes after: database, schema check, clock, doorbell."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tieline.database import close_database, open_database, schema_state
from tieline.database.scope import use_movable_clock
from tieline.settings import Settings
from tieline.work import doorbell
from tieline.work.doorbell import Doorbell, make_broker


@asynccontextmanager
async def ready(settings: Settings) -> AsyncIterator[Doorbell]:
    """Open everything, hand out the doorbell, close everything. Raises StartRefused."""
    await open_database(settings)
    try:
        refusal = (await schema_state()).refusal()
        if refusal is not None:
            raise refusal
        use_movable_clock(movable=settings.clock == "movable")
        bell = Doorbell(make_broker(settings))
        doorbell.install(bell)
        yield bell
    finally:
        doorbell.install(None)
        await close_database()
