"""Twenty-five clients connected by one call: each row has its own outcome, and the same again changes nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from tests.journeys.portfolio import ALL_CONNECTED, Portfolio, Row, bulk, found, populated
from tests.support.deployment import Deployment
from tests.support.firm import Caller, Firm, unknown_id
from tests.support.sandbox import Sandbox
from tests.support.trips import CONTINUE, Trip
from tieline.ids import PersonId, new_id


@dataclass(frozen=True, kw_only=True)
class Request:
    """A call of somebody who manages most of the practice's clients: good rows, and others with what they come to."""

    caller: Caller
    sign_in_id: str
    good: list[Row]
    others: list[tuple[Row, str, str]]
    hidden: str
    before: list[dict[str, Any]]

    @property
    def rows(self) -> list[Row]:
        return [*self.good, *(row for row, _, _ in self.others)]

    async def send(self) -> list[dict[str, Any]]:
        return await bulk(self.caller, self.sign_in_id, self.rows)

    def codes(self, good: str) -> list[str]:
        return [good] * len(self.good) + [code for _, code, _ in self.others]


@pytest.fixture
async def fresh(firm: Firm, sandbox: Sandbox, clock: Any, opened: Deployment) -> AsyncIterator[Portfolio]:
    """Nobody is connected yet."""
    async with populated(firm, sandbox, clock, opened) as portfolio:
        yield portfolio


@pytest.fixture
async def request_of_all_kinds(fresh: Portfolio) -> Request:
    """Four clients are connected before; one of them the caller may not see, and one it may only see."""
    already, seen, hidden, taken, spare, *good = fresh.served.values()
    asking = [await fresh.admin.create_client(f"Applicant {number}") for number in range(6)]
    before = await fresh.connect([already.row, seen.row, hidden.row, (asking[0], taken.organisation_id)])
    elsewhere = await out_of_reach(fresh.trip)
    managed = [already.client_id, *(one.client_id for one in good), *asking]
    caller = await administrator(fresh, managed, seen.client_id)
    sign_in_id, narrow = await narrow_sign_in(fresh.trip, caller)
    nobody = unknown_id()
    others = [
        (already.row, "ALREADY_CONNECTED", ""),
        (
            (asking[1], seen.organisation_id),
            "ORGANISATION_IN_USE",
            f"{seen.books} already serves the client {seen.client}.",
        ),
        (
            (asking[2], hidden.organisation_id),
            "ORGANISATION_IN_USE",
            f"{hidden.books} already serves another client of your practice.",
        ),
        ((asking[3], elsewhere), "NOT_IN_THIS_LOGIN", "This sign-in does not reach this organisation"),
        ((asking[0], spare.organisation_id), "DIFFERENT_ORGANISATION", f"is connected to {taken.books};"),
        ((hidden.client_id, unknown_id()), "NOT_FOUND", f"no client with the id {hidden.client_id}"),
        ((nobody, unknown_id()), "NOT_FOUND", f"no client with the id {nobody}"),
        (("nonsense", unknown_id()), "NOT_FOUND", "no client with the id nonsense"),
        ((asking[4], unknown_id()), "NOT_FOUND", "no organisation with the id"),
        ((seen.client_id, unknown_id()), "FORBIDDEN", ""),
        ((good[0].client_id, unknown_id()), "NAMED_TWICE", ""),
        ((asking[5], narrow), "SCOPE_MISSING", ""),
    ]
    return Request(
        caller=caller,
        sign_in_id=sign_in_id,
        good=[one.row for one in good],
        others=others,
        hidden=hidden.books,
        before=before,
    )


async def administrator(portfolio: Portfolio, administered: list[str], read: str) -> Caller:
    """Somebody of the clients' own, who manages these, may look at one more, and sees no other."""
    person_id = PersonId(new_id())
    practice_id, above = portfolio.trip.firm.practice_id, portfolio.above
    await above.execute(
        "INSERT INTO person (id, practice_id, name, name_key, email, created_at) "
        f"VALUES ($2, $1, 'Somebody', 'somebody', '{person_id}@client.invalid', '2031-05-04')",
        practice_id,
        person_id,
    )
    await above.execute(
        "INSERT INTO client_member (practice_id, person_id, client_id, role, created_at) "
        "SELECT $1, $2, c, CASE WHEN c = $4 THEN 'READER' ELSE 'ADMINISTRATOR' END, '2031-05-04' "
        "FROM unnest($3::uuid[]) AS c",
        practice_id,
        person_id,
        [UUID(client_id) for client_id in (*administered, read)],
        UUID(read),
    )
    return await portfolio.trip.firm.caller(person_id)


async def narrow_sign_in(trip: Trip, caller: Caller) -> tuple[str, str]:
    """The caller's sign-in for DATA_HEALTH: with the practice's login, which has granted more, and with another.

    Its id, and that of the organisation which the other reaches.
    """
    told = await trip.proof(await trip.start(caller, products=["DATA_HEALTH"]))
    assert (await trip.complete(told, caller))["errors"] == []
    other = await trip.sandbox.populate("Clover Narrow Ltd")
    again = (await caller.ask(CONTINUE, input={"id": told["signIn"]}))["continueSignIn"]
    told = (await trip.land(await trip.sandbox.consent(again["authorizationUrl"], other))).told
    assert (await trip.complete(told, caller))["errors"] == []
    organisations = await found(caller, told["signIn"])
    return told["signIn"], organisations["Clover Narrow Ltd"]["organisation"]["id"]


async def out_of_reach(trip: Trip) -> str:
    """The id of an organisation that only another login of the practice reaches."""
    other = await trip.sandbox.populate("Vetch Elsewhere Ltd")
    started = await trip.start()
    told = (await trip.land(await trip.sandbox.consent(started["authorizationUrl"], other))).told
    assert (await trip.complete(told))["errors"] == []
    return (await trip.found(told["signIn"]))["Vetch Elsewhere Ltd"]


async def snapshot(portfolio: Portfolio) -> tuple[Any, ...]:
    return await portfolio.board(), await portfolio.runs(), await portfolio.events()


async def test_the_good_rows_are_those_that_the_sign_in_suggests(request_of_all_kinds: Request) -> None:
    given = request_of_all_kinds

    organisations = await found(given.caller, given.sign_in_id)

    suggested = {
        name: (node["suggestedClients"][0]["client"]["id"], node["organisation"]["id"])
        for name, node in organisations.items()
        if node["suggestedClients"] and node["suggestedClients"][0]["exact"]
    }
    hidden = organisations[given.hidden]
    assert sorted(suggested.values()) == sorted(given.good)
    assert (hidden["inUse"], hidden["client"], hidden["suggestedClients"]) == (True, None, [])


async def test_one_call_connects_the_good_rows_and_tells_each_other_one_why_not(
    fresh: Portfolio, request_of_all_kinds: Request
) -> None:
    given = request_of_all_kinds

    outcomes = await given.send()

    assert [(one["clientId"], one["organisationId"]) for one in outcomes] == given.rows
    assert [one["code"] for one in outcomes] == given.codes(good="CONNECTED")
    for (row, _, words), outcome in zip(given.others, outcomes[20:], strict=True):
        assert words in (outcome["error"]["message"] if outcome["error"] else ""), row
    made, refused = [one["connection"] for one in outcomes[:21]], outcomes[21:]
    assert [(one["client"]["id"], one["organisation"]["id"]) for one in made] == given.rows[:21]
    assert all(one["connection"] is None and one["error"]["message"] for one in refused)
    assert await fresh.counts() == {"unintegrated": 7, "connected": 24, "mismatch": 1, "expired": 0}
    assert await fresh.told("CONNECTION_CONNECTED") == Counter(
        one["connection"]["id"] for one in (*given.before, *outcomes[:20])
    )
    runs = await fresh.runs()
    assert [(run["state"], run["trigger"]) for run in runs] == [("QUEUED", "CONNECT")] * 24
    assert len({run["organisation_id"] for run in runs}) == 24


async def test_the_same_call_again_changes_nothing(fresh: Portfolio, request_of_all_kinds: Request) -> None:
    given = request_of_all_kinds
    first, before = await given.send(), await snapshot(fresh)

    again = await given.send()

    assert [one["code"] for one in again] == given.codes(good="ALREADY_CONNECTED")
    assert [one["connection"] for one in again] == [one["connection"] for one in first]
    assert await snapshot(fresh) == before


async def test_two_calls_at_once_connect_each_client_once(fresh: Portfolio) -> None:
    rows = [one.row for one in fresh.served.values()]

    answers = await asyncio.gather(
        *(fresh.connect(order) for order in (rows, rows[::-1], rows[10:] + rows[:10]))
    )

    by_client: dict[str, list[str]] = {}
    for outcome in (one for answer in answers for one in answer):
        by_client.setdefault(outcome["clientId"], []).append(outcome["code"])
    assert len(by_client) == 25
    assert all(
        sorted(codes) == ["ALREADY_CONNECTED", "ALREADY_CONNECTED", "CONNECTED"]
        for codes in by_client.values()
    )
    assert (await fresh.board())["counts"] == ALL_CONNECTED
    assert await fresh.told("CONNECTION_CONNECTED") == Counter(
        connection["id"] for connection in (await fresh.connections()).values()
    )
    assert sorted(str(run["organisation_id"]) for run in await fresh.runs()) == sorted(one for _, one in rows)
