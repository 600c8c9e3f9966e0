"""What every process opens before it serves and closes after: plugins, database, clock, quota, doorbell, issuer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta

from tieline import host, plugins
from tieline.database import close_database, open_database, schema_state
from tieline.database.scope import use_movable_clock
from tieline.host import Host
from tieline.identity.issuer import Issuer, trusting
from tieline.live import telling
from tieline.plugins.places import provider_client
from tieline.processes import COMMAND
from tieline.quota import metering
from tieline.settings import Settings
from tieline.webhooks.pace import Pace
from tieline.work import doorbell
from tieline.work.doorbell import Doorbell, make_broker


@asynccontextmanager
async def ready(settings: Settings, *, name: str = COMMAND) -> AsyncIterator[Doorbell]:
    """Open everything, hand out the doorbell, close everything. Raises StartRefused.

    `name`: what servers list this process as.
    """
    registry = plugins.load(settings.allowed_plugins)
    await open_database(settings, name=name)
    client = provider_client()
    try:
        refusal = (await schema_state()).refusal()
        if refusal is not None:
            raise refusal
        use_movable_clock(movable=settings.clock == "movable")
        with closing(Doorbell(make_broker(settings, name=name))) as bell:
            doorbell.install(bell)
            async with (
                metering(settings) as quota,
                telling(settings),
                trusting(Issuer.of(settings, client)),
            ):
                host.install(
                    Host(
                        registry=registry,
                        vault=settings.vault,
                        client=client,
                        quota=quota,
                        public_url=settings.public_url,
                        origins=settings.origins,
                        pace=Pace(
                            debounce=timedelta(seconds=settings.webhook_debounce),
                            spacing=timedelta(seconds=settings.webhook_spacing),
                        ),
                    )
                )
                yield bell
    finally:
        host.install(None)
        doorbell.install(None)
        await client.aclose()
        await close_database()
