"""A delivery is answered in the provider's time, whatever is held or hangs meanwhile; what was kept by then counts."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import copy_context
from datetime import datetime
from typing import Any

import asyncpg
import httpx
import pytest
from starlette.applications import Starlette

from tests.support.deployment import Deployment
from tests.support.locks import waiting
from tests.support.polling import WAIT_SECONDS, until
from tests.sync.scripted import Reading
from tests.webhooks.desk import Desk
from tests.webhooks.telling import Tell, Telling, work
from tieline.webhooks import service
from tieline_gateway.metrics import Metrics
from tieline_gateway.routes.webhooks import WebhookRoute

_DATABASE_GIVES_UP = 30.0  # seconds; then it would be 503 as well


@asynccontextmanager
async def hurried(seconds: float) -> AsyncIterator[httpx.AsyncClient]:
    """Answers within so many seconds."""
    app = Starlette(routes=[WebhookRoute(metrics=Metrics(), seconds=seconds).route()])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as http:
        yield http


@asynccontextmanager
async def held(deployment: Deployment, desk: Desk) -> AsyncIterator[None]:
    """Somebody else is at work on the organisation."""
    other: asyncpg.Connection = await deployment.connect()
    transaction = other.transaction()
    await transaction.start()
    await other.execute("SELECT 1 FROM organisation WHERE id = $1 FOR UPDATE", desk.organisation_id)
    try:
        yield
    finally:
        await transaction.rollback()
        await other.close()


async def test_an_organisation_that_is_held_is_not_waited_for_past_the_providers_time(
    desk: Desk, opened: Deployment
) -> None:
    body = desk.body()
    async with hurried(0.3) as http, held(opened, desk):
        async with asyncio.timeout(_DATABASE_GIVES_UP / 2):
            late = await http.post(desk.path, content=body, headers=desk.signed(body))
        assert await desk.kept() == (0, [], 0)

    again = await desk.post(body)

    assert (late.status_code, late.content) == (503, b"")
    assert again.status_code == 200
    assert await desk.kept() == (1, [desk.way.feed], 1)


async def test_a_plugin_that_hangs_over_a_delivery_holds_up_nobody(
    client: Reading, script: Telling, tell: Tell
) -> None:
    let_go, telling = threading.Event(), script.parse_webhook

    def hanging(*_: Any) -> Any:
        let_go.wait(WAIT_SECONDS)
        return []

    script.parse_webhook = hanging  # type: ignore[assignment,method-assign]
    path = f"/webhooks/pretend/{client.books.apps['pretend']}"
    async with hurried(0.1) as http:
        late = await http.post(path, content=b"")
    script.parse_webhook = telling  # type: ignore[method-assign]
    await tell("invoices")
    waited = not let_go.is_set()
    let_go.set()

    assert late.status_code == 503
    assert waited
    assert await client.books.count("webhook_touch") == 1


async def test_what_is_told_while_a_sync_is_queued_is_read_after_it(
    client: Reading, tell: Tell, opened: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    del opened
    await client.slice()
    await tell("invoices")
    meanwhile: list[asyncio.Task[None]] = []
    plan, outside = service._when, copy_context()

    async def slow(*given: Any, **more: Any) -> datetime:
        """The same feed is touched once more, after the job looked what was."""
        meanwhile.append(asyncio.create_task(tell("invoices"), context=outside))

        async def stands_or_waits() -> bool:
            return meanwhile[0].done() or bool(await waiting(client.books.sql))

        await until(stands_or_waits, "the delivery is kept, or waits for the job")
        return await plan(*given, **more)

    monkeypatch.setattr(service, "_when", slow)
    await work(client)
    await asyncio.gather(*meanwhile)

    assert len(await client.books.runs()) == 1
    assert await client.books.count("webhook_touch") == 1
