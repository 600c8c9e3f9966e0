"""How often a subscriber's authority is asked for, of the database and of the issuer's keys."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.books import Books
from tieline.errors import Unauthenticated
from tieline.identity.tokens import Identity
from tieline.principal import Principal
from tieline_gateway.graphql import context as context_module
from tieline_gateway.graphql.context import Context

GOOD_FOR = 3_600.0
"""So many seconds authority is good for here: no test takes as long."""


@pytest.fixture(autouse=True)
def long_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context_module, "AUTHORITY_SECONDS", GOOD_FOR)


class Subscriber:
    """Its context, and what was asked: the database for `lookups`, the issuer's keys for `checks`.

    `unchanged_at` is the last instant at which it was seen that nothing has changed; None: it never was.
    """

    def __init__(self, principal: Principal, unchanged_at: float | None) -> None:
        self.principal = principal
        self.unchanged_at = unchanged_at
        self.lookups = self.checks = 0
        self.key_is_gone = False
        self.context: Context

    async def begin(self) -> None:
        """It was let in longer ago than its authority is good for."""
        self.context = await Context.of(self._look_up, self._check, unchanged=self._unchanged)
        self.pass_time()

    def pass_time(self) -> None:
        self.context._known_at -= GOOD_FOR
        self.context._identified_at -= GOOD_FOR

    async def _look_up(self) -> Principal:
        self.lookups += 1
        return self.principal

    async def _check(self) -> Identity:
        self.checks += 1
        if self.key_is_gone:
            raise Unauthenticated
        return Identity(
            issuer="https://issuer.invalid",
            subject="auth0|1",
            email=None,
            email_verified=None,
            expires_at=datetime.now(UTC) + timedelta(minutes=5),
        )

    def _unchanged(self, caller: Principal, *, since: float) -> float | None:
        assert (caller, since) == (self.principal, self.context._known_at)
        return self.unchanged_at


@pytest.mark.parametrize(("seconds_ago", "lookups"), [(None, 2), (GOOD_FOR + 1, 2), (0.0, 1)])
async def test_a_subscriber_is_looked_up_again_unless_it_is_known_to_be_unchanged(
    books: Books, seconds_ago: float | None, lookups: int
) -> None:
    unchanged_at = None if seconds_ago is None else time.monotonic() - seconds_ago
    subscriber = Subscriber(books.admin, unchanged_at)
    await subscriber.begin()

    await subscriber.context.confirm()

    assert (subscriber.lookups, subscriber.checks) == (lookups, 0)


async def test_a_token_is_checked_once_in_a_while_however_many_events_are_sent(books: Books) -> None:
    subscriber = Subscriber(replace(books.admin, api_key_id=None), time.monotonic() + 2 * GOOD_FOR)
    await subscriber.begin()

    for _ in range(100):
        await subscriber.context.confirm()
    of_a_hundred = subscriber.checks
    subscriber.pass_time()
    subscriber.key_is_gone = True
    with pytest.raises(Unauthenticated):
        await subscriber.context.confirm()

    assert (of_a_hundred, subscriber.checks, subscriber.lookups) == (1, 2, 1)


async def test_whoever_is_found_unchanged_while_it_waits_to_be_looked_up_is_not(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = asyncio.Semaphore(0)
    monkeypatch.setattr(context_module, "_LOOKING_UP", turn)
    subscriber = Subscriber(books.admin, None)
    await subscriber.begin()

    waiting = asyncio.create_task(subscriber.context.confirm())
    await asyncio.sleep(0)
    subscriber.unchanged_at = time.monotonic()
    turn.release()
    await waiting

    assert subscriber.lookups == 1
