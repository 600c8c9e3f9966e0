"""Places in the feed of events that were handed out before the database broke down: nothing behind them is skipped."""

from __future__ import annotations

from tests.chaos.insisting import Insistent
from tests.chaos.portfolio import firm_at
from tests.chaos.stand import GATEWAY, Stand
from tests.support.events import CURSOR, listening

_NOT_WRITTEN_SOON = "ALTER SYSTEM SET wal_writer_delay = '10s'"


async def test_an_event_after_a_breakdown_stands_behind_every_place_that_was_told_before_it(
    durable_stand: Stand,
) -> None:
    stand = durable_stand
    assert stand.postgres is not None
    stand.start(GATEWAY, "serve")
    admin = Insistent.of((await firm_at(stand)).admin)
    await admin.create_client("Before")
    await stand.rows(_NOT_WRITTEN_SOON)
    stand.postgres.restart()
    given_up = await stand.deployment.connect()
    for _ in range(5):
        await given_up.execute("BEGIN; SELECT pg_current_xact_id(); ROLLBACK")

    place = (await admin.ask(CURSOR))["clients"]["eventCursor"]
    given_up.terminate()
    stand.postgres.restart()
    client_id = await admin.create_client("After")

    async with listening(stand.gateway, admin, place) as listener:
        event = await listener.next()
    assert (event["kind"], event["clientId"]) == ("CLIENT_CREATED", client_id)
