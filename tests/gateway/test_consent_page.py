"""What a browser gets that comes back from a provider: pure pages and redirects, and parameters read with suspicion."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import Response

from tieline.errors import Unavailable
from tieline.ids import AppId, SignInId, new_id
from tieline.sign_ins import service
from tieline.sign_ins.returns import ConsentAnswer
from tieline.sign_ins.states import Failure
from tieline.vault import Secret
from tieline_gateway.routes.consent_page import handing_page, sentence_page
from tieline_gateway.routes.oauth import (
    MAX_PARAMETER_CHARS,
    MAX_QUERY_BYTES,
    Malformed,
    OAuthCallback,
    is_callback,
    read_parameters,
)

ORIGIN = "https://app.example"
HOSTILE = "</script><script>alert(1)</script>&\u2028'\""


def script_of(response: Response) -> str:
    (script,) = re.findall(r"<script[^>]*>(.*?)</script>", bytes(response.body).decode(), re.DOTALL)
    return str(script)


def test_the_page_hands_the_proof_to_allowed_origins_and_to_nobody_else() -> None:
    response = handing_page(
        "You are signed in.", {"signIn": "1", "proof": "p"}, {ORIGIN, "http://localhost:5173"}
    )

    message, origins = re.findall(r"= ([{\[].*?[}\]])[,;]", script_of(response))
    assert json.loads(message) == {"source": "tieline", "signIn": "1", "proof": "p"}
    assert json.loads(origins) == ["http://localhost:5173", ORIGIN]
    assert "postMessage(message, origin)" in script_of(response)
    assert "<p>You are signed in.</p>" in bytes(response.body).decode()


def test_every_page_is_closed_to_everything_but_its_own_script() -> None:
    for response in (handing_page("x", {}, {ORIGIN}), sentence_page("x", status=400)):
        policy = response.headers["content-security-policy"]
        nonce = re.search(r"script-src 'nonce-([\w-]{24})'", policy)
        assert nonce
        assert policy.replace(nonce[1], "") == (
            "default-src 'none'; script-src 'nonce-'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        )
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["content-type"] == "text/html; charset=utf-8"
    page = handing_page("x", {}, {ORIGIN})
    nonce = re.search(r"'nonce-([\w-]+)'", page.headers["content-security-policy"])
    assert nonce
    assert f'<script nonce="{nonce[1]}">' in bytes(page.body).decode()
    assert page.body != handing_page("x", {}, {ORIGIN}).body, "each page has a nonce of its own"


def test_nothing_that_is_shown_or_handed_over_ends_the_text_it_stands_in() -> None:
    response = handing_page(HOSTILE, {"signIn": HOSTILE, "error": HOSTILE}, {HOSTILE})
    text = bytes(response.body).decode()

    assert text.count("<script") == text.count("</script") == 1
    assert "alert(1)" not in re.sub(r"<script.*</script>", "", text, flags=re.DOTALL).replace(
        "&lt;/script&gt;&lt;script&gt;alert(1)", ""
    )
    assert not set("<>&\u2028") & set(re.sub(r"(?s)const message = (.*?);\n.*", r"\1", script_of(response)))


def test_parameters_are_read_as_they_were_sent() -> None:
    assert read_parameters(b"code=a%2Bb+c&state=s&scope=&x=%C3%BC") == {
        "code": "a+b c",
        "state": "s",
        "scope": "",
        "x": "ü",
    }
    assert read_parameters(b"") == {}
    longest = b"code=" + b"c" * MAX_PARAMETER_CHARS
    assert read_parameters(longest) == {"code": "c" * MAX_PARAMETER_CHARS}


@pytest.mark.parametrize(
    "query",
    [
        b"code=a&code=b",
        b"state=a&state=a",
        b"error=a&error=b",
        b"code=" + b"c" * (MAX_PARAMETER_CHARS + 1),
        b"c" * (MAX_PARAMETER_CHARS + 1) + b"=1",
        b"&".join(b"p%d=%s" % (number, b"c" * 1_000) for number in range(9)),
        b"a=" + b"%41" * (MAX_QUERY_BYTES // 3 + 1),
        b"&".join(b"p%d=1" % number for number in range(200)),
        b"code=%00",
        b"code=%ff",
        b"code=\xff",
        b"co%ZZde=%E2%28%A1",
    ],
)
def test_parameters_that_no_provider_sends_are_malformed(query: bytes) -> None:
    with pytest.raises(Malformed):
        read_parameters(query)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/oauth/xero/0197/callback", True),
        ("/oauth/xero/callback", False),
        ("/oauth/a/b/c/callback", False),
        ("/oauth/xero/0197/callback/", False),
        ("/graphql", False),
    ],
)
def test_requests_are_counted_by_route_and_not_by_address(path: str, *, expected: bool) -> None:
    assert is_callback(path) is expected


class Answers:
    """Stands where the service is, and counts."""

    def __init__(self, answer: ConsentAnswer | Exception) -> None:
        self.answer = answer
        self.calls: list[tuple[str, AppId, dict[str, str]]] = []

    async def __call__(self, provider: str, app_id: AppId, parameters: dict[str, str]) -> ConsentAnswer:
        self.calls.append((provider, app_id, parameters))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


SIGN_IN, APP = SignInId(new_id()), AppId(new_id())
PATH = f"/oauth/xero/{APP}/callback"
GRANTED = ConsentAnswer(
    return_url="https://app.example/done",
    sign_in_id=SIGN_IN,
    proof=Secret("the-proof"),
    failure=None,
    sentence="Done.",
)


async def call(
    monkeypatch: pytest.MonkeyPatch,
    answer: ConsentAnswer | Exception = GRANTED,
    *,
    path: str = f"{PATH}?code=c&state=s",
    method: str = "GET",
    **headers: str,
) -> tuple[httpx.Response, Answers]:
    answers = Answers(answer)
    monkeypatch.setattr(service, "answer_consent", answers)
    app = Starlette(routes=[OAuthCallback(origins=frozenset({ORIGIN})).route()])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gateway") as http:
        return await http.request(method, path, headers=headers), answers


async def test_a_callback_sends_the_browser_back_with_sign_in_and_proof(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    response, answers = await call(monkeypatch)

    assert response.status_code == 303
    assert response.headers["location"] == f"https://app.example/done?signIn={SIGN_IN}&proof=the-proof"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert answers.calls == [("xero", APP, {"code": "c", "state": "s"})]


async def test_without_a_return_address_a_page_hands_them_over(monkeypatch: pytest.MonkeyPatch) -> None:
    response, _ = await call(monkeypatch, replace(GRANTED, return_url=None))

    assert response.status_code == 200
    assert f'{{"source":"tieline","signIn":"{SIGN_IN}","proof":"the-proof"}}' in response.text


async def test_a_failure_goes_back_as_an_error_and_without_a_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = ConsentAnswer(
        return_url="https://app.example/done",
        sign_in_id=SIGN_IN,
        proof=None,
        failure=Failure.CONSENT_DENIED,
        sentence="The consent was denied.",
    )

    response, _ = await call(monkeypatch, failed)

    assert response.headers["location"] == f"https://app.example/done?signIn={SIGN_IN}&error=CONSENT_DENIED"


async def test_an_answer_to_a_sign_in_that_is_not_known_is_a_page_and_goes_nowhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unknown = ConsentAnswer(
        return_url=None,
        sign_in_id=None,
        proof=None,
        failure=Failure.UNKNOWN_STATE,
        sentence="We do not know the sign-in that this page is of.",
    )

    response, _ = await call(monkeypatch, unknown)

    assert response.status_code == 400
    assert "We do not know the sign-in" in response.text
    assert "<script" not in response.text


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"method": "HEAD"}, 405),
        ({"method": "POST"}, 405),
        ({"method": "OPTIONS"}, 405),
        ({"sec-purpose": "prefetch"}, 503),
        ({"sec-purpose": "prefetch;prerender"}, 503),
        ({"purpose": "prefetch"}, 503),
        ({"path": "/oauth/xero/nonsense/callback?code=c&state=s"}, 400),
        ({"path": f"/oauth/X%00/{APP}/callback?code=c&state=s"}, 400),
        ({"path": f"/oauth/{'x' * 100}/{APP}/callback?code=c&state=s"}, 400),
        ({"path": f"{PATH}?code=c&state=s&state=t"}, 400),
        ({"path": f"{PATH}?code={'c' * 5_000}&state=s"}, 400),
    ],
)
async def test_what_is_no_persons_return_spends_nothing(
    monkeypatch: pytest.MonkeyPatch, request_: dict[str, str], status: int
) -> None:
    response, answers = await call(monkeypatch, **request_)  # type: ignore[arg-type]

    assert (response.status_code, answers.calls) == (status, [])
    if status == 405:
        assert response.headers["allow"] == "GET"


async def test_trouble_of_ours_is_a_page_that_may_be_reloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    busy, _ = await call(monkeypatch, Unavailable())
    broken, _ = await call(monkeypatch, ValueError("secret"))

    assert (busy.status_code, broken.status_code) == (503, 500)
    assert "secret" not in broken.text
    for response in (busy, broken):
        assert "Reload this page" in response.text
        assert response.headers["cache-control"] == "no-store"
