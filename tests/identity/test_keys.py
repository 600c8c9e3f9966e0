"""The issuer's keys: when they are fetched, what of an answer is believed, and what an outage does."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import OctKey, RSAKey
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from tests.identity.conftest import Calendar
from tests.support.issuer import (
    AUDIENCE,
    IssuerServer,
    as_json,
    compact,
    ec_key,
    published,
    rsa_key,
    signature_of,
)
from tests.support.logged import logging_to
from tests.support.polling import until
from tieline.errors import IssuerUnavailable, Unauthenticated
from tieline.host import host
from tieline.identity.issuer import (
    FAILURE_PAUSE,
    FRESH_FOR,
    RENEWED_AFTER,
    SERVES_FOR,
    UNKNOWN_KEY_PAUSE,
    Issuer,
)
from tieline.identity.jwks import MAX_KEYS

SECOND = timedelta(seconds=1)


class Tokens:
    """Makes tokens of the calendar's time, by a key of this name."""

    def __init__(self, server: IssuerServer, calendar: Calendar) -> None:
        self.server = server
        self.calendar = calendar

    def by(self, name: str = "first", *, key_id: str | None = None) -> str:
        header = as_json({"alg": "RS256", "kid": key_id or name})
        payload = as_json(self.server.claims("ann", at=self.calendar.at))
        return compact(header, payload, signature_of(rsa_key(name), "RS256"))

    def without_key_id(self, name: str = "first") -> str:
        payload = as_json(self.server.claims("ann", at=self.calendar.at))
        return compact(as_json({"alg": "RS256"}), payload, signature_of(rsa_key(name), "RS256"))


@pytest.fixture
def tokens(server: IssuerServer, calendar: Calendar) -> Tokens:
    return Tokens(server, calendar)


async def taken(issuer: Issuer, token: str) -> bool:
    """Whether it is; an outage fails the test."""
    try:
        return (await issuer.identify(token)).subject == "ann"
    except Unauthenticated:
        return False


def failing() -> Response:
    return PlainTextResponse("away", status_code=503)


async def test_keys_are_fetched_once_and_again_after_ten_minutes(
    trusted: Issuer, server: IssuerServer, tokens: Tokens, calendar: Calendar
) -> None:
    for _ in range(3):
        assert await taken(trusted, tokens.by())
    calendar.move(RENEWED_AFTER - SECOND)
    assert await taken(trusted, tokens.by())
    assert server.asked == {"discovery": 1, "keys": 1}

    server.publish(published(rsa_key("second"), "second"))
    calendar.move(FRESH_FOR)

    assert not await taken(trusted, tokens.by())
    assert server.asked == {"discovery": 2, "keys": 2}


async def test_after_five_minutes_they_are_fetched_while_nobody_waits(
    trusted: Issuer, server: IssuerServer, tokens: Tokens, calendar: Calendar
) -> None:
    assert await taken(trusted, tokens.by())
    hanging, both = threading.Event(), [published(rsa_key(name), name) for name in ("first", "second")]
    server.answer = lambda: JSONResponse({"keys": both}) if hanging.wait(60) else failing()
    calendar.move(RENEWED_AFTER)

    assert all([await taken(trusted, tokens.by()) for _ in range(3)])
    new = asyncio.ensure_future(taken(trusted, tokens.by("second")))
    hanging.set()

    assert await new
    assert server.asked["keys"] == 2


async def test_while_the_issuer_hangs_whoever_has_a_key_that_is_known_waits_once_at_most(
    trusted: Issuer, server: IssuerServer, tokens: Tokens, calendar: Calendar
) -> None:
    assert await taken(trusted, tokens.by())
    server.answer = failing
    calendar.move(FRESH_FOR)
    assert await taken(trusted, tokens.by())
    hanging = threading.Event()
    server.answer = lambda: JSONResponse({"keys": server.keys}) if hanging.wait(60) else failing()
    calendar.move(FAILURE_PAUSE)

    assert await taken(trusted, tokens.by())
    unknown = asyncio.ensure_future(taken(trusted, tokens.by("second")))
    hanging.set()

    assert not await unknown  # and nobody says that the issuer is away
    assert server.asked["keys"] == 3


async def test_a_process_that_stops_waits_for_no_issuer(
    trusted: Issuer, server: IssuerServer, tokens: Tokens
) -> None:
    hanging = threading.Event()
    server.answer = lambda: JSONResponse({"keys": server.keys}) if hanging.wait(60) else failing()
    asking = asyncio.ensure_future(taken(trusted, tokens.by()))
    await until(lambda: asyncio.sleep(0, server.asked["keys"] == 1), "the issuer is asked")

    await trusted.close()

    with pytest.raises(IssuerUnavailable):
        await asking
    hanging.set()


async def test_those_who_come_together_wait_for_one_fetch(
    trusted: Issuer, server: IssuerServer, tokens: Tokens
) -> None:
    assert all(await asyncio.gather(*(taken(trusted, tokens.by()) for _ in range(20))))

    assert server.asked == {"discovery": 1, "keys": 1}


async def test_a_new_key_is_taken_at_once_and_one_that_was_rotated_out_no_more(
    trusted: Issuer, server: IssuerServer, tokens: Tokens, calendar: Calendar
) -> None:
    assert await taken(trusted, tokens.by("first"))
    calendar.move(UNKNOWN_KEY_PAUSE)

    server.publish(published(rsa_key("second"), "second"))

    assert await taken(trusted, tokens.by("second"))
    assert not await taken(trusted, tokens.by("first"))


async def test_keys_that_nobody_knows_are_looked_for_every_thirty_seconds_at_most(
    trusted: Issuer, server: IssuerServer, tokens: Tokens, calendar: Calendar
) -> None:
    assert await taken(trusted, tokens.by())

    for number in range(60):
        assert not await taken(trusted, tokens.by("attacker", key_id=f"made-up-{number}"))
        calendar.move(SECOND)

    assert server.asked["keys"] == 2  # the first, and one of the sixty seconds
    assert await taken(trusted, tokens.by())


async def test_while_the_issuer_is_away_its_keys_serve_for_a_day(
    trusted: Issuer, server: IssuerServer, tokens: Tokens, calendar: Calendar
) -> None:
    assert await taken(trusted, tokens.by())
    server.answer = failing

    calendar.move(SERVES_FOR - SECOND)
    assert await taken(trusted, tokens.by())
    calendar.move(SECOND)

    with pytest.raises(IssuerUnavailable):
        await trusted.identify(tokens.by())


async def test_an_issuer_that_was_never_reached_throws_nobody_out_and_is_asked_again_soon(
    trusted: Issuer, server: IssuerServer, tokens: Tokens, calendar: Calendar
) -> None:
    server.answer = failing
    for _ in range(10):
        with pytest.raises(IssuerUnavailable):
            await trusted.identify(tokens.by())
    assert server.asked["keys"] == 1

    server.answer = None
    calendar.move(FAILURE_PAUSE)

    assert await taken(trusted, tokens.by())
    assert server.asked["keys"] == 2


async def test_a_key_that_may_be_new_is_not_called_wrong_while_nobody_can_say(
    trusted: Issuer, server: IssuerServer, tokens: Tokens, calendar: Calendar
) -> None:
    assert await taken(trusted, tokens.by())
    server.answer = failing
    calendar.move(UNKNOWN_KEY_PAUSE)

    with pytest.raises(IssuerUnavailable):
        await trusted.identify(tokens.by("second"))
    assert await taken(trusted, tokens.by())
    with pytest.raises(Unauthenticated):
        await trusted.identify(tokens.by("attacker", key_id="first"))


async def test_an_outage_is_told_once_and_so_is_its_end(
    trusted: Issuer, server: IssuerServer, tokens: Tokens, calendar: Calendar
) -> None:
    server.answer = failing
    with logging_to() as stream:
        for _ in range(3):
            with pytest.raises(IssuerUnavailable):
                await trusted.identify(tokens.by())
            calendar.move(FAILURE_PAUSE)
        server.answer = None
        assert await taken(trusted, tokens.by())

    events = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    assert [event for event in events if event.startswith("identity.")] == [
        "identity.issuer_away",
        "identity.issuer_back",
    ]


BROKEN: dict[str, Callable[[IssuerServer], Response]] = {
    "a redirect": lambda server: RedirectResponse(f"{server.url}/elsewhere"),
    "a huge answer": lambda server: JSONResponse({"keys": server.keys, "pad": "x" * 300_000}),
    "too many keys": lambda server: JSONResponse({"keys": server.keys * (MAX_KEYS // 5 + 1)}),
    "HTML": lambda _: PlainTextResponse("<html>"),
    "a list": lambda server: JSONResponse(server.keys),
    "no keys": lambda _: JSONResponse({"issuer": "x"}),
    "an object of keys": lambda server: JSONResponse({"keys": {"first": server.keys[0]}}),
    "keys twice": lambda server: PlainTextResponse(f'{{"keys":[],"keys":{json.dumps(server.keys)}}}'),
    "not found": lambda server: JSONResponse({"keys": server.keys}, status_code=404),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_an_answer_that_is_no_key_set_is_an_outage(
    trusted: Issuer, server: IssuerServer, tokens: Tokens, calendar: Calendar, name: str
) -> None:
    server.answer = lambda: BROKEN[name](server)
    with pytest.raises(IssuerUnavailable):
        await trusted.identify(tokens.by())

    server.answer = lambda: JSONResponse({"keys": server.keys, "pad": "x" * 100_000})
    calendar.move(FAILURE_PAUSE)

    assert await taken(trusted, tokens.by())
    assert server.asked["elsewhere"] == 0


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"jwks_uri": None},
        {"jwks_uri": "http://keys.example/keys"},
        {"jwks_uri": "file:///etc/keys"},
        {"jwks_uri": "http://localhost@evil.example/keys"},
        {"jwks_uri": "/keys"},
    ],
)
async def test_a_discovery_document_that_speaks_for_another_or_points_elsewhere_is_an_outage(
    trusted: Issuer, server: IssuerServer, tokens: Tokens, calendar: Calendar, said: dict[str, Any]
) -> None:
    server.discovery = said
    with pytest.raises(IssuerUnavailable):
        await trusted.identify(tokens.by())
    assert server.asked == {"discovery": 1}

    server.discovery = {"jwks_uri": f"{server.url}/elsewhere"}
    calendar.move(FAILURE_PAUSE)

    assert await taken(trusted, tokens.by())
    assert server.asked["elsewhere"] == 1


async def test_an_address_of_keys_in_the_settings_needs_no_discovery(
    server: IssuerServer, tokens: Tokens
) -> None:
    told = Issuer(server.url, audience=AUDIENCE, client=host().client, keys_url=f"{server.url}/elsewhere")

    assert await taken(told, tokens.by())
    assert server.asked == {"elsewhere": 1}


async def test_a_token_without_a_key_id_is_for_an_issuer_with_one_key(
    trusted: Issuer, server: IssuerServer, tokens: Tokens, calendar: Calendar
) -> None:
    server.publish(published(rsa_key("first"), None))
    assert await taken(trusted, tokens.without_key_id())
    calendar.move(FRESH_FOR)

    server.publish(published(rsa_key("first"), None), published(rsa_key("second"), None))

    assert not await taken(trusted, tokens.without_key_id())


async def test_keys_that_share_an_id_are_told_apart_by_what_they_can_or_not_at_all(
    trusted: Issuer, server: IssuerServer, tokens: Tokens, calendar: Calendar
) -> None:
    server.publish(published(ec_key("curve"), "same"), published(rsa_key("first"), "same"))
    assert await taken(trusted, tokens.by("first", key_id="same"))
    calendar.move(FRESH_FOR)

    server.publish(published(rsa_key("second"), "same"), published(rsa_key("first"), "same"))

    assert not await taken(trusted, tokens.by("first", key_id="same"))


@pytest.mark.parametrize("count", [0, 1])
async def test_an_issuer_that_publishes_no_key_to_check_by_is_away_and_what_there_was_serves(
    trusted: Issuer, server: IssuerServer, tokens: Tokens, calendar: Calendar, count: int
) -> None:
    assert await taken(trusted, tokens.by())
    server.publish(*[published(rsa_key("first"), "first", use="enc")] * count)

    calendar.move(FRESH_FOR)
    assert await taken(trusted, tokens.by())
    with pytest.raises(IssuerUnavailable):
        await trusted.identify(tokens.by("second"))
    calendar.move(SERVES_FOR - FRESH_FOR)

    with pytest.raises(IssuerUnavailable):
        await trusted.identify(tokens.by())


async def test_keys_that_check_nothing_are_passed_over(
    trusted: Issuer, server: IssuerServer, tokens: Tokens
) -> None:
    good, secret = published(rsa_key("first"), "first"), OctKey.generate_key(256)
    short: Any = _short_key()
    odd: list[Any] = [
        published(rsa_key("first"), "first", use="enc"),
        {**good, "key_ops": ["encrypt"]},
        {**good, "kid": 7},
        {**good, "alg": "RS512"},
        {**good, "alg": ["RS256"]},
        {**good, "kty": ["RSA"]},
        {**good, "n": "AQAB"},
        {**good, "n": 65537},
        {**good, "e": ""},
        {"kty": "RSA", "kid": "first"},
        {"kty": "AKP", "kid": "first", "alg": "ML-DSA-65", "pub": "AA"},
        {**secret.as_dict(private=True), "kid": "first"},
        published(ec_key("longer", "P-384"), "first"),
        {**published(ec_key("curve"), "first"), "y": "AQ"},
        {"kid": "first", "kty": "RSA", "e": "AQAB", "n": short},
        "first",
        None,
        [],
    ]
    server.publish(*odd, good)

    assert await taken(trusted, tokens.by())
    assert await taken(trusted, tokens.without_key_id())  # of one key, that is


async def test_what_a_set_gives_away_of_private_keys_is_not_even_read(
    trusted: Issuer, server: IssuerServer, tokens: Tokens
) -> None:
    careless: dict[str, Any] = dict(rsa_key("first").as_dict(private=True))
    server.publish({**careless, "kid": "first", "d": "nonsense"})

    assert await taken(trusted, tokens.by())


def _short_key() -> object:
    """The modulus of a key of 1,024 bits, which is too short to be believed."""
    with pytest.warns(SecurityWarning):
        return RSAKey.generate_key(1024).as_dict(private=False)["n"]
