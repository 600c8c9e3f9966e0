"""Tokens: how long they live, when their values change, what ends them."""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox.quickbooks.intuit import (
    ACCOUNTING,
    CALLBACK,
    CHALLENGE,
    CLIENT_ID,
    HARD,
    SECRET,
    VERIFIER,
    Intuit,
    Person,
    bearer,
    claims,
)
from tests.sandbox.together import at_once

STALE = {"error": "invalid_grant", "error_description": "Incorrect or invalid refresh token"}
YEARS = 5 * 365 * 86_400
REVOKE = "/quickbooks/v2/oauth2/tokens/revoke"
TOKEN = "/quickbooks/oauth2/v1/tokens/bearer"


async def test_a_code_gives_a_pair_of_tokens(intuit: Intuit, person: Person) -> None:
    answer = await intuit.exchange(await intuit.code(person, person.realms[0]))

    pair = answer.json()
    assert set(pair) == {
        *("token_type", "access_token", "expires_in", "refresh_token", "x_refresh_token_expires_in"),
    }
    assert (pair["token_type"], pair["expires_in"]) == ("bearer", 3600)
    assert pair["x_refresh_token_expires_in"] == 8_726_400
    assert pair["refresh_token"].startswith("RT1-")
    assert answer.headers["intuit_tid"]


async def test_only_basic_authentication_is_taken(intuit: Intuit, person: Person) -> None:
    code = await intuit.code(person, person.realms[0])
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    in_body = {"client_id": CLIENT_ID, "client_secret": SECRET}

    answers = [
        await intuit.http.post(TOKEN, data=form | in_body),
        await intuit.http.post(TOKEN, data=form, auth=(CLIENT_ID, "wrong")),
    ]

    assert [(one.status_code, one.json()) for one in answers] == [(401, {"error": "invalid_client"})] * 2
    assert (await intuit.exchange(code)).status_code == 200


async def test_a_code_that_is_used_twice_ends_what_it_gave(intuit: Intuit, person: Person) -> None:
    code = await intuit.code(person, person.realms[0])
    pair = (await intuit.exchange(code)).json()
    other = await intuit.connect(person, person.realms[1])

    again = await intuit.exchange(code)

    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant"})
    assert (await intuit.refresh(pair["refresh_token"])).json() == STALE
    assert (await intuit.refresh(other["refresh_token"])).status_code == 200


async def test_a_code_is_for_its_address_its_verifier_and_five_minutes(
    intuit: Intuit, person: Person
) -> None:
    challenged = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    codes = [await intuit.code(person, person.realms[0], **challenged) for _ in range(3)]
    late = await intuit.code(person, person.realms[0])

    assert (await intuit.exchange(codes[0], code_verifier="x" * 43)).status_code == 400
    assert (await intuit.exchange(codes[1])).status_code == 400
    assert (await intuit.exchange(codes[2], code_verifier=VERIFIER)).status_code == 200
    await intuit.advance(seconds=301)
    assert (await intuit.exchange(late)).status_code == 400


async def test_within_a_day_a_refresh_gives_the_same_refresh_token(intuit: Intuit, person: Person) -> None:
    pair = await intuit.connect(person)
    await intuit.advance(hours=23)

    again = await intuit.refreshed(pair["refresh_token"])

    assert again["refresh_token"] == pair["refresh_token"]
    assert again["access_token"] != pair["access_token"]
    assert again["x_refresh_token_expires_in"] == 8_726_400


async def test_after_a_day_the_value_changes_and_the_old_one_is_dead_at_once(
    intuit: Intuit, person: Person
) -> None:
    pair = await intuit.connect(person)
    await intuit.advance(hours=24)

    rotated = await intuit.refreshed(pair["refresh_token"])
    stale = await intuit.refresh(pair["refresh_token"])

    assert rotated["refresh_token"] != pair["refresh_token"]
    assert (stale.status_code, stale.json()) == (400, STALE)
    assert (await intuit.refreshed(rotated["refresh_token"]))["refresh_token"] == rotated["refresh_token"]


async def test_a_lost_answer_after_a_rotation_loses_the_grant(intuit: Intuit, person: Person) -> None:
    pair = await intuit.connect(person)
    await intuit.advance(hours=25)
    await intuit.plant("lost_answer", endpoint="token")

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await intuit.refresh(pair["refresh_token"])

    assert (await intuit.refresh(pair["refresh_token"])).json() == STALE


async def test_a_refresh_token_lives_for_101_days_from_its_last_use(intuit: Intuit, person: Person) -> None:
    token = (await intuit.connect(person))["refresh_token"]
    await intuit.advance(days=100)
    token = (await intuit.refreshed(token))["refresh_token"]
    await intuit.advance(days=100)
    token = (await intuit.refreshed(token))["refresh_token"]

    await intuit.advance(days=101)

    assert (await intuit.refresh(token)).json() == STALE


async def test_the_hard_end_is_told_to_those_who_ask_and_nothing_moves_it(
    intuit: Intuit, person: Person
) -> None:
    token = (await intuit.connect(person))["refresh_token"]
    told = await intuit.refresh(token, HARD)
    assert told.json()["x_refresh_token_hard_expires_in"] == pytest.approx(YEARS, abs=60)

    for _ in range(18):
        await intuit.advance(days=100)
        token = (await intuit.refreshed(token))["refresh_token"]
    near = (await intuit.refresh(token, HARD)).json()

    assert near["x_refresh_token_hard_expires_in"] == pytest.approx(25 * 86_400, abs=60)
    assert near["x_refresh_token_expires_in"] == near["x_refresh_token_hard_expires_in"]
    await intuit.advance(days=25)
    assert (await intuit.refresh(near["refresh_token"])).json() == STALE


async def test_grants_that_begin_once_an_app_has_another_hard_life_end_by_that(
    intuit: Intuit, person: Person
) -> None:
    before = await intuit.connect(person)
    await intuit.configure(hard_life_days=40)
    after = await intuit.connect(person, person.realms[1])
    await intuit.advance(days=39)
    told = [(await intuit.refresh(pair["refresh_token"], HARD)).json() for pair in (before, after)]
    await intuit.advance(days=1)

    assert [one["x_refresh_token_hard_expires_in"] for one in told] == [
        pytest.approx(YEARS - 39 * 86_400, abs=60),
        pytest.approx(86_400, abs=60),
    ]
    assert (await intuit.refresh(told[0]["refresh_token"])).status_code == 200
    assert (await intuit.refresh(told[1]["refresh_token"])).json() == STALE


async def test_a_second_persons_consent_ends_the_first_ones_unless_the_app_says_otherwise(
    intuit: Intuit, person: Person
) -> None:
    colleague = await intuit.populate(companies=0)
    await intuit.control("PUT", f"/users/{colleague.id}", {"companies": person.realms})
    first, other = await intuit.connect(person), await intuit.connect(person, person.realms[1])

    second = await intuit.connect(colleague, person.realms[0])

    assert (await intuit.refresh(first["refresh_token"])).json() == STALE
    assert (await intuit.get(first["access_token"], person.realms[0])).status_code == 403
    assert (await intuit.refresh(other["refresh_token"])).status_code == 200
    await intuit.configure(second_consent="KEEPS")
    await intuit.connect(person)
    assert (await intuit.refresh(second["refresh_token"])).status_code == 200


async def test_a_second_persons_consent_may_be_refused_on_a_page(intuit: Intuit, person: Person) -> None:
    await intuit.configure(second_consent="REFUSED")
    colleague = await intuit.populate(companies=0)
    await intuit.control("PUT", f"/users/{colleague.id}", {"companies": person.realms})
    first = await intuit.connect(person)

    refused = await intuit.decide(colleague, person.realms[0])

    assert (refused.status_code, "app_already_purchased" in refused.text) == (400, True)
    assert (await intuit.decide(person, person.realms[0])).status_code == 302
    await intuit.revoke(first["refresh_token"])
    assert (await intuit.decide(colleague, person.realms[0])).status_code == 302


async def test_a_person_who_consents_again_keeps_the_new_pair_only(intuit: Intuit, person: Person) -> None:
    await intuit.configure(second_consent="KEEPS")
    first = await intuit.connect(person)

    second = await intuit.connect(person)

    assert (await intuit.refresh(first["refresh_token"])).json() == STALE
    assert (await intuit.refresh(second["refresh_token"])).status_code == 200


@pytest.mark.parametrize("which", ["refresh_token", "access_token"])
async def test_revoking_either_token_ends_one_company_only(
    intuit: Intuit, person: Person, which: str
) -> None:
    pair, other = await intuit.connect(person), await intuit.connect(person, person.realms[1])

    answer = await intuit.revoke(pair[which])

    assert answer.status_code == 200
    assert answer.headers["intuit_tid"]
    assert (await intuit.refresh(pair["refresh_token"])).json() == STALE
    assert (await intuit.get(pair["access_token"], person.realms[0])).status_code == 403
    assert (await intuit.refresh(other["refresh_token"])).status_code == 200
    assert (await intuit.revoke(pair[which])).status_code == 200


async def test_a_revocation_as_a_form_or_without_basic_does_nothing(intuit: Intuit, person: Person) -> None:
    pair = await intuit.connect(person)
    token = {"token": pair["refresh_token"]}

    form = await intuit.http.post(REVOKE, data=token, auth=(CLIENT_ID, SECRET))
    nobody = await intuit.http.post(REVOKE, json=token)

    assert (form.status_code, form.json()) == (400, {"error": "invalid_request"})
    assert (nobody.status_code, nobody.json()) == (401, {"error": "invalid_client"})
    assert (await intuit.refresh(pair["refresh_token"])).status_code == 200


async def test_two_refreshes_at_once_may_be_read_as_theft(intuit: Intuit, person: Person) -> None:
    pair = await intuit.connect(person)

    fine = await at_once(intuit.http, *(intuit.refresh(pair["refresh_token"]) for _ in range(2)))
    await intuit.configure(parallel_refresh="REVOKES")
    theft = await at_once(intuit.http, *(intuit.refresh(pair["refresh_token"]) for _ in range(2)))

    assert [one.status_code for one in fine] == [200, 200]
    assert [one.json() for one in theft] == [STALE, STALE]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x", "redirect_uri": CALLBACK}, "invalid_grant"),
    ],
)
async def test_a_wrong_request_is_named(intuit: Intuit, form: dict[str, str], error: str) -> None:
    answer = await intuit.token(**form)

    assert (answer.status_code, answer.json()) == (400, {"error": error})


async def test_openid_tells_who_signed_in_and_to_which_company(intuit: Intuit, person: Person) -> None:
    pair = await intuit.connect(person, scope=f"{ACCOUNTING} openid email profile", nonce="n-1")
    discovered = (await intuit.http.get("/quickbooks/.well-known/openid_configuration/")).json()
    keys = await intuit.http.get(discovered["jwks_uri"])

    told = await intuit.http.get(discovered["userinfo_endpoint"], headers=bearer(pair["access_token"]))

    found = claims(pair["id_token"])
    assert (found["iss"], found["aud"]) == (discovered["issuer"], [CLIENT_ID])
    assert (found["realmid"], found["nonce"]) == (person.realms[0], "n-1")
    assert told.json()["sub"] == found["sub"]
    assert (told.json()["email"], told.json()["emailVerified"]) == (person.email, True)
    assert keys.json()["keys"][0]["kty"] == "RSA"
    assert discovered["token_endpoint"].endswith(TOKEN)


async def test_without_openid_nobody_is_told(intuit: Intuit, person: Person) -> None:
    pair = await intuit.connect(person)
    path = "/quickbooks/v1/openid_connect/userinfo"

    assert "id_token" not in pair
    assert (await intuit.http.get(path, headers=bearer(pair["access_token"]))).status_code == 403
    assert (await intuit.http.get(path, headers=bearer("nonsense"))).status_code == 401
