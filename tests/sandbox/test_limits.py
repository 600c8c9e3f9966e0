"""Limits: what is left, what is refused and for how long, when it begins again."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
import pytest

from tests.sandbox.together import at_once
from tests.sandbox.xero import Person, Xero


@dataclass(frozen=True, kw_only=True)
class Office:
    """Somebody's three organisations, connected."""

    xero: Xero
    person: Person
    access_token: str

    async def call(self, place: int = 0) -> httpx.Response:
        return await self.xero.read(self.access_token, self.person.tenants[place])

    async def spend(self, calls: int, place: int = 0) -> list[int]:
        return [(await self.call(place)).status_code for _ in range(calls)]


@pytest.fixture
async def office(xero: Xero, person: Person) -> Office:
    await xero.configure(bulk_consent=True)
    pair = await xero.connect(person, *person.tenants)
    return Office(xero=xero, person=person, access_token=pair["access_token"])


async def test_each_answer_says_what_is_left(office: Office) -> None:
    first, second = await office.call(), await office.call()

    assert left(first) == (4999, 59, 9999)
    assert left(second) == (4998, 58, 9998)
    assert left(await office.call(1)) == (4999, 59, 9997)


async def test_a_starter_app_has_a_shorter_day(office: Office) -> None:
    await office.xero.configure(tier="starter")

    assert left(await office.call())[0] == 999


async def test_sixty_calls_a_minute_in_an_organisation(office: Office) -> None:
    assert await office.spend(60) == [200] * 60

    refused = await office.call()

    assert refused.status_code == 429
    assert refused.headers["x-rate-limit-problem"] == "minute"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["content-type"].startswith("text/plain")
    assert left(refused)[1] == 0
    assert (await office.call(1)).status_code == 200


async def test_the_minute_begins_again_after_what_was_said(office: Office) -> None:
    await office.spend(60)
    wait = int((await office.call()).headers["retry-after"])

    await office.xero.advance(seconds=wait - 30)
    assert (await office.call()).status_code == 429
    await office.xero.advance(seconds=30)
    assert left(await office.call())[1] == 59


async def test_a_day_that_is_almost_spent(office: Office) -> None:
    await office.xero.control("PUT", f"/organisations/{office.person.tenants[0]}", {"day_remaining": 2})

    assert await office.spend(3) == [200, 200, 429]
    refused = await office.call()
    assert refused.headers["x-rate-limit-problem"] == "day"
    assert 86_000 < int(refused.headers["retry-after"]) <= 86_400
    assert (await office.call(1)).status_code == 200
    await office.xero.advance(days=1)
    fresh = await office.xero.connect(office.person)
    assert left(await office.xero.read(fresh["access_token"], office.person.tenants[0]))[0] == 4999


async def test_an_app_has_a_minute_over_all_its_organisations(office: Office) -> None:
    await office.xero.control("PUT", "/limits", {"app_minute": 3})

    assert [(await office.call(place)).status_code for place in (0, 1, 2)] == [200, 200, 200]
    refused = await office.call(0)
    assert refused.status_code == 429
    assert refused.headers["x-rate-limit-problem"] == "appminute"
    assert int(refused.headers["retry-after"]) <= 60


async def test_five_at_once_in_an_organisation(office: Office) -> None:
    calls = [*(office.call() for _ in range(7)), *(office.call(1) for _ in range(5))]

    answers = await at_once(office.xero.http, *calls)

    assert sorted(answer.status_code for answer in answers) == [200] * 10 + [429] * 2
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["x-rate-limit-problem"] == "concurrent"
    assert "retry-after" not in refused.headers
    counters = (await office.xero.control("GET", "/counters"))["organisations"][office.person.tenants[0]]
    assert counters == {"calls": 7, "in_flight": 0, "most_in_flight": 6, "throttled": {"concurrent": 2}}
    entries = await office.xero.log(organisation=office.person.tenants[0])
    assert max(entry["in_flight"] for entry in entries[-7:]) in (6, 7)


async def test_a_refused_call_is_not_counted_again(office: Office) -> None:
    await office.xero.control("PUT", "/limits", {"minute": 2})

    assert await office.spend(4) == [200, 200, 429, 429]
    assert left(await office.call())[0] == 4998


async def test_limits_can_be_off_and_reset_brings_them_back(office: Office) -> None:
    off = {"minute": None, "concurrent": None, "app_minute": None, "day": None}
    await office.xero.control("PUT", "/limits", off)

    answer = await office.call()

    assert await office.spend(70) == [200] * 70
    assert not [name for name in answer.headers if name.endswith("-remaining")]
    await office.xero.control("POST", "/reset")
    assert await office.xero.control("GET", "/limits") == {
        "minute": 60,
        "concurrent": 5,
        "app_minute": 10_000,
        "day": "tier",
    }


async def test_limits_are_of_one_app(office: Office) -> None:
    await office.xero.control("PUT", "/limits", {"minute": 1})
    await office.spend(1)
    other = {"secret": "another-secret", "redirect_uris": ["http://localhost:5000/callback"]}
    await office.xero.control("PUT", "/apps/another", other)

    answer = await office.xero.decide(office.person, office.person.tenants[:1], client_id="another")
    code = httpx.URL(answer.headers["location"]).params["code"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": "http://localhost:5000/callback",
    }
    pair = (
        await office.xero.http.post("/xero/connect/token", data=form, auth=("another", "another-secret"))
    ).json()

    assert (await office.call()).status_code == 429
    assert (await office.xero.read(pair["access_token"], office.person.tenants[0])).status_code == 200


def left(answer: httpx.Response) -> tuple[int, int, int]:
    names = ("x-daylimit-remaining", "x-minlimit-remaining", "x-appminlimit-remaining")
    day, minute, app = (int(answer.headers[name]) for name in names)
    return day, minute, app
