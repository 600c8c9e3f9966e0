"""A practice with fifty connections at both providers, and the hands that move a year's time.

idle       a login at Xero with 22 organisations, connected by one bulk connect; nothing uses its tokens
looked_at  a login at Xero with 3; the daily look uses its tokens
rounds     a login at Intuit with 25 companies, one consent each; the daily look uses the tokens of some
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeAlias

import asyncpg
import httpx

from tests.journeys.portfolio import bulk
from tests.support.deployment import Deployment
from tests.support.firm import Firm
from tests.support.intuit import QuickBooks
from tests.support.jobs import calendar
from tests.support.rounds import Rounds
from tests.support.sandbox import Sandbox
from tests.support.trips import Trip
from tieline.worker.roster import ACTORS, ensure_recurring
from tieline.worker.runner import Runner

Told: TypeAlias = tuple[int, str, str, int | None]
"""What was told of a connection: on which day, the kind, why, and which mark."""

IDLE = tuple(f"Idle {number:02}" for number in range(22))
LOOKED_AT = tuple(f"Looked At {number}" for number in range(3))
COMPANIES = tuple(f"Company {number:02}" for number in range(25))
ENDING, ENDING_DAYS = COMPANIES[-2:], 200
"""The last companies' grants end for good after so many days."""
BUSY = COMPANIES[:2]
"""The companies that are looked at every day."""

_DAY = timedelta(hours=24)
_AGE = 3_650 * _DAY
_FIVE_YEARS_DAYS = 1_825
_ON_DUTY = (
    "sweeps.expire_consents",
    "sweeps.warn_ahead",
    "sweeps.renew_ahead",
    "credentials.finish_refresh",
    "credentials.let_go_credential",
    "sign_ins.forget_sign_in",
)
_DUE = """
SELECT id, actor FROM job
 WHERE due_at <= $1 AND failed_at IS NULL AND (actor = ANY ($2::text[]) OR key = ANY ($3::text[])) ORDER BY id
"""
_LOOKS = """
SELECT 'credentials.check_reach:' || id AS key FROM credential
 WHERE practice_id = $1 AND state = 'LIVE' AND (subject = ANY ($2::text[]) OR $2 IS NULL)
"""
_TOLD = """
SELECT e.payload::text AS payload, e.kind, e.at FROM event AS e
 WHERE e.practice_id = $1 AND e.kind IN ('CONNECTION_WARNING', 'CONNECTION_EXPIRED', 'CONNECTION_RESTORED')
 ORDER BY e.position
"""


@dataclass(frozen=True, kw_only=True)
class Year:
    """`connections` are the ids by name, which client and organisation share; `begun` is when the year did."""

    idle: Trip
    looked_at: Trip
    rounds: Rounds
    connections: dict[str, str]
    begun: datetime
    above: asyncpg.Connection = field(repr=False)
    runner: Runner = field(repr=False)

    @property
    def firm(self) -> Firm:
        return self.idle.firm

    @property
    def sandbox(self) -> Sandbox:
        return self.idle.sandbox

    async def until(self, day: int, *, leap: int = 1) -> None:
        """To this day, so many at a time, and on each of those we stop at whatever is due then."""
        daily = await self._looks([self.rounds.person.named(name).realm_id for name in BUSY])
        weekly = await self._looks([self.looked_at.person.id])
        for today in range((await calendar() - self.begun).days + leap, day + 1, leap):
            await self.move(leap * _DAY)
            await self._work(daily if today % 7 else [*daily, *weekly])

    async def look_at_all(self) -> None:
        """Every login that lives is used, with the tokens that we hold."""
        await self._work(await self._looks(None))

    async def told(self) -> dict[str, list[Told]]:
        """All that was told of each connection, by its name."""
        names = {id_: name for name, id_ in self.connections.items()}
        told: dict[str, list[Told]] = {name: [] for name in self.connections}
        for row in await self.above.fetch(_TOLD, self.firm.practice_id):
            payload, day = json.loads(row["payload"]), (row["at"] - self.begun).days
            event = (day, row["kind"], payload.get("reason"), payload.get("days"))
            told[names[payload["connection_id"]]].append(event)
        return told

    async def refused(self) -> list[str | None]:
        """What the providers answered to refreshes that failed."""
        calls = [
            call for app in (self.idle.app, self.rounds.app) for call in await self.sandbox.log(app, "token")
        ]
        return [f"{call['provider']} {call['status']}" for call in calls if call["status"] != 200]

    async def move(self, by: timedelta) -> None:
        await asyncio.gather(
            self.sandbox.move_clock(by.total_seconds()),
            self.above.execute("UPDATE clock SET offset_by = offset_by + $1", by),
        )

    async def _looks(self, subjects: list[str] | None) -> list[str]:
        rows = await self.above.fetch(_LOOKS, self.firm.practice_id, subjects)
        return [row["key"] for row in rows]

    async def _work(self, looks: list[str]) -> None:
        """Run what is due until nothing is, and these looks today: they would be a day apart, give or take a tenth."""
        now = await calendar()
        await self.above.execute("UPDATE job SET due_at = $1 WHERE key = ANY ($2::text[])", now, looks)
        for _ in range(10):
            due = await self.above.fetch(_DUE, await calendar(), _ON_DUTY, looks)
            if not due:
                return
            await asyncio.gather(*(self.runner.run(job["id"]) for job in due))
        raise AssertionError([job["actor"] for job in due])


@asynccontextmanager
async def beginning(firm: Firm, sandbox: Sandbox, deployment: Deployment) -> AsyncIterator[Year]:
    """Everybody has been connected for an hour. At the end both clocks are what they were."""
    above, begun = await deployment.connect(), await calendar()
    await _rest_others(above, firm, over=False)
    await ensure_recurring(deployment.settings)
    async with httpx.AsyncClient(timeout=30) as browser:
        idle = Trip(
            firm=firm,
            sandbox=sandbox,
            app=await sandbox.app(firm.practice_id),
            person=await sandbox.populate(*IDLE),
            browser=browser,
        )
        looked_at = replace(idle, person=await sandbox.populate(*LOOKED_AT))
        quickbooks = QuickBooks(sandbox=sandbox)
        rounds = Rounds(
            firm=firm,
            quickbooks=quickbooks,
            app=await quickbooks.app(firm.practice_id),
            person=await quickbooks.populate(*COMPANIES),
            browser=browser,
            above=above,
        )
        connections = {
            **await _connected(idle, await idle.ready(), IDLE),
            **await _connected(looked_at, await looked_at.ready(), LOOKED_AT),
            **await _connected(
                rounds, await rounds.queue(*map(rounds.person.named, COMPANIES[:-2])), COMPANIES[:-2]
            ),
        }
        await rounds.quickbooks.control(
            "PUT", f"/apps/{rounds.app.client_id}", {"hard_life_days": ENDING_DAYS}
        )
        connections |= await _connected(rounds, await rounds.queue(*map(rounds.person.named, ENDING)), ENDING)
        await rounds.quickbooks.control(
            "PUT", f"/apps/{rounds.app.client_id}", {"hard_life_days": _FIVE_YEARS_DAYS}
        )
        year = Year(
            idle=idle,
            looked_at=looked_at,
            rounds=rounds,
            connections=connections,
            begun=begun,
            above=above,
            runner=Runner(ACTORS),
        )
        await year.move(timedelta(hours=1))
        yield year
    await sandbox.control("POST", "/clock", {"offset_seconds": 0})
    await _rest_others(above, firm, over=True)
    await above.close()


async def _connected(login: Trip | Rounds, sign_in_id: str, names: Sequence[str]) -> dict[str, str]:
    """A client for each of the books that a sign-in found, all connected at once: the connections' ids."""
    admin, organisations = login.firm.admin, await login.found(sign_in_id)
    clients = await asyncio.gather(*(admin.create_client(name) for name in names))
    rows = [(client, organisations[name]) for client, name in zip(clients, names, strict=True)]
    outcomes = await bulk(admin, sign_in_id, rows)
    assert {outcome["code"] for outcome in outcomes} == {"CONNECTED"}, outcomes
    return {name: outcome["connection"]["id"] for name, outcome in zip(names, outcomes, strict=True)}


async def _rest_others(above: asyncpg.Connection, firm: Firm, *, over: bool) -> None:
    """What other tests have left behind does not age with the year, or does again."""
    await above.execute(
        "UPDATE practice SET consent_life_days = $2 WHERE id <> $1", firm.practice_id, 365 if over else None
    )
    await above.execute(
        "UPDATE credential SET refreshed_at = refreshed_at + $2::interval WHERE practice_id <> $1",
        firm.practice_id,
        -_AGE if over else _AGE,
    )
