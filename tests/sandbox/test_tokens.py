"""Tokens: codes and refresh tokens in, pairs out; their lives, their rotation, their end."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.sandbox.xero import (
    BOOKS_SCOPES,
    CALLBACK,
    CHALLENGE,
    CLIENT_ID,
    SCOPES,
    SECRET,
    VERIFIER,
    Person,
    Xero,
    bearer,
    claims,
)

INVALID_GRANT = (400, {"error": "invalid_grant"})


async def test_a_code_becomes_a_pair(xero: Xero, person: Person) -> None:
    pair = await xero.connect(person, person.tenants[0])

    assert pair["token_type"] == "Bearer"
    assert pair["expires_in"] == 1800
    assert pair["scope"].split() == sorted(SCOPES.split())
    assert set(pair) == {"access_token", "refresh_token", "id_token", "expires_in", "token_type", "scope"}


async def test_tokens_are_signed_with_a_published_key_and_say_who(xero: Xero, person: Person) -> None:
    pair = await xero.connect(person, person.tenants[0], nonce="once")

    discovery = (await xero.http.get("/xero/.well-known/openid-configuration")).json()
    keys = KeySet.import_key_set((await xero.http.get(discovery["jwks_uri"])).json())
    access = jwt.decode(pair["access_token"], keys, algorithms=["RS256"]).claims
    identity = jwt.decode(pair["id_token"], keys, algorithms=["RS256"]).claims
    assert access["iss"] == discovery["issuer"]
    assert access["aud"] == f"{discovery['issuer']}/resources"
    assert access["client_id"] == CLIENT_ID
    assert access["xero_userid"] == person.id
    assert access["exp"] - access["iat"] == 1800
    assert set(access["scope"]) == set(SCOPES.split())
    assert {"nbf", "sub", "auth_time", "global_session_id", "authentication_event_id", "jti"} <= set(access)
    assert identity["aud"] == CLIENT_ID
    assert identity["nonce"] == "once"
    assert identity["exp"] - identity["iat"] == 300
    assert identity["email"] == person.email
    assert identity["sub"] == access["sub"]
    assert {"given_name", "family_name", "xero_userid"} <= set(identity)


async def test_without_offline_access_there_is_no_refresh_token(xero: Xero, person: Person) -> None:
    pair = await xero.connect(person, person.tenants[0], scope="accounting.settings.read")

    assert set(pair) == {"access_token", "expires_in", "token_type", "scope"}


async def test_a_code_is_good_once(xero: Xero, person: Person) -> None:
    code = await xero.code(person, person.tenants[0])

    assert (await xero.exchange(code)).status_code == 200
    assert said(await xero.exchange(code)) == INVALID_GRANT


async def test_a_code_is_good_for_five_minutes(xero: Xero, person: Person) -> None:
    in_time, too_late = [await xero.code(person, person.tenants[0]) for _ in range(2)]

    await xero.advance(minutes=4)
    assert (await xero.exchange(in_time)).status_code == 200
    await xero.advance(minutes=1)
    assert said(await xero.exchange(too_late)) == INVALID_GRANT


async def test_a_code_belongs_to_its_address(xero: Xero, person: Person) -> None:
    code = await xero.code(person, person.tenants[0])

    answer = await xero.token(grant_type="authorization_code", code=code, redirect_uri=f"{CALLBACK}/2")
    assert said(answer) == INVALID_GRANT


@pytest.mark.parametrize(("verifier", "status"), [(VERIFIER, 200), ("w" * 43, 400), (None, 400)])
async def test_a_challenge_wants_its_verifier(
    xero: Xero, person: Person, verifier: str | None, status: int
) -> None:
    code = await xero.code(person, person.tenants[0], code_challenge=CHALLENGE, code_challenge_method="S256")

    answer = await xero.exchange(code, **({"code_verifier": verifier} if verifier else {}))
    assert answer.status_code == status


async def test_credentials_may_stand_in_the_body(xero: Xero, person: Person) -> None:
    code = await xero.code(person, person.tenants[0])
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}

    wrong = await xero.http.post(
        "/xero/connect/token", data=form | {"client_id": CLIENT_ID, "client_secret": "no"}
    )
    right = await xero.http.post(
        "/xero/connect/token", data=form | {"client_id": CLIENT_ID, "client_secret": SECRET}
    )

    assert said(wrong) == (400, {"error": "invalid_client"})
    assert right.status_code == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
    ],
)
async def test_a_wrong_request_is_named(xero: Xero, form: dict[str, str], error: str) -> None:
    assert said(await xero.token(**form)) == (400, {"error": error})


async def test_each_refresh_gives_another_pair(xero: Xero, person: Person) -> None:
    first = await xero.connect(person, person.tenants[0])

    second = (await xero.refresh(first["refresh_token"])).json()
    third = (await xero.refresh(second["refresh_token"])).json()

    assert len({pair["refresh_token"] for pair in (first, second, third)}) == 3
    assert (
        claims(third["access_token"])["authentication_event_id"]
        == claims(first["access_token"])["authentication_event_id"]
    )
    assert (await xero.connections(first["access_token"])).status_code == 200
    assert (await xero.connections(third["access_token"])).status_code == 200


async def test_an_old_refresh_token_may_be_tried_again_for_half_an_hour(xero: Xero, person: Person) -> None:
    first = await xero.connect(person, person.tenants[0])
    second = (await xero.refresh(first["refresh_token"])).json()

    await xero.advance(minutes=29)
    again = (await xero.refresh(first["refresh_token"])).json()
    assert again["refresh_token"] not in (first["refresh_token"], second["refresh_token"])

    await xero.advance(minutes=1)
    assert said(await xero.refresh(first["refresh_token"])) == INVALID_GRANT
    assert (await xero.refresh(again["refresh_token"])).status_code == 200


async def test_a_refresh_token_dies_of_sixty_days_unused(xero: Xero, person: Person) -> None:
    first = await xero.connect(person, person.tenants[0])

    await xero.advance(days=59.99)
    second = (await xero.refresh(first["refresh_token"])).json()
    await xero.advance(days=60)
    assert said(await xero.refresh(second["refresh_token"])) == INVALID_GRANT


async def test_scopes_of_several_consents_add_up_but_not_for_older_pairs(xero: Xero, person: Person) -> None:
    await xero.configure(new_consent_kills_old_pair=False)
    first = await xero.connect(person, person.tenants[0], scope="offline_access accounting.settings.read")

    second = await xero.connect(person, person.tenants[0], scope="offline_access accounting.contacts")
    refreshed = (await xero.refresh(first["refresh_token"])).json()

    assert second["scope"] == "accounting.contacts accounting.settings.read offline_access"
    assert refreshed["scope"] == "accounting.settings.read offline_access"


@pytest.mark.parametrize("kills", [True, False])
async def test_a_new_consent_ends_the_older_pair_or_not(xero: Xero, person: Person, *, kills: bool) -> None:
    await xero.configure(new_consent_kills_old_pair=kills)
    first = await xero.connect(person, person.tenants[0])

    second = await xero.connect(person, person.tenants[1])

    assert (await xero.refresh(first["refresh_token"])).status_code == (400 if kills else 200)
    assert (await xero.connections(first["access_token"])).status_code == (401 if kills else 200)
    assert (await xero.refresh(second["refresh_token"])).status_code == 200


async def test_revocation_ends_everything_of_this_person_at_this_app(xero: Xero, person: Person) -> None:
    await xero.configure(new_consent_kills_old_pair=False)
    other = await xero.populate(organisations=1)
    pairs = [await xero.connect(person, tenant) for tenant in person.tenants[:2]]
    theirs = await xero.connect(other, other.tenants[0])

    answer = await revoke(xero, pairs[0]["refresh_token"])

    assert (answer.status_code, answer.content) == (200, b"")
    for pair in pairs:
        assert said(await xero.refresh(pair["refresh_token"])) == INVALID_GRANT
        assert (await xero.connections(pair["access_token"])).status_code == 401
    assert (await xero.refresh(theirs["refresh_token"])).status_code == 200
    fresh = await xero.connect(person, person.tenants[2])
    assert len((await xero.connections(fresh["access_token"])).json()) == 1


async def test_revoking_an_unknown_token_is_fine_and_a_wrong_secret_is_not(xero: Xero) -> None:
    wrong = await xero.http.post("/xero/connect/revocation", data={"token": "x"}, auth=(CLIENT_ID, "no"))

    assert (await revoke(xero, "unknown")).status_code == 200
    assert said(wrong) == (400, {"error": "invalid_client"})


async def test_userinfo_says_who_as_far_as_the_scopes_go(xero: Xero, person: Person) -> None:
    pair = await xero.connect(person, person.tenants[0])
    other = await xero.connect(person, person.tenants[0], scope=BOOKS_SCOPES)

    told = await xero.http.get("/xero/connect/userinfo", headers=bearer(pair["access_token"]))
    untold = await xero.http.get("/xero/connect/userinfo", headers=bearer(other["access_token"]))

    assert (told.status_code, untold.status_code) == (401, 401)  # the new consent ended the older pair
    again = await xero.connect(person, person.tenants[0])
    told = await xero.http.get("/xero/connect/userinfo", headers=bearer(again["access_token"]))
    assert told.json()["email"] == person.email
    assert told.json()["xero_userid"] == person.id


async def revoke(xero: Xero, token: str) -> Any:
    return await xero.http.post("/xero/connect/revocation", data={"token": token}, auth=(CLIENT_ID, SECRET))


def said(answer: Any) -> tuple[int, Any]:
    return answer.status_code, answer.json()
