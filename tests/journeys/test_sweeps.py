"""A year goes by, day by day: what runs out does so once, after three warnings, and nothing is lost for want of a look.

One provider is the sandbox: one consent for many organisations, tokens that live 60 days. The other one is scripted:
one consent for one company, tokens that live 100 days, a grant that ends for good some day.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from tests.support.deployment import Deployment
from tests.support.jobs import JobTable, calendar
from tests.support.rolling import Rolling, add_rolling_app, connect_rolling, rolling
from tests.support.trips import Trip
from tieline.worker.roster import ACTORS, ensure_recurring
from tieline.worker.runner import Runner

DAY = timedelta(hours=24)
AGE = 3_650 * DAY
# What else goes on daily is left out: the look at what is reached refreshes too, and events are counted in the end.
_ON_DUTY = (
    "sweeps.expire_consents",
    "sweeps.warn_ahead",
    "sweeps.renew_ahead",
    "credentials.finish_refresh",
    "credentials.let_go_credential",
    "sign_ins.forget_sign_in",
)
_DUE = "SELECT id, actor FROM job WHERE due_at <= $1 AND failed_at IS NULL AND actor = ANY ($2::text[]) ORDER BY id"
_TOLD = """
SELECT e.payload::text AS payload, e.kind, e.at FROM event AS e
 WHERE e.practice_id = $1 AND e.kind IN ('CONNECTION_WARNING', 'CONNECTION_EXPIRED', 'CONNECTION_RESTORED')
 ORDER BY e.position
"""
_CONNECT = (
    """mutation($input: ConnectInput!) { connect(input: $input) { connection { id } errors { code } } }"""
)
_SEEN = """query($id: ID!) { connection(id: $id) { statuses reason warnings { reason days expiresAt explanation } } }"""
_BOARD = """{ connectionBoard(product: BOOKKEEPING, withWarnings: true) { totalCount
  counts { connected } nodes { client { name } connection { warnings { days } } } } }"""


@dataclass(frozen=True, kw_only=True)
class Year:
    """A practice with connections at both providers, and the hands that move time."""

    trip: Trip
    provider: Rolling
    above: asyncpg.Connection = field(repr=False)
    runner: Runner = field(repr=False)
    begun: datetime

    async def days(self, count: int) -> None:
        """So many days, and on each of them whatever is due then."""
        for _ in range(count):
            await self.trip.sandbox.move_clock(DAY.total_seconds())
            await self.above.execute("UPDATE clock SET offset_by = offset_by + $1", DAY)
            await self.work()

    async def work(self) -> None:
        """Run what is due until nothing is."""
        for _ in range(10):
            due = await self.above.fetch(_DUE, await calendar(), _ON_DUTY)
            if not due:
                return
            await asyncio.gather(*(self.runner.run(job["id"]) for job in due))
        raise AssertionError([job["actor"] for job in due])

    async def told(self, connection_id: str) -> list[tuple[int, str, str, int | None]]:
        """What was told of it: on which day, the kind, why, and which mark."""
        rows = await self.above.fetch(_TOLD, self.trip.firm.practice_id)
        events = [(row["at"], row["kind"], json.loads(row["payload"])) for row in rows]
        return [
            ((at - self.begun).days, kind, payload.get("reason"), payload.get("days"))
            for at, kind, payload in events
            if payload["connection_id"] == connection_id
        ]

    async def seen(self, connection_id: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.trip.firm.admin.ask(_SEEN, id=connection_id))["connection"]
        return found

    async def connect(self, sign_in_id: str, books: str) -> str:
        organisations = await self.trip.found(sign_in_id)
        given = {
            "signInId": sign_in_id,
            "clientId": await self.trip.firm.admin.create_client(books),
            "organisationId": organisations[books],
            "product": "BOOKKEEPING",
        }
        payload = (await self.trip.firm.admin.ask(_CONNECT, input=given))["connect"]
        assert payload["errors"] == [], payload
        return str(payload["connection"]["id"])


@pytest.fixture
async def year(
    trip: Trip,
    jobs: JobTable,  # noqa: ARG001 - empty
    clock: Any,  # noqa: ARG001 - set back when the test ends
    opened: Deployment,
) -> AsyncIterator[Year]:
    above = await opened.connect()
    mine = trip.firm.practice_id
    # What other tests have left behind does not age with it.
    await above.execute("UPDATE practice SET consent_life_days = NULL WHERE id <> $1", mine)
    await above.execute(
        "UPDATE credential SET refreshed_at = refreshed_at + $2::interval WHERE practice_id <> $1", mine, AGE
    )
    await ensure_recurring(opened.settings)
    async with rolling() as provider:
        yield Year(
            trip=trip,
            provider=provider,
            above=above,
            runner=Runner(ACTORS),
            begun=await calendar(),
        )
    await trip.sandbox.control("POST", "/clock", {"offset_seconds": 0})
    await above.execute("UPDATE practice SET consent_life_days = 365 WHERE id <> $1", mine)
    await above.execute(
        "UPDATE credential SET refreshed_at = refreshed_at - $2::interval WHERE practice_id <> $1", mine, AGE
    )
    await above.close()


def ahead(last: int, reason: str) -> list[tuple[int, str, str, int | None]]:
    """All that is told of a connection whose end comes on this day."""
    return [
        *((last - days, "CONNECTION_WARNING", reason, days) for days in (30, 7, 1)),
        (last, "CONNECTION_EXPIRED", reason, None),
    ]


async def test_in_a_year_each_end_is_warned_of_three_times_and_comes_once(year: Year) -> None:
    trip, admin_id = year.trip, year.trip.firm.admin.person_id
    assert admin_id is not None
    sign_in_id = await trip.ready()
    left_alone = await year.connect(sign_in_id, "Ashford Bakery Ltd")
    renewed = await year.connect(sign_in_id, "Birch & Sons")
    app = await add_rolling_app(trip.firm.practice_id)
    lasting = str(await connect_rolling(year.provider, app, admin_id, "Lasting"))
    ending = str(await connect_rolling(year.provider, app, admin_id, "Ending", ends_in=200 * DAY))

    await year.days(100)
    started = await trip.start(purpose="RECONNECT", connectionId=renewed, products=[])
    if started["authorizationUrl"] is None:  # nothing is wrong with it: sign in for something else
        started = await trip.start()
    told = (await trip.land(await trip.consent(started, trip.person.named("Birch & Sons")))).told
    assert (await trip.complete(told))["errors"] == []
    await year.days(236)
    warned = await year.seen(left_alone)
    board = (await trip.firm.admin.ask(_BOARD))["connectionBoard"]
    await year.days(28)
    day_before = [(await year.seen(each))["reason"] for each in (left_alone, renewed, lasting, ending)]
    await year.days(3)

    assert await year.told(left_alone) == ahead(365, "CONSENT_EXPIRED")
    assert await year.told(lasting) == ahead(365, "CONSENT_EXPIRED")
    assert await year.told(ending) == ahead(200, "TOKEN_EXPIRED")
    assert await year.told(renewed) == []
    assert day_before == [None, None, None, "TOKEN_EXPIRED"]
    assert (await year.seen(renewed))["statuses"] == ["CONNECTED"]
    assert [(one["reason"], one["days"]) for one in warned["warnings"]] == [("CONSENT_EXPIRED", 30)]
    assert (await year.seen(left_alone))["warnings"] == []
    assert {node["client"]["name"] for node in board["nodes"]} == {"Ashford Bakery Ltd", "Lasting"}
    assert (board["totalCount"], board["counts"]["connected"]) == (2, 3)
