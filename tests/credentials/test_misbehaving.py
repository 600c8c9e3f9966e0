"""A plugin that raises, or never answers, when a login is looked after: nothing is lost, and it is asked again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from tests.credentials.holding import Holding, now
from tests.support.logged import logging_to
from tieline.credentials import asking
from tieline.credentials.giving_back import service as giving_back
from tieline.credentials.letting_go import release_at_provider, release_organisation
from tieline.credentials.reaching import check_reach
from tieline.plugins import edge
from tieline.worker.roster import ACTORS
from tieline.worker.runner import Runner
from tieline_xero import Xero


async def raises(*_: object) -> Any:
    raise ValueError("secret")


async def quits(*_: object) -> Any:
    raise SystemExit("secret")


async def interrupts(*_: object) -> Any:
    raise KeyboardInterrupt("secret")


async def hangs(*_: object) -> Any:
    await asyncio.Event().wait()


async def swallows(*_: object) -> Any:
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    await asyncio.Event().wait()


broken = pytest.mark.parametrize("method", [raises, quits, interrupts, hangs, swallows])


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_ASK_SECONDS", 0.2)
    monkeypatch.setattr(giving_back, "_HOLD_SECONDS", 1.2)
    monkeypatch.setattr(edge, "STOP_SECONDS", 0.1)


@broken
async def test_what_a_login_reaches_stays_as_it_was_where_the_plugin_cannot_tell(
    holding: Holding, monkeypatch: pytest.MonkeyPatch, method: Callable[..., Awaitable[Any]]
) -> None:
    connection_id = await holding.connect(holding.person.organisations[0])
    monkeypatch.setattr(Xero, "organisations", method)

    again = await check_reach(holding.practice_id, holding.credential.id)

    assert again is not None
    assert await now() < again.at <= await now() + timedelta(hours=27)
    assert await holding.reason(connection_id) is None


@broken
async def test_books_that_the_plugin_cannot_look_into_stay_shut_and_are_tried_again(
    holding: Holding, monkeypatch: pytest.MonkeyPatch, method: Callable[..., Awaitable[Any]]
) -> None:
    shut = await holding.connect(holding.person.organisations[0])
    await holding.above.execute("UPDATE connection SET reason = 'ACCESS_LOST' WHERE id = $1", shut)
    monkeypatch.setattr(Xero, "organisation", method)
    assert await check_reach(holding.practice_id, holding.credential.id) is not None
    assert await holding.reason(shut) == "ACCESS_LOST"
    monkeypatch.undo()

    await check_reach(holding.practice_id, holding.credential.id)

    assert await holding.reason(shut) is None


@broken
async def test_a_release_that_the_plugin_fails_at_is_put_off(
    holding: Holding, monkeypatch: pytest.MonkeyPatch, method: Callable[..., Awaitable[Any]]
) -> None:
    bakery = await holding.connect(holding.person.organisations[0])
    organisation_id = await holding.organisation_of(bakery)
    await holding.disconnect(bakery)
    await release_organisation(holding.practice_id, holding.credential.id, organisation_id)
    monkeypatch.setattr(Xero, "release", method)
    await release_at_provider(holding.practice_id, holding.credential.id, organisation_id)
    monkeypatch.undo()
    before = len((await holding.grants())[0]["connections"])

    for job in await holding.jobs("release_at_provider"):
        await holding.above.execute(
            "UPDATE job SET due_at = least(due_at, $2) WHERE id = $1", job["id"], await now()
        )
        await Runner(ACTORS).run(job["id"])

    assert (before, len((await holding.grants())[0]["connections"])) == (2, 1)


async def test_a_plugin_that_quotes_a_secret_is_told_by_the_class_of_its_error(
    holding: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    await holding.connect(holding.person.organisations[0])
    monkeypatch.setattr(Xero, "organisations", raises)

    with logging_to() as written:
        await check_reach(holding.practice_id, holding.credential.id)

    [line] = [line for line in written.getvalue().splitlines() if "plugin.failed" in line]
    assert "in raises" in line
    assert line.count("ValueError") == 2  # the line of code, and its class
    assert "ValueError: " not in line
