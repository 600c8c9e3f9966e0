"""How calls are refused: by whose token it is, by what was planted, by the limits."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest

from tests.sandbox.quickbooks.intuit import CLIENT_ID, HARD, Intuit, Person, bearer
from tests.sandbox.together import at_once

THROTTLED = "message=ThrottleExceeded; errorCode=003001; statusCode=429"
DROPPED = (httpx.RemoteProtocolError, httpx.ReadError)


async def test_an_expired_token_is_told_in_the_gateways_envelope(intuit: Intuit, person: Person) -> None:
    pair = await intuit.connect(person)
    await intuit.advance(hours=1)

    answer = await intuit.get(pair["access_token"], person.realms[0])

    told = answer.json()
    assert (answer.status_code, told["fault"]["type"]) == (401, "AUTHENTICATION")
    assert told["fault"]["error"][0]["code"] == "3200"
    assert isinstance(told["time"], int)
    assert answer.headers["intuit_tid"]


async def test_a_token_is_for_one_company(intuit: Intuit, person: Person) -> None:
    pair = await intuit.connect(person)

    other = await intuit.get(pair["access_token"], person.realms[1])
    nonsense = await intuit.get("nonsense", person.realms[0])

    assert (other.status_code, other.json()["fault"]["error"][0]["code"]) == (403, "3100")
    assert nonsense.status_code == 401


async def test_who_lost_the_rights_in_a_company_is_refused(intuit: Intuit, person: Person) -> None:
    pair = await intuit.connect(person)
    await intuit.control("PUT", f"/users/{person.id}", {"companies": person.realms[1:]})

    answer = await intuit.get(pair["access_token"], person.realms[0])

    assert (answer.status_code, answer.json()["Fault"]["Error"][0]["code"]) == (401, "120")
    assert (await intuit.refresh(pair["refresh_token"])).status_code == 200


async def test_a_suspended_company_answers_6190_until_it_is_not(intuit: Intuit, person: Person) -> None:
    pair, path = await intuit.connect(person), f"/companies/{person.realms[0]}"

    await intuit.control("PUT", path, {"suspended": True})
    refused = await intuit.get(pair["access_token"], person.realms[0])
    await intuit.control("PUT", path, {"suspended": False})

    assert (refused.status_code, refused.json()["Fault"]["Error"][0]["code"]) == (400, "6190")
    assert (await intuit.get(pair["access_token"], person.realms[0])).status_code == 200


@pytest.mark.parametrize("by", ["realm", "user"])
async def test_an_app_that_is_disconnected_at_intuit_is_refused(
    intuit: Intuit, person: Person, by: str
) -> None:
    pair, other = await intuit.connect(person), await intuit.connect(person, person.realms[1])

    await intuit.control("POST", "/revoke", {by: person.realms[0] if by == "realm" else person.email})

    assert (await intuit.get(pair["access_token"], person.realms[0])).status_code == 403
    assert (await intuit.refresh(pair["refresh_token"])).status_code == 400
    assert (await intuit.refresh(other["refresh_token"])).is_success == (by == "realm")


@pytest.mark.parametrize(
    ("form", "status", "content_type"),
    [
        ("json", None, "application/json"),
        ("lower", 401, "application/json"),
        ("xml", 403, "application/xml"),
    ],
)
async def test_a_planted_fault_comes_in_each_form_and_inside_200(
    intuit: Intuit, person: Person, form: str, status: int | None, content_type: str
) -> None:
    pair = await intuit.connect(person)
    fault: dict[str, Any] = {
        "form": form,
        "status": status,
        "code": "100",
        "type": "SystemFault",
        "message": "No.",
    }
    await intuit.plant("fault", endpoint="companyinfo", **fault)

    answer = await intuit.get(pair["access_token"], person.realms[0])

    assert answer.status_code == (status or 200)
    assert answer.headers["content-type"].startswith(content_type)
    assert answer.headers["intuit_tid"]
    told: Any = answer.json() if form != "xml" else None
    if form == "json":
        assert told["Fault"]["Error"] == [{"Message": "No.", "Detail": "", "code": "100", "element": ""}]
    elif form == "lower":
        assert told["fault"]["error"][0]["message"] == "No."
    else:
        assert '<Fault type="SystemFault"><Error code="100"><Message>No.' in answer.text


@pytest.mark.parametrize("form", ["json", "lower", "xml"])
async def test_a_planted_fault_may_tell_several_errors(intuit: Intuit, person: Person, form: str) -> None:
    pair = await intuit.connect(person)
    more = [{"code": "610", "message": "Object Not Found", "detail": "Vendor 7"}]
    await intuit.plant("fault", endpoint="companyinfo", form=form, code="2500", more=more)

    told = (await intuit.get(pair["access_token"], person.realms[0])).text

    assert told.index('"2500"') < told.index('"610"')
    assert "Vendor 7" in told


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "vendor"), ("POST", "upload"), ("GET", "reports/CashFlow")]
)
async def test_what_the_sandbox_cannot_do_is_an_unsupported_operation(
    intuit: Intuit, person: Person, method: str, path: str
) -> None:
    token = (await intuit.connect(person))["access_token"]
    place = f"/quickbooks/v3/company/{person.realms[0]}/{path}"

    answer = await intuit.http.request(method, place, headers=bearer(token))

    assert (answer.status_code, answer.json()["Fault"]["Error"][0]["code"]) == (400, "500")


async def test_a_planted_fault_is_intuits_alone(intuit: Intuit) -> None:
    await intuit.plant("fault", endpoint="token")

    assert (await intuit.http.post("/xero/connect/token")).json() == {"error": "invalid_client"}
    assert "Fault" in (await intuit.token()).json()
    await intuit.plant("status", endpoint="token", status=503, plan={"provider": "xero"})
    assert (await intuit.token()).status_code == 400
    assert (await intuit.http.post("/xero/connect/token")).status_code == 503


@pytest.mark.parametrize(("given", "wait"), [(None, None), (7, "7")])
async def test_a_planted_throttle_is_xml_with_a_wait_only_when_it_is_given(
    intuit: Intuit, person: Person, given: int | None, wait: str | None
) -> None:
    pair = await intuit.connect(person)
    await intuit.plant("throttle", endpoint="accounting", retry_after=given)

    answer = await intuit.get(pair["access_token"], person.realms[0])

    assert (answer.status_code, answer.headers.get("retry-after")) == (429, wait)
    assert answer.headers["content-type"].startswith("application/xml")
    assert THROTTLED in answer.text
    assert 'type="SERVICE"><Error code="3001"' in answer.text
    assert answer.headers["intuit_tid"]


async def test_html_a_drop_and_a_stall(intuit: Intuit, person: Person) -> None:
    pair, realm = await intuit.connect(person), person.realms[0]
    for kind in ("html", "drop", "slow"):
        await intuit.plant(kind, endpoint="query", seconds=0.3)

    page = await intuit.get(pair["access_token"], realm, "query", query="SELECT * FROM Term")
    with pytest.raises(DROPPED):
        await intuit.get(pair["access_token"], realm, "query", query="SELECT * FROM Term")
    begun = time.monotonic()
    late = await intuit.get(pair["access_token"], realm, "query", query="SELECT * FROM Term")

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["intuit_tid"] != late.headers["intuit_tid"]
    assert late.status_code == 200
    assert time.monotonic() - begun >= 0.3


async def test_a_fault_may_be_for_one_company_and_for_a_refresh_of_one_person(
    intuit: Intuit, person: Person
) -> None:
    other = await intuit.populate(companies=1)
    pair, second = await intuit.connect(person), await intuit.connect(other)
    await intuit.plant("status", status=500, plan={"organisation": person.realms[0], "times": 2})
    await intuit.plant("status", endpoint="token", status=502, plan={"user": other.email})

    assert (await intuit.get(second["access_token"], other.realms[0])).status_code == 200
    assert (await intuit.get(pair["access_token"], person.realms[0])).status_code == 500
    assert (await intuit.refresh(pair["refresh_token"])).status_code == 500
    assert (await intuit.refresh(second["refresh_token"])).status_code == 502


async def test_the_log_tells_who_asked_what_and_no_secret(intuit: Intuit, person: Person) -> None:
    realm = person.realms[0]
    code = await intuit.code(person, realm)
    pair = (await intuit.exchange(code)).json()
    await intuit.refresh(pair["refresh_token"], HARD)
    await intuit.get(pair["access_token"], realm)
    await intuit.get(pair["access_token"], realm, "query", query="SELECT * FROM Term")
    await intuit.get(pair["access_token"], realm, "cdc", entities="Bill", changedSince="2026-01-01")
    await intuit.get(pair["access_token"], realm, "vendor/1")
    await intuit.revoke(pair["refresh_token"])
    await intuit.http.get("/quickbooks/.well-known/openid_configuration")

    entries = await intuit.log()
    text = (await intuit.http.get("/_control/log")).text

    books = ["companyinfo", "query", "cdc", "entity"]
    named = ["authorize", "token", "token", *books, "revocation", "discovery"]
    assert [entry["endpoint"] for entry in entries] == named
    assert {entry["provider"] for entry in entries} == {"quickbooks"}
    assert {entry["organisation"] for entry in entries[:-1]} == {realm}
    assert {entry["user"] for entry in entries[:-1]} == {person.id}
    assert {entry["client_id"] for entry in entries[:-1]} == {CLIENT_ID}
    assert [entry["grant_type"] for entry in entries[1:3]] == ["authorization_code", "refresh_token"]
    assert entries[2]["headers"]["X-Include-Refresh-Token-Hard-Expires-In"] == "true"
    assert len(await intuit.log(endpoint="accounting")) == 4
    for secret in (code, pair["access_token"], pair["refresh_token"]):
        assert secret not in text


async def test_so_many_calls_a_second_in_a_company(intuit: Intuit, person: Person) -> None:
    await intuit.control("PUT", "/limits", {"second": 1, "retry_after": 60})
    pair, other = await intuit.connect(person), await intuit.connect(person, person.realms[1])

    calls = (intuit.get(pair["access_token"], person.realms[0]) for _ in range(8))
    answers = await asyncio.gather(*calls)

    refused = [one for one in answers if one.status_code == 429]
    assert 1 <= len(refused) <= 7
    assert {THROTTLED in one.text for one in refused} == {True}
    assert {one.headers["retry-after"] for one in refused} == {"60"}
    assert (await intuit.get(other["access_token"], person.realms[1])).status_code == 200
    await intuit.advance(seconds=1)
    assert (await intuit.get(pair["access_token"], person.realms[0])).status_code == 200


async def test_the_minute_is_of_the_company_over_all_apps(intuit: Intuit, person: Person) -> None:
    assert await intuit.control("GET", "/limits") == {
        "concurrent": 10,
        "second": 10,
        "minute": 500,
        "batch": 40,
        "batch_company": 120,
        "month": 500_000,
        "retry_after": None,
    }
    await intuit.control("PUT", "/limits", {"second": None, "minute": 3})
    pair = await intuit.connect(person)

    answers = [await intuit.get(pair["access_token"], person.realms[0]) for _ in range(4)]

    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert "retry-after" not in answers[3].headers
    counted = (await intuit.control("GET", "/counters"))["companies"][person.realms[0]]
    assert (counted["calls"], counted["throttled"]) == (4, {"minute": 1})
    await intuit.advance(seconds=10)
    assert (await intuit.get(pair["access_token"], person.realms[0])).status_code == 429
    await intuit.advance(seconds=50)
    assert (await intuit.get(pair["access_token"], person.realms[0])).status_code == 200


async def test_ten_calls_at_once_in_a_company(intuit: Intuit, person: Person) -> None:
    await intuit.control("PUT", "/limits", {"second": None, "concurrent": 3})
    pair = await intuit.connect(person)

    calls = (intuit.get(pair["access_token"], person.realms[0]) for _ in range(5))
    answers = await at_once(intuit.http, *calls)

    assert sorted(one.status_code for one in answers) == [200, 200, 200, 429, 429]


async def test_the_months_reads_are_the_apps_and_only_good_ones_count(intuit: Intuit, person: Person) -> None:
    await intuit.configure(month_remaining=2)
    pair, other = await intuit.connect(person), await intuit.connect(person, person.realms[1])

    bad = await intuit.get(pair["access_token"], person.realms[0], "query", query="nonsense")
    good = [await intuit.get(pair["access_token"], person.realms[0]) for _ in range(2)]
    spent = await intuit.get(other["access_token"], person.realms[1])

    assert bad.status_code == 400
    assert [one.status_code for one in good] == [200, 200]
    assert (spent.status_code, THROTTLED in spent.text) == (429, True)
    assert (await intuit.control("GET", "/counters"))["metered_reads"][CLIENT_ID] == 500_000
    refreshed = await intuit.refresh(other["refresh_token"])
    await intuit.advance(days=31)
    again = (await intuit.refresh(refreshed.json()["refresh_token"])).json()
    assert (await intuit.get(again["access_token"], person.realms[1])).status_code == 200
