"""A provider that tells which feeds were touched, and the job that this queues."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeAlias

from tests.sync.scripted import Reading, Script
from tieline.ids import RunId
from tieline.plugins import WebhookEvent, Webhooks, check_signature
from tieline.vault import Secret
from tieline.webhooks.actors import sync_touched
from tieline.work import Again

Tell: TypeAlias = Callable[..., Coroutine[Any, Any, None]]


class Telling(Script):
    """It tells which feeds of which organisation were touched."""

    webhooks = Webhooks(refusal=401, source="nowhere")

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes, secret: Secret
    ) -> Sequence[WebhookEvent]:
        check_signature(headers.get("x-signature"), body, secret)
        organisation, *feeds = json.loads(body)
        return [WebhookEvent(id=None, organisation=organisation, feeds=tuple(feeds))]


async def work(client: Reading) -> Again | None:
    """The job that a delivery has queued."""
    [arguments] = await client.books.jobs("webhooks.sync_touched")
    return await sync_touched.function(**arguments)


async def queued(client: Reading) -> RunId:
    [run] = await client.books.runs()
    return RunId(run["id"])
