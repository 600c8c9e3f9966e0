"""Hostile sign-ins over HTTP: what a browser may not bring back, and who may not complete; each beside its twin."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.firm import Caller, Firm, unknown_id
from tests.support.sandbox import Sandbox
from tests.support.trips import COMPLETE, SIGN_IN, Trip, codes
from tieline.practices.keys import issue_key, revoke_key
from tieline.principal import Permission


async def test_what_no_provider_sends_spends_no_code_and_leads_nowhere(
    trip: Trip, other_firm: Firm, sandbox: Sandbox
) -> None:
    callback = await trip.consent(await trip.start())
    code, state = (httpx.URL(callback).params[name] for name in ("code", "state"))
    elsewhere = str((await sandbox.app(other_firm.practice_id)).id)
    refused = {
        "a code twice": (f"{callback}&code={code}", 400),
        "a state twice": (f"{callback}&state={state}", 400),
        "an issuer twice": (f"{callback}&iss=https://evil.example&iss={sandbox.xero}", 400),
        "a NUL": (f"{callback}&x=%00", 400),
        "what is no UTF-8": (f"{callback}&x=%ff", 400),
        "a parameter too long": (f"{callback}&x={'x' * 5_000}", 400),
        "a query too long": (f"{callback}&x={'x' * 4_000}&y={'y' * 4_000}", 400),
        "parameters too many": (callback + "&x=" * 31, 400),
        "no query": (callback.partition("?")[0], 400),
        "no state": (f"{trip.app.callback_url}?code={code}", 400),
        "no state of ours": (f"{trip.app.callback_url}?error=access_denied&state=nobodys", 400),
        "another practice's app": (callback.replace(str(trip.app.id), elsewhere), 400),
        "no app": (callback.replace(str(trip.app.id), unknown_id()), 400),
        "an app in another form": (callback.replace(str(trip.app.id), trip.app.id.hex), 400),
        "a provider in capitals": (callback.replace("/xero/", "/XERO/"), 400),
        "another provider": (callback.replace("/xero/", "/quickbooks/"), 400),
    }

    answers = {name: (await trip.land(address)).response for name, (address, _) in refused.items()}

    assert {name: answer.status_code for name, answer in answers.items()} == {
        name: status for name, (_, status) in refused.items()
    }
    assert [name for name, answer in answers.items() if "location" in answer.headers] == []
    assert [name for name, answer in answers.items() if "<script" in answer.text] == []
    assert await trip.sandbox.log(trip.app, "token") == []
    assert "proof" in (await trip.land(callback)).told


async def test_who_comes_without_a_person_spends_no_code(trip: Trip) -> None:
    callback = await trip.consent(await trip.start())

    answers = [
        await trip.browser.head(callback),
        await trip.browser.post(callback),
        await trip.browser.post(callback.partition("?")[0], data=dict(httpx.URL(callback).params)),
        (await trip.land(callback, **{"sec-purpose": "prefetch"})).response,
        (await trip.land(callback, **{"sec-purpose": "prefetch;prerender"})).response,
        (await trip.land(callback, **{"x-moz": "prefetch"})).response,
    ]

    assert [answer.status_code for answer in answers] == [405, 405, 405, 503, 503, 503]
    assert await trip.sandbox.log(trip.app, "token") == []
    assert "proof" in (await trip.land(callback)).told


async def test_an_address_that_is_edited_on_the_way_back_leads_to_where_it_was_begun(trip: Trip) -> None:
    callback = await trip.consent(await trip.start())
    astray = "&returnUrl=https://evil.example&redirect_uri=https://evil.example&signIn=x&proof=x"

    answer = await trip.land(callback + astray)

    there = urlsplit(answer.response.headers["location"])
    assert (there.scheme, there.netloc, there.path) == ("https", "app.example", "/done")
    assert set(answer.told) == {"tab", "signIn", "proof"}
    assert codes(await trip.complete(answer.told)) == []


async def test_nobody_but_who_began_completes_or_sees_it_whatever_the_key(
    trip: Trip, other_firm: Firm
) -> None:
    admin = trip.firm.admin
    revoked = await issue_key(trip.firm.practice_id, name="lost", person_id=admin.person_id)
    await revoke_key(str(revoked.id))
    narrowed = await trip.firm.caller(admin.person_id, scopes=frozenset({Permission.SYNC}))
    strangers = {
        "a colleague": await trip.firm.member(Permission.MANAGE_CONNECTIONS),
        "a service": await trip.firm.caller(None, scopes=frozenset(Permission)),
        "another practice's admin": other_firm.admin,
    }
    told = await trip.proof(await trip.start())

    completed = {name: codes(await trip.complete(told, each)) for name, each in strangers.items()}
    seen = [await each.codes(SIGN_IN, id=told["signIn"]) for each in strangers.values()]

    assert completed == {name: ["NOT_FOUND"] for name in strangers}
    assert seen == [["NOT_FOUND"]] * len(strangers)
    assert codes(await trip.complete(told, narrowed)) == ["FORBIDDEN"]
    for key in (revoked.secret.reveal(), "nonsense"):
        assert await _unauthenticated(admin, key, told)
    assert codes(await trip.complete(told | {"proof": "nonsense"})) == ["PROOF_INVALID"]
    assert codes(await trip.complete(told, await trip.firm.caller(admin.person_id))) == []


async def _unauthenticated(caller: Caller, key: str, told: dict[str, str]) -> bool:
    given = {"id": told["signIn"], "proof": told["proof"]}
    answer = await caller.http.post(
        "/graphql",
        json={"query": COMPLETE, "variables": {"input": given}},
        headers={"authorization": f"Bearer {key}"},
    )
    body: dict[str, Any] = answer.json()
    return [error["extensions"]["code"] for error in body["errors"]] == ["UNAUTHENTICATED"]


@pytest.mark.parametrize("return_url", ["https://evil.example/", "https://app.example/#there"])
async def test_a_return_address_elsewhere_is_refused(trip: Trip, return_url: str) -> None:
    payload = await trip.start(returnUrl=return_url)

    assert [(error["code"], error["field"]) for error in payload["errors"]] == [
        ("INVALID", "input.returnUrl")
    ]
    assert (payload["signIn"], payload["authorizationUrl"]) == (None, None)
    assert codes(await trip.start(returnUrl="https://app.example/")) == []
