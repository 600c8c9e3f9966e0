"""How a session asks: with a token renewed once, patiently where that is harmless, and only within the API."""

from __future__ import annotations

import gzip
import traceback
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
from structlog.testing import capture_logs

from tests.plugins.pretending import Reply, said
from tests.plugins.providers import Abacus
from tests.plugins.sessions import NOW, TOKENS, Talk, talking
from tieline import errors
from tieline.errors import ProviderBroken, ProviderError, ProviderUnavailable
from tieline.plugins import Passage, Remaining, faults

FIRST, SECOND, _ = TOKENS
OK = said({"name": "Acme"})
EXPIRED = said({}, status=401)
AWAY = said({}, status=503)


def tokens_sent(talk: Talk) -> list[str]:
    return [one.headers["authorization"] for one in talk.pretender.received]


async def test_a_call_carries_the_token_and_what_the_plugin_adds_and_no_more() -> None:
    async with talking(Abacus()) as talk:
        talk.pretender.will(said({"name": "Acme"}, set_cookie="session=1", x_left="7"))

        answer = await talk.session.get(
            "/company/7", params={"page": 2, "q": "a&b"}, headers={"X-Company": "7", "Authorization": "mine"}
        )
        await talk.session.get("company/7?fields=all", params={"page": 3})

    first, second = talk.pretender.received
    assert (answer.status, answer.headers["X-LEFT"], answer.json()) == (200, "7", {"name": "Acme"})
    assert first.target == "/books/v3/company/7?page=2&q=a%26b"
    assert first.headers == {
        "host": talk.pretender.url.removeprefix("http://"),
        "x-company": "7",
        "authorization": f"Bearer {FIRST}",
        "accept": "application/json",
        "accept-encoding": "gzip",
        "user-agent": "Tieline",
    }
    assert second.target == "/books/v3/company/7?fields=all&page=3"
    assert "cookie" not in second.headers
    assert (talk.session.calls, talk.session.now(), talk.session.subject) == (2, NOW, "ada")


async def test_a_body_is_sent_with_the_method_that_was_asked_for() -> None:
    async with talking(Abacus()) as talk:
        talk.pretender.will(OK)

        await talk.session.request("POST", "bills", content=b'{"a":1}', headers={"content-type": "text/json"})

    [received] = talk.pretender.received
    assert (received.method, received.body, received.headers["content-type"]) == (
        "POST",
        b'{"a":1}',
        "text/json",
    )


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_expired_token_is_renewed_and_the_call_made_again(method: str) -> None:
    async with talking(Abacus()) as talk:
        talk.pretender.will(EXPIRED, OK)

        answer = await talk.session.request(method, "company", content=b"same")

    assert answer.json() == {"name": "Acme"}
    assert tokens_sent(talk) == [f"Bearer {FIRST}", f"Bearer {SECOND}"]
    assert [one.body for one in talk.pretender.received] == [b"same", b"same"]
    assert talk.tokens.stale == [FIRST]


async def test_a_token_is_renewed_only_once() -> None:
    async with talking(Abacus()) as talk:
        talk.pretender.will(EXPIRED)

        with pytest.raises(ProviderBroken, match="just renewed"):
            await talk.session.get("company")

    assert tokens_sent(talk) == [f"Bearer {FIRST}", f"Bearer {SECOND}"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
@pytest.mark.parametrize("trouble", [AWAY, Reply(dropped=True)])
async def test_what_is_harmless_twice_is_tried_three_times(method: str, trouble: Reply) -> None:
    async with talking(Abacus()) as talk:
        talk.pretender.will(trouble, trouble, Reply(body=b""))

        answer = await talk.session.request(method, "company")

    assert (answer.status, len(talk.pretender.received), talk.session.calls) == (200, 3, 3)
    first, second = talk.pauses
    assert 0.125 <= first <= 0.375
    assert 0.5 <= second <= 1.5


@pytest.mark.parametrize("trouble", [AWAY, Reply(dropped=True)])
async def test_patience_ends_after_three_times(trouble: Reply) -> None:
    async with talking(Abacus()) as talk:
        talk.pretender.will(trouble)

        with pytest.raises(ProviderUnavailable):
            await talk.session.get("company")

    assert len(talk.pretender.received) == 3


@pytest.mark.parametrize("trouble", [AWAY, Reply(dropped=True)])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_what_may_have_happened_is_not_done_again(method: str, trouble: Reply) -> None:
    async with talking(Abacus()) as talk:
        talk.pretender.will(trouble, OK)

        with pytest.raises(ProviderUnavailable) as caught:
            await talk.session.request(method, "bills", content=b"{}")

    assert (len(talk.pretender.received), talk.pauses, caught.value.sent) == (1, [], True)


@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (400, errors.ProviderRejected),
        (402, errors.SubscriptionLapsed),
        (403, errors.AccessLost),
        (404, errors.NotAtProvider),
        (405, errors.ScopeMissing),
        (429, errors.QuotaSpent),
        (500, errors.ProviderBroken),
        (418, errors.ProviderBroken),
        (302, errors.ProviderBroken),
    ],
)
async def test_each_fault_is_raised_once_as_an_error_of_the_tree(
    status: int, raised: type[ProviderError]
) -> None:
    async with talking(Abacus()) as talk:
        talk.pretender.will(Reply(status=status, headers={"location": f"{talk.pretender.url}/books/v3/b"}))

        with pytest.raises(ProviderError) as caught:
            await talk.session.get("a")

    assert (type(caught.value), caught.value.provider) == (raised, "abacus")
    assert talk.pretender.asked == ["GET /books/v3/a"]


async def test_a_spent_limit_says_which_and_when_to_come_back() -> None:
    async with talking(Abacus()) as talk:
        talk.pretender.will(Reply(status=429))

        for _ in range(2):
            with pytest.raises(errors.QuotaSpent) as limited:
                await talk.session.get("a")

    assert (limited.value.limit, limited.value.resume_at) == ("day", NOW + timedelta(seconds=70))
    assert str(limited.value) == "The limit 'day' of abacus is spent; calls go on at 2026-11-03 09:31:10 UTC."
    assert len(talk.pretender.received) == 1


class Open:
    """A gate that lets everything through, and keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str | None, tuple[Remaining, ...], str | None]] = []

    @asynccontextmanager
    async def call(self, organisation: str | None) -> AsyncIterator[Passage]:
        heard = self.heard

        class Through:
            def answered(self, remaining: Sequence[Remaining], throttled: faults.Throttled | None) -> None:
                heard.append((organisation, tuple(remaining), throttled.limit if throttled else None))

        yield Through()


async def test_the_gate_hears_figures_and_refusals_and_a_refused_call_is_made_again() -> None:
    gate = Open()
    async with talking(Abacus(), organisation="acme", gate=gate) as talk:
        talk.pretender.will(
            Reply(status=429), Reply(status=429, headers={"left": "0"}), Reply(headers={"left": "7"})
        )
        await talk.session.request("POST", "bills", content=b"{}")
        talk.pretender.will(Reply(status=429), Reply(status=429), Reply(status=429))

        with pytest.raises(errors.Throttled) as limited:
            await talk.session.get("a")

    day = [(), (Remaining(limit="day", left=0),), (Remaining(limit="day", left=7),), (), (), ()]
    assert gate.heard == [
        ("acme", left, limit)
        for left, limit in zip(day, ["day", "day", None, "day", "day", "day"], strict=True)
    ]
    assert str(limited.value) == "The limit 'day' of abacus is spent; wait 70 seconds."
    assert limited.value.scope is errors.LimitScope.ORGANISATION
    assert (talk.session.calls, talk.session.refused) == (6, 5)


async def test_a_refusal_keeps_what_the_provider_said() -> None:
    async with talking(Abacus()) as talk:
        talk.pretender.will(Reply(status=400))

        with pytest.raises(errors.ProviderRejected) as refused:
            await talk.session.get("a")

    assert str(refused.value) == "abacus refused this: The name is taken."
    assert refused.value.fields == {"Name": "It is taken."}


async def test_an_unmodified_answer_is_an_answer() -> None:
    async with talking(Abacus()) as talk:
        talk.pretender.will(Reply(status=304, body=b""))

        assert (await talk.session.get("accounts")).status == 304


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
    async with talking(Abacus(), seconds=0.1) as talk:
        talk.pretender.will(reply)

        with pytest.raises(ProviderUnavailable) as caught:
            await talk.session.get("a")

    assert (talk.session.calls, caught.value.sent) == (3, True)


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


async def test_each_call_is_one_event() -> None:
    with capture_logs() as logs:
        async with talking(Abacus()) as talk:
            talk.pretender.will(AWAY, Reply(dropped=True), OK)
            await talk.session.get("company/7?name=x")

    for entry in logs:
        assert isinstance(entry.pop("ms"), int)
    assert logs == [
        {
            "event": "provider.called",
            "log_level": "info",
            "provider": "abacus",
            "method": "GET",
            "path": "/books/v3/company/7",
            "status": status,
        }
        for status in (503, None, 200)
    ]


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
