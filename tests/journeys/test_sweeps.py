"""A year goes by: what runs out does so once, after three warnings, and nothing is lost for want of a look.

Fifty connections at both providers of the sandbox, over HTTP. The sweeps and the jobs of tokens run as a worker runs
them: daily, or every fourth day where nothing ends. The look at what is reached runs for three logins, so that the
tokens of the 24 others live by renewals alone. Syncs are left out: they would renew, too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.journeys.year import (
    BUSY,
    COMPANIES,
    ENDING,
    ENDING_DAYS,
    IDLE,
    LOOKED_AT,
    Told,
    Year,
    beginning,
)
from tests.support.deployment import Deployment
from tests.support.firm import Firm
from tests.support.jobs import JobTable
from tests.support.sandbox import Sandbox
from tests.support.trips import Trip

_BOARD = """query($warned: Boolean!) { connectionBoard(product: BOOKKEEPING, first: 200, withWarnings: $warned) {
  counts { unintegrated connected mismatch expired }
  nodes { client { name } statuses connection { warnings { reason days } } } } }"""
COUNTS = {"unintegrated": 0, "mismatch": 0}
TAKEN_BACK = BUSY[0]
REMOVED = LOOKED_AT[0]
CONSENTED_TO_ANEW = (*IDLE[:3], LOOKED_AT[1], *COMPANIES[2:4])
RECONNECTED = (IDLE[3], COMPANIES[4])
"""Once people were warned of the consent's end."""
ENDED, MENDED = ENDING


@pytest.fixture
async def year(
    firm: Firm,
    sandbox: Sandbox,
    opened: Deployment,
    jobs: JobTable,  # noqa: ARG001 - empty
    clock: Any,  # noqa: ARG001 - set back when the test ends
) -> AsyncIterator[Year]:
    async with beginning(firm, sandbox, opened) as begun:
        yield begun


def warned(last: int, reason: str, *marks: int) -> list[Told]:
    return [(last - days, "CONNECTION_WARNING", reason, days) for days in marks]


def ended(last: int, reason: str) -> list[Told]:
    """All that is told of a connection whose end comes on this day."""
    return [*warned(last, reason, 30, 7, 1), (last, "CONNECTION_EXPIRED", reason, None)]


def gone(day: int) -> list[Told]:
    return [(day, "CONNECTION_EXPIRED", "REVOKED_AT_PROVIDER", None)]


async def board(year: Year, *, warned: bool = False) -> dict[str, Any]:
    """The practice's lines, or those alone that have warnings."""
    return dict((await year.firm.admin.ask(_BOARD, warned=warned))["connectionBoard"])


def connected(board: dict[str, Any]) -> set[str]:
    return {node["client"]["name"] for node in board["nodes"] if "CONNECTED" in node["statuses"]}


async def consent_anew(year: Year, *names: str) -> None:
    """Somebody signs in for something else, and consents to these books among others."""
    for trip in (year.idle, year.looked_at):
        books = [one for one in trip.person.organisations if one.name in names]
        await complete(trip, await trip.start(), *(one.name for one in books))
    for company in (one for one in year.rounds.person.companies if one.name in names):
        await year.rounds.completed(await year.rounds.start(), company)


async def reconnect(year: Year, name: str) -> None:
    """A person is sent to the consent page for this connection."""
    id_ = year.connections[name]
    if name in COMPANIES:
        begun = await year.rounds.start("RECONNECT", connectionId=id_)
        await year.rounds.completed(begun, year.rounds.person.named(name))
    else:
        started = await year.idle.start(purpose="RECONNECT", connectionId=id_, products=[])
        await complete(year.idle, started, name)


async def complete(trip: Trip, started: dict[str, Any], *names: str) -> None:
    callback = await trip.consent(started, *(trip.person.named(name) for name in names))
    completed = await trip.complete((await trip.land(callback)).told)
    assert completed["errors"] == [], completed


async def test_in_a_year_of_fifty_connections_each_end_is_warned_of_and_comes_once(year: Year) -> None:
    wanted = {name: ended(365, "CONSENT_EXPIRED") for name in year.connections}
    wanted |= {name: [] for name in CONSENTED_TO_ANEW}
    wanted |= {name: warned(365, "CONSENT_EXPIRED", 30) for name in RECONNECTED}
    wanted |= {TAKEN_BACK: gone(41), REMOVED: gone(63)}
    wanted |= {ENDED: ended(ENDING_DAYS, "TOKEN_EXPIRED"), MENDED: warned(ENDING_DAYS, "TOKEN_EXPIRED", 30)}
    assert len(wanted) == 50

    await year.until(40, leap=4)
    await year.rounds.quickbooks.revoke(company=year.rounds.person.named(TAKEN_BACK))
    await year.until(60)
    await year.sandbox.revoke(year.looked_at.app, year.looked_at.person, year.looked_at.person.named(REMOVED))
    await year.until(64)
    await year.until(100, leap=4)
    await consent_anew(year, *CONSENTED_TO_ANEW)
    await year.until(168, leap=4)
    await year.until(180)
    await reconnect(year, MENDED)
    await year.until(204)
    await year.until(332, leap=4)
    await year.until(340)
    for name in RECONNECTED:
        await reconnect(year, name)
    warned_of, before = await board(year, warned=True), await board(year)
    await year.until(364)
    the_day_before = await board(year)
    await year.until(368)
    await year.look_at_all()
    after = await board(year)

    assert await year.told() == wanted
    assert connected(warned_of) == {
        name for name, told in wanted.items() if told == ended(365, "CONSENT_EXPIRED")
    }
    assert {
        (one["reason"], one["days"]) for node in warned_of["nodes"] for one in node["connection"]["warnings"]
    } == {("CONSENT_EXPIRED", 30)}
    assert before["counts"] == the_day_before["counts"] == COUNTS | {"connected": 47, "expired": 3}
    assert after["counts"] == COUNTS | {"connected": 9, "expired": 41}
    assert connected(after) == {*CONSENTED_TO_ANEW, *RECONNECTED, MENDED}
    assert await year.refused() == ["quickbooks 400"] * 2, "the one taken back, and the one that ended"
