"""What some providers tell besides a token: when it dies whatever one does, and where one organisation reconnects."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.plugins.providers import OAUTH
from tieline.plugins import OAuth, TokenRequest, TokenSet, code_request, read_tokens, refresh_request
from tieline.vault import Secret

APP, PASSWORD = "app-7", Secret("s3cret")
ASKING = replace(
    OAUTH, token_headers={"X-Tell-All": "true", "Accept": "text/html"}, hard_expiry_field="dies_in"
)


def requests(oauth: OAuth) -> list[TokenRequest]:
    app = {"client_id": APP, "client_secret": PASSWORD}
    return [
        refresh_request(oauth, oauth.endpoints, refresh=Secret("r"), **app),  # type: ignore[arg-type]
        code_request(
            oauth,
            oauth.endpoints,
            code=Secret("c"),
            redirect_uri="https://tieline.test",
            verifier=Secret("v"),
            **app,  # type: ignore[arg-type]
        ),
    ]


def read(answer: dict[str, object], field: str | None = "dies_in") -> TokenSet:
    body = json.dumps({"access_token": "a", "refresh_token": "r", **answer}).encode()
    return read_tokens("abacus", 200, body, asked_scopes=("ledger",), hard_expiry_field=field)


@pytest.mark.parametrize("number", [0, 1])
def test_the_token_endpoint_gets_the_headers_that_a_provider_wants_and_ours_go_before(number: int) -> None:
    request = requests(ASKING)[number]

    assert request.headers["X-Tell-All"] == "true"
    assert request.headers["Accept"] == "application/json"
    assert "X-Tell-All" not in requests(OAUTH)[number].headers


@pytest.mark.parametrize(
    ("answer", "life"),
    [
        ({"dies_in": 157_494_248}, timedelta(seconds=157_494_248)),
        ({"dies_in": "60"}, timedelta(minutes=1)),
        ({"dies_in": "never"}, None),
        ({"dies_in": None}, None),
        ({}, None),
    ],
)
def test_when_a_refresh_token_dies_for_good_is_read(
    answer: dict[str, object], life: timedelta | None
) -> None:
    assert read(answer).refresh_hard_expires_in == life
    assert read(answer, field=None).refresh_hard_expires_in is None


def test_the_address_of_a_reconnection_moves_with_the_others() -> None:
    endpoints = replace(OAUTH.endpoints, reconnect_authorize="https://login.abacus.test/oauth/again?mode=x")

    moved = endpoints.moved_to("http://localhost:9000/abacus")

    assert moved.reconnect_authorize == "http://localhost:9000/abacus/oauth/again?mode=x"
    assert OAUTH.endpoints.moved_to("http://localhost:9000").reconnect_authorize is None
