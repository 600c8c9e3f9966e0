"""Where a session stops: at a size, at a time, at the edge of the API, and before it shows what is secret."""

from __future__ import annotations

import asyncio
import gzip
import traceback
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.plugins.pretending import Reply, said
from tests.plugins.providers import Abacus
from tests.plugins.sessions import TOKENS, talking
from tieline import errors
from tieline.errors import ProviderBroken, ProviderError, ProviderUnavailable

OK = said({"name": "Acme"})
EXPIRED = said({}, status=401)
AWAY = said({}, status=503)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=b"x" * 5001),
        Reply(headers={"content-encoding": "gzip"}, body=gzip.compress(b"x" * 4_000_000)),
    ],
)
async def test_a_body_is_read_no_further_than_the_bound_even_if_it_is_small_on_the_line(reply: Reply) -> None:
    async with talking(Abacus(), max_bytes=5000) as talk:
        talk.pretender.will(reply)

        with pytest.raises(errors.AnswerTooLarge, match="longer than 5,000 bytes"):
            await talk.session.get("a")

    assert len(talk.pretender.received) == 1


async def test_a_compressed_answer_is_read_as_it_was_written() -> None:
    async with talking(Abacus()) as talk:
        talk.pretender.will(Reply(headers={"content-encoding": "gzip"}, body=gzip.compress(b'{"a": 1}')))

        assert (await talk.session.get("a")).json() == {"a": 1}


@pytest.mark.parametrize("reply", [Reply(silent=True), Reply(dripping=True)])
async def test_silence_and_dripping_end_with_the_time_that_a_call_may_take(reply: Reply) -> None:
    async with talking(Abacus(), seconds=1) as talk:
        talk.pretender.will(reply)

        with pytest.raises(ProviderUnavailable) as caught:
            await talk.session.get("a")

    assert (talk.session.calls, caught.value.sent) == (3, True)


async def test_json_that_breaks_off_where_no_length_was_told_is_asked_for_again() -> None:
    json = {"content-type": "application/json; charset=utf-8"}
    async with talking(Abacus()) as talk:
        talk.pretender.will(
            Reply(headers=json, body=b'{"a": [1', unmeasured=True),
            Reply(headers=json, body=b"", unmeasured=True),
            Reply(headers=json, body=b'{"a": [1]}', unmeasured=True),
        )

        assert (await talk.session.get("a")).json() == {"a": [1]}

    assert talk.session.calls == 3


@pytest.mark.parametrize(("method", "status"), [("GET", 204), ("GET", 304), ("HEAD", 200), ("DELETE", 200)])
async def test_an_answer_that_has_no_body_is_whole_without_a_length(method: str, status: int) -> None:
    async with talking(Abacus()) as talk:
        json = {"content-type": "application/json"}
        talk.pretender.will(Reply(status=status, headers=json, body=b"", unmeasured=True))

        answer = await talk.session.request(method, "a")

    assert (answer.status, answer.content, talk.session.calls) == (status, b"", 1)


@pytest.mark.parametrize("body", [b"", b"Forbidden", b'{"Title": "Forb'])
@pytest.mark.parametrize(
    ("status", "meaning"),
    [(403, errors.AccessLost), (404, errors.NotAtProvider), (429, errors.QuotaSpent)],
)
async def test_a_refusal_without_a_length_means_what_its_status_says_whatever_its_body(
    status: int, meaning: type[ProviderError], body: bytes
) -> None:
    json = {"content-type": "application/json"}
    async with talking(Abacus()) as talk:
        talk.pretender.will(Reply(status=status, headers=json, body=body, unmeasured=True))

        with pytest.raises(meaning):
            await talk.session.get("a")

    assert talk.session.calls == 1


@pytest.mark.parametrize("kind", ["application/x-ndjson", "application/json-seq", "text/plain"])
async def test_what_is_no_single_json_text_is_taken_as_it_comes(kind: str) -> None:
    lines = b'{"a": 1}\n{"a": 2}\n'
    async with talking(Abacus()) as talk:
        talk.pretender.will(Reply(headers={"content-type": kind}, body=lines, unmeasured=True))

        answer = await talk.session.get("a")

    assert (answer.content, talk.session.calls) == (lines, 1)


class Aside(ThreadPoolExecutor):
    """Counts what the event loop has done elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.done = 0

    def submit(self, *args: Any, **more: Any) -> Any:
        self.done += 1
        return super().submit(*args, **more)


async def test_a_long_answer_without_a_length_is_looked_through_while_others_have_turns() -> None:
    json, whole = {"content-type": "application/hal+json"}, b'{"a": ["' + b"x" * 500_000 + b'"]}'
    asyncio.get_running_loop().set_default_executor(elsewhere := Aside())
    async with talking(Abacus()) as talk:
        talk.pretender.will(
            Reply(headers=json, body=whole[:-1], unmeasured=True),
            Reply(headers=json, body=b'{"a": [', unmeasured=True),
            Reply(headers=json, body=whole, unmeasured=True),
        )

        answer = await talk.session.get("a")

    assert (answer.content, talk.session.calls, elsewhere.done) == (whole, 3, 2)


async def test_what_breaks_off_each_time_is_no_answer_and_what_is_whole_and_no_json_is_broken() -> None:
    json = {"content-type": "application/json"}
    async with talking(Abacus()) as talk:
        talk.pretender.will(Reply(headers=json, body=b'{"a": [1', unmeasured=True))
        with pytest.raises(ProviderUnavailable):
            await talk.session.get("a")
        talk.pretender.will(Reply(headers=json, body=b'{"a": [1'))
        whole = await talk.session.get("a")

    with pytest.raises(ProviderBroken, match="no JSON"):
        whole.json()


@pytest.mark.parametrize(
    "path",
    [
        "http://evil.test/books/v3/a",
        "{url}/other/a",
        "{url}/books/v30/a",
        "{url}@evil.test/books/v3/a",
        "http://ada:secret@{host}/books/v3/a",
        "https{url_after_http}/books/v3/a",
        "../a",
        "a/../../b",
        "a/%2e%2E/b",
        "a%2f..%2fb",
        "a\\..\\b",
        "{url}/books/v3/../../etc",
        "a\nb",
    ],
)
async def test_the_token_goes_nowhere_outside_the_api(path: str) -> None:
    async with talking(Abacus()) as talk:
        url = talk.pretender.url
        with pytest.raises(ProviderBroken, match=r"outside its API|no address"):
            await talk.session.get(path.format(url=url, url_after_http=url[4:], host=url[7:]))

    assert talk.pretender.received == []


async def test_an_address_within_the_api_is_followed_with_its_query() -> None:
    async with talking(Abacus()) as talk:
        talk.pretender.will(OK)

        await talk.session.get(f"{talk.pretender.url}/books/v3/accounts?cursor=7&at=a/../b#there")
        await talk.session.get("//accounts?next=http://evil.test/")

    assert talk.pretender.asked == [
        "GET /books/v3/accounts?cursor=7&at=a/../b",
        "GET /books/v3/accounts?next=http://evil.test/",
    ]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'{"a": NaN}', b"\xff", b"[" * 100_000])
async def test_an_answer_that_is_no_object_is_broken_and_not_quoted(body: bytes) -> None:
    async with talking(Abacus()) as talk:
        talk.pretender.will(Reply(body=body))
        answer = await talk.session.get("a")

    with pytest.raises(ProviderBroken) as caught:
        answer.json()
    assert caught.value.__cause__ is None


async def test_money_in_an_answer_stays_exact() -> None:
    async with talking(Abacus()) as talk:
        talk.pretender.will(Reply(body=b'{"total": 12345678901234567.89}'), Reply(body=b"[0.1]"))

        assert (await talk.session.get("a")).json() == {"total": Decimal("12345678901234567.89")}
        assert (await talk.session.get("a")).json_list() == [Decimal("0.1")]


@pytest.mark.parametrize(
    "reply",
    [
        OK,
        EXPIRED,
        AWAY,
        Reply(status=302),
        Reply(status=418),
        Reply(status=429),
        Reply(dropped=True),
        Reply(silent=True),
        Reply(body=b"x" * 5001),
        Reply(headers={"content-encoding": "gzip"}, body=b"no gzip"),
    ],
)
async def test_no_error_and_no_log_shows_a_token_a_query_or_a_body(reply: Reply) -> None:
    shown: list[str] = []
    with capture_logs() as logs:
        async with talking(Abacus(), seconds=0.1, max_bytes=5000) as talk:
            talk.pretender.will(reply)
            try:
                answer = await talk.session.get(
                    "a", params={"name": "Query-Xq"}, headers={"X-Key": "Header-Xh"}
                )
                shown.append(repr(answer))
            except ProviderError as error:
                shown.extend(everything_about(error))
            shown.append(repr(talk.session))

    assert logs
    for secret in (*TOKENS, "Query-Xq", "Header-Xh", "Acme", "x" * 100):
        assert secret not in " ".join([*shown, repr(logs)])


@pytest.mark.parametrize("token", ["t0ken-1\nX: 1", "t0ken-1ä", "t0ken-1 2", ""])
async def test_a_stored_token_that_fits_into_no_header_is_not_quoted_either(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.plugins.sessions.TOKENS", (token,))
    async with talking(Abacus()) as talk:
        with pytest.raises(ProviderBroken, match="does not fit into a header") as caught:
            await talk.session.get("a")

    assert "t0ken-1" not in " ".join(everything_about(caught.value))
    assert talk.pretender.received == []


def everything_about(error: BaseException) -> list[str]:
    """What any logger could print of an error and its causes, the requests that they hold included."""
    parts = ["".join(traceback.format_exception(error))]
    seen: BaseException | None = error
    while seen is not None:
        request = getattr(seen, "_request", None)
        parts += [
            repr(seen),
            str(seen),
            repr(vars(seen)),
            repr(request and (request.url, request.headers.raw)),
        ]
        seen = seen.__cause__ or seen.__context__
    return parts
