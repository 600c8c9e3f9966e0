"""How a session asks: with a token renewed once, patiently where that is harmless, and only within the API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from tests.plugins.pretending import Reply, said
from tests.plugins.providers import Abacus
from tests.plugins.sessions import NOW, TOKENS, Talk, talking
from tests.support.polling import until
from tieline import errors
from tieline.errors import ProviderBroken, ProviderError, ProviderUnavailable
from tieline.plugins import Passage, Remaining, faults, session

FIRST, SECOND, _ = TOKENS
OK = said({"name": "Acme"})
EXPIRED = said({}, status=401)
AWAY = said({}, status=503)
PAUSES = session._PAUSES_SECONDS


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its own pauses, also in a process where calls of other tests are made again at once."""
    monkeypatch.setattr(session, "_PAUSES_SECONDS", PAUSES)


async def arrived(talk: Talk) -> bool:
    return talk.pretender.received != []


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


@pytest.mark.parametrize(
    ("method", "replies", "in_doubt"),
    [
        ("DELETE", [OK], 0),
        ("DELETE", [AWAY], 0),
        ("DELETE", [Reply(dropped=True)], 3),
        ("DELETE", [Reply(dropped=True), said({}, status=400)], 1),
        ("DELETE", [Reply(dropped=True), OK], 1),
        ("POST", [Reply(dropped=True)], 1),
        ("GET", [Reply(dropped=True)], 0),
    ],
)
async def test_what_may_have_changed_something_and_was_not_answered_is_counted(
    method: str, replies: list[Reply], in_doubt: int
) -> None:
    async with talking(Abacus()) as talk:
        talk.pretender.will(*replies)

        with suppress(ProviderError):
            await talk.session.request(method, "company")

    assert talk.session.in_doubt == in_doubt


async def test_what_was_not_answered_when_its_caller_was_stopped_is_counted() -> None:
    async with talking(Abacus()) as talk:
        talk.pretender.will(Reply(silent=True))
        asking = asyncio.create_task(talk.session.request("DELETE", "company"))
        await until(lambda: arrived(talk), "the call arrives")

        asking.cancel()
        await asyncio.wait((asking,))

    assert talk.session.in_doubt == 1


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
        (410, errors.AppRemoved),
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
            "reference": None,
        }
        for status in (503, None, 200)
    ]
