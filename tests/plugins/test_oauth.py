"""What is sent for consent, tokens and revocation, and what is made of any answer whatever."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plugins.pretending import Reply, pretending, said
from tests.plugins.providers import OAUTH
from tieline.errors import ProviderBroken, ProviderError, ProviderMisconfigured, ProviderUnavailable
from tieline.plugins import (
    Challenge,
    ClientAuthentication,
    GrantRejected,
    RevocationForm,
    TokenRequest,
    TokenSet,
    authorization_url,
    code_request,
    read_tokens,
    refresh_request,
    revocation_request,
    send,
)
from tieline.vault import Secret

HERE = OAUTH.endpoints.moved_to("http://localhost:9000/abacus")
APP, PASSWORD = "app 7", Secret("s3cr:t/å")
BASIC = "Basic " + base64.b64encode(b"app%207:s3cr%3At%2F%C3%A5").decode()
IN_BODY = replace(OAUTH, client_authentication=ClientAuthentication.BODY)
ASKED = ("ledger", "openid")


def form(request: TokenRequest) -> dict[str, list[str]]:
    return parse_qs(request.body.decode(), strict_parsing=True)


def read(answer: object, *, status: int = 200) -> TokenSet:
    return read_tokens("abacus", status, json.dumps(answer).encode(), asked_scopes=ASKED)


def test_a_challenge_is_the_hash_of_a_verifier_that_nobody_can_guess_or_see() -> None:
    one, other = Challenge.make(), Challenge.make()

    digest = hashlib.sha256(one.verifier.reveal().encode()).digest()
    assert one.challenge == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert len(base64.urlsafe_b64decode(one.verifier.reveal())) * 8 == 384
    assert one.verifier != other.verifier
    assert one.verifier.reveal() not in repr(one)


def test_the_authorization_url_holds_what_was_asked_for_and_extras_change_none_of_it() -> None:
    challenge = Challenge.make()
    oauth = replace(OAUTH, extra={"acr_values": "bulk_connect:false", "state": "forged", "scope": "all"})

    url = authorization_url(
        oauth,
        HERE,
        client_id=APP,
        redirect_uri="http://localhost:8000/oauth/abacus/7/callback",
        state="st&te",
        challenge=challenge,
        scopes=["openid", "ledger"],
    )

    assert url.startswith("http://localhost:9000/abacus/oauth/authorize?")
    assert parse_qs(urlsplit(url).query, strict_parsing=True) == {
        "response_type": ["code"],
        "client_id": [APP],
        "redirect_uri": ["http://localhost:8000/oauth/abacus/7/callback"],
        "scope": ["openid ledger"],
        "state": ["st&te"],
        "code_challenge": [challenge.challenge],
        "code_challenge_method": ["S256"],
        "acr_values": ["bulk_connect:false"],
    }
    assert challenge.verifier.reveal() not in url


@pytest.mark.parametrize(
    ("organisation", "again", "page"),
    [
        ("o&1", "http://localhost:9000/again?app={client_id}&of={organisation}&mode=x", "/again"),
        ("o&1", None, "/abacus/oauth/authorize"),
        (
            None,
            "http://localhost:9000/again?app={client_id}&of={organisation}&mode=x",
            "/abacus/oauth/authorize",
        ),
    ],
)
def test_an_organisation_is_preselected_where_there_is_one_and_a_page_that_can(
    organisation: str | None, again: str | None, page: str
) -> None:
    url = authorization_url(
        OAUTH,
        replace(HERE, reconnect_authorize=again),
        client_id=APP,
        redirect_uri="http://localhost:8000/oauth/abacus/7/callback",
        state="state",
        challenge=Challenge.make(),
        scopes=["ledger"],
        preselect=organisation,
    )

    query = parse_qs(urlsplit(url).query, strict_parsing=True)
    preselected = {name: query.pop(name) for name in ("app", "of", "mode") if name in query}
    assert urlsplit(url).path == page
    assert preselected == ({"app": [APP], "of": ["o&1"], "mode": ["x"]} if page == "/again" else {})
    assert (query["client_id"], query["state"]) == ([APP], ["state"])


def test_a_code_is_changed_with_its_verifier_and_the_app_proves_itself_by_basic() -> None:
    request = code_request(
        OAUTH,
        HERE,
        client_id=APP,
        client_secret=PASSWORD,
        code=Secret("c0de&="),
        redirect_uri="http://localhost/cb",
        verifier=Secret("verifier"),
    )

    assert request.url == "http://localhost:9000/abacus/oauth/token"
    assert dict(request.headers) == {
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
        "Authorization": BASIC,
    }
    assert form(request) == {
        "grant_type": ["authorization_code"],
        "code": ["c0de&="],
        "redirect_uri": ["http://localhost/cb"],
        "code_verifier": ["verifier"],
    }


def test_the_app_proves_itself_in_the_body_where_the_provider_wants_that() -> None:
    requests = [
        code_request(
            IN_BODY,
            HERE,
            client_id=APP,
            client_secret=PASSWORD,
            code=Secret("code"),
            redirect_uri="http://localhost/cb",
            verifier=Secret("verifier"),
        ),
        refresh_request(IN_BODY, HERE, client_id=APP, client_secret=PASSWORD, refresh=Secret("refresh")),
    ]

    for request in requests:
        assert "Authorization" not in request.headers
        assert form(request)["client_id"] == [APP]
        assert form(request)["client_secret"] == [PASSWORD.reveal()]


def test_a_refresh_sends_the_refresh_token_and_nothing_that_could_narrow_the_scopes() -> None:
    request = refresh_request(OAUTH, HERE, client_id=APP, client_secret=PASSWORD, refresh=Secret("r&t"))

    assert form(request) == {"grant_type": ["refresh_token"], "refresh_token": ["r&t"]}
    assert request.headers["Authorization"] == BASIC


@pytest.mark.parametrize(
    ("spoken", "kind", "body"),
    [
        (RevocationForm.FORM, "application/x-www-form-urlencoded", b"token=r%26t"),
        (RevocationForm.JSON, "application/json", b'{"token": "r&t"}'),
    ],
)
def test_a_revocation_is_spoken_as_the_provider_wants_it_always_with_basic(
    spoken: RevocationForm, kind: str, body: bytes
) -> None:
    oauth = replace(IN_BODY, revocation=spoken)

    request = revocation_request(oauth, HERE, client_id=APP, client_secret=PASSWORD, token=Secret("r&t"))

    assert request.url == "http://localhost:9000/abacus/oauth/revoke"
    assert (request.headers["Content-Type"], request.body) == (kind, body)
    assert request.headers["Authorization"] == BASIC


def test_a_request_does_not_show_what_it_carries() -> None:
    request = refresh_request(OAUTH, HERE, client_id=APP, client_secret=PASSWORD, refresh=Secret("r-token"))

    assert repr(request) == "TokenRequest(url='http://localhost:9000/abacus/oauth/token')"


def test_tokens_are_read_with_their_lives_and_scopes() -> None:
    tokens = read(
        {
            "access_token": "a",
            "refresh_token": "r",
            "id_token": "i",
            "token_type": "Bearer",
            "expires_in": 1800,
            "x_refresh_token_expires_in": 8726400,
            "scope": "openid ledger extra",
        }
    )

    assert tokens == TokenSet(
        access=Secret("a"),
        refresh=Secret("r"),
        id_token=Secret("i"),
        expires_in=timedelta(minutes=30),
        refresh_expires_in=timedelta(days=101),
        scopes=frozenset({"openid", "ledger", "extra"}),
    )


@pytest.mark.parametrize("scope", [None, "", " ", 7, [], {}, [3]])
def test_scopes_that_are_not_named_are_as_asked(scope: object) -> None:
    assert read({"access_token": "a", "scope": scope}).scopes == frozenset(ASKED)


def test_scopes_in_a_list_are_read_too() -> None:
    assert read({"access_token": "a", "scope": ["ledger"]}).scopes == {"ledger"}


@pytest.mark.parametrize(
    ("said_life", "life"),
    [
        (3600, timedelta(hours=1)),
        ("3600", timedelta(hours=1)),
        (3600.9, timedelta(hours=1)),
        (10**30, timedelta(days=3653)),
        ("1e400", timedelta(days=3653)),
        (None, timedelta(minutes=5)),
        (0, timedelta(minutes=5)),
        (-5, timedelta(minutes=5)),
        (True, timedelta(minutes=5)),
        ("soon", timedelta(minutes=5)),
        ([3600], timedelta(minutes=5)),
        (float("nan"), timedelta(minutes=5)),
        (float("inf"), timedelta(days=3653)),
    ],
)
def test_a_life_that_makes_no_sense_does_not_cost_the_tokens(said_life: object, life: timedelta) -> None:
    assert read({"access_token": "a", "expires_in": said_life}).expires_in == life


@pytest.mark.parametrize(
    ("status", "answer", "raised"),
    [
        (400, {"error": "invalid_grant"}, GrantRejected),
        (400, {"error": "INVALID_GRANT", "error_description": "x"}, GrantRejected),
        (200, {"error": "invalid_grant"}, GrantRejected),
        (401, {"error": "invalid_client"}, ProviderMisconfigured),
        (400, {"error": "unauthorized_client"}, ProviderMisconfigured),
        (400, {"error": "temporarily_unavailable"}, ProviderUnavailable),
        (400, {"error": "server_error"}, ProviderUnavailable),
        (400, {"error": "invalid_request"}, ProviderBroken),
        (400, {"error": ["invalid_grant"]}, ProviderBroken),
        (400, {"access_token": "a"}, ProviderBroken),
        (302, {"access_token": "a"}, ProviderBroken),
        (200, {}, ProviderBroken),
        (200, {"access_token": ""}, ProviderBroken),
        (200, {"access_token": 7}, ProviderBroken),
        (200, {"access_token": "a\nX-Evil: 1"}, ProviderBroken),
        (200, {"access_token": "ä"}, ProviderBroken),
        (200, {"access_token": "a", "refresh_token": {"r": 1}}, ProviderBroken),
        (200, {"access_token": None, "error": None}, ProviderBroken),
        (200, ["access_token"], ProviderBroken),
        (200, None, ProviderBroken),
        (429, {"error": "invalid_grant"}, ProviderUnavailable),
        (500, {"error": "invalid_grant"}, ProviderUnavailable),
        (503, {"access_token": "a"}, ProviderUnavailable),
    ],
)
def test_an_answer_without_tokens_says_what_happened(
    status: int, answer: object, raised: type[ProviderError]
) -> None:
    with pytest.raises(ProviderError) as caught:
        read(answer, status=status)

    assert type(caught.value) is raised
    assert caught.value.provider == "abacus"


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>We will be back soon</body></html>",
        b"\xff\xfe\x00",
        b'{"access_token": "a"',
        b"access_token=a&expires_in=5",
        b"[" * 100_000,
        b'{"access_token": "a", "expires_in": ' + b"9" * 10_000 + b"}",
    ],
)
def test_what_is_no_json_is_a_fault_of_the_moment_whatever_its_status(status: int, body: bytes) -> None:
    with pytest.raises(ProviderUnavailable):
        read_tokens("abacus", status, body, asked_scopes=ASKED)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
_names = st.sampled_from(["access_token", "refresh_token", "id_token", "expires_in", "scope", "error"])


@given(
    status=st.integers(100, 999),
    body=st.binary() | st.dictionaries(_names, _json).map(lambda answer: json.dumps(answer).encode()),
)
def test_any_answer_gives_tokens_or_an_error_of_the_tree(status: int, body: bytes) -> None:
    try:
        tokens = read_tokens("abacus", status, body, asked_scopes=ASKED)
    except (GrantRejected, ProviderMisconfigured, ProviderUnavailable, ProviderBroken):
        pass
    else:
        assert tokens.access.reveal().isascii()
        assert timedelta(0) < tokens.expires_in <= timedelta(days=3653)


@pytest.mark.parametrize(
    "quoted", ['{"access_token": "t0ken-1', '{"access_token": "t0ken-1\\n", "error": 1}']
)
def test_no_error_quotes_the_answer(quoted: str) -> None:
    with pytest.raises(ProviderError) as caught:
        read_tokens("abacus", 200, quoted.encode(), asked_scopes=ASKED)

    assert "t0ken-1" not in f"{caught.value!r} {caught.value}"


REFRESH = refresh_request(OAUTH, HERE, client_id=APP, client_secret=PASSWORD, refresh=Secret("r-token-9x"))


async def sent(url: str, *, seconds: float = 60) -> tuple[int, bytes]:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await send(client, replace(REFRESH, url=url), provider="abacus", seconds=seconds)


async def test_send_posts_the_message_and_hands_back_status_and_body() -> None:
    async with pretending() as pretender:
        pretender.will(said({"error": "invalid_grant"}, status=400))

        assert await sent(f"{pretender.url}/token") == (400, b'{"error": "invalid_grant"}')

    [received] = pretender.received
    assert (received.method, received.target, received.body) == ("POST", "/token", REFRESH.body)
    assert received.headers["authorization"] == BASIC


async def test_send_follows_no_redirect() -> None:
    async with pretending() as pretender:
        pretender.will(Reply(status=307, headers={"location": f"{pretender.url}/elsewhere"}))

        assert (await sent(f"{pretender.url}/token"))[0] == 307

    assert pretender.asked == ["POST /token"]


@pytest.mark.parametrize("reply", [Reply(silent=True), Reply(dropped=True)])
async def test_an_answer_that_may_be_lost_is_told_from_a_request_that_was_never_sent(reply: Reply) -> None:
    async with pretending() as pretender:
        pretender.will(reply)
        with pytest.raises(ProviderUnavailable) as lost:
            await sent(f"{pretender.url}/token", seconds=2)
    with pytest.raises(ProviderUnavailable) as unreached:
        await sent(f"{pretender.url}/token")

    assert (lost.value.sent, unreached.value.sent) == (True, False)


async def test_an_endless_answer_is_cut_off() -> None:
    async with pretending() as pretender:
        pretender.will(Reply(body=b" " * 300_000))

        with pytest.raises(ProviderBroken, match="longer than 262,144 bytes"):
            await sent(f"{pretender.url}/token")
