"""One event that many are told of at once: others have turns between, and nothing is made that nobody asks for."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from strawberry.dataloader import DataLoader

from tests.support import hints
from tests.support.deployment import Deployment
from tests.support.events import cursor_of, rename
from tests.support.firm import Firm
from tests.support.polling import until
from tieline import live
from tieline.events.turns import MOST
from tieline_gateway.auth import context_of
from tieline_gateway.graphql.events.following import follow_events
from tieline_gateway.graphql.schema import build_schema
from tieline_gateway.transport.incoming import Credentials

IDS = "subscription($after: String!) { connectionEvents(after: $after) { cursor kind clientId } }"
MANY = 4 * MOST


class Loop:
    """Turns of the event loop, counted while they go by."""

    def __init__(self) -> None:
        self.turns = 0

    async def count(self) -> None:
        while True:
            self.turns += 1
            await asyncio.sleep(0)


@pytest.fixture
async def hearing(opened: Deployment) -> AsyncIterator[None]:
    """Hints reach this process."""
    async with live.listening(opened.settings):
        await hints.hearing()
        yield


@pytest.mark.usefixtures("hearing")
async def test_of_those_who_are_told_at_once_not_many_are_in_one_turn_of_the_loop(firm: Firm) -> None:
    client_id, start = await firm.admin.create_client("Acorn"), await cursor_of(firm.admin)
    told: Counter[str] = Counter()
    at_once: Counter[tuple[str, int]] = Counter()
    loop = Loop()

    async def follow() -> None:
        context = await context_of(Credentials(token=firm.admin.key))
        async with aclosing(follow_events(context, start)) as events:
            async for event in events:
                told[event.kind] += 1
                at_once[event.kind, loop.turns] += 1

    async def all_told(kind: str) -> bool:
        return told[kind] == MANY

    tasks = [asyncio.create_task(follow()) for _ in range(MANY)]
    await rename(firm.admin, client_id, "Birch")
    await until(lambda: all_told("CLIENT_RENAMED"), "all have begun")
    tasks.append(asyncio.create_task(loop.count()))
    await firm.admin.create_client("Cedar")
    await until(lambda: all_told("CLIENT_CREATED"), "all have been told")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert max(count for (kind, _), count in at_once.items() if kind == "CLIENT_CREATED") <= 2 * MOST


@pytest.mark.usefixtures("hearing")
async def test_an_event_of_which_ids_alone_are_asked_makes_no_loader(firm: Firm) -> None:
    start, context = await cursor_of(firm.admin), await context_of(Credentials(token=firm.admin.key))
    created = await firm.admin.create_client("Acorn")

    source: Any = await build_schema().subscribe(IDS, variable_values={"after": start}, context_value=context)
    async with aclosing(source) as results:
        result = await anext(results)

    assert result.data["connectionEvents"]["clientId"] == created
    assert not [one for one in vars(context.loaders).values() if isinstance(one, DataLoader)]
