"""Webhooks from above: to which address an app is told of changes, and one delivery on command."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from tieline_sandbox.codec import Malformed, decode, encode
from tieline_sandbox.control.endpoint import Asked, Handlers, Unknown
from tieline_sandbox.deliveries import MOST_COPIES, MOST_EVENTS, Letter, Wish
from tieline_sandbox.notices import Notice, Outbox
from tieline_sandbox.posting import Delivered, post
from tieline_sandbox.quickbooks import webhooks as quickbooks
from tieline_sandbox.sandbox import Sandbox
from tieline_sandbox.xero import webhooks as xero


@dataclass(frozen=True, kw_only=True)
class _Told:
    """One app of a provider: what it is told of, how, where, and how long its answer may take."""

    client_id: str
    outbox: Outbox
    url: str | None
    seconds: float
    is_for: Callable[[Notice], bool]
    letters: Callable[[Sequence[Notice], Wish], list[Letter]]


def check_url(url: str | None) -> None:
    if url is not None and (urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname):
        raise Malformed("webhook_url", "must be the address of an app")


async def deliver_xero(sandbox: Sandbox, asked: Asked) -> Any:
    state, client_id = sandbox.state.xero, asked.path["client_id"]
    app = state.apps.get(client_id)
    if app is None:
        raise Unknown("app", client_id)
    told = _Told(
        client_id=client_id,
        outbox=sandbox.xero_outbox,
        url=app.webhook_url,
        seconds=xero.SECONDS,
        is_for=lambda notice: xero.is_told(state, client_id, notice),
        letters=lambda notices, wish: xero.letters(app, notices, wish),
    )
    return await _deliver(told, asked)


async def deliver_quickbooks(sandbox: Sandbox, asked: Asked) -> Any:
    state, client_id = sandbox.state.quickbooks, asked.path["client_id"]
    app = state.apps.get(client_id)
    if app is None:
        raise Unknown("app", client_id)
    told = _Told(
        client_id=client_id,
        outbox=sandbox.quickbooks_outbox,
        url=app.webhook_url,
        seconds=quickbooks.SECONDS,
        is_for=lambda notice: quickbooks.is_told(state, client_id, notice),
        letters=lambda notices, wish: quickbooks.letters(app, notices, wish),
    )
    return await _deliver(told, asked)


async def _deliver(told: _Told, asked: Asked) -> Any:
    """What was answered, and how many events still wait: nothing comes before a delivery is taken that was not.

    What is only shown counts as taken.
    """
    wish: Wish = decode(Wish, asked.body)
    if not 0 < wish.copies <= MOST_COPIES or not 0 < wish.most <= MOST_EVENTS:
        raise Malformed("copies", f"must be 1 to {MOST_COPIES}, and most 1 to {MOST_EVENTS}")
    if told.url is None and wish.send:
        raise Malformed("webhook_url", "is not set for this app")
    notices = [] if wish.intent else told.outbox.batch(told.client_id, told.is_for, most=wish.most)
    written = [one for one in told.letters(notices, wish) for _ in range(wish.copies)]
    answers = await _posted(told, written) if wish.send else []
    is_taken = all(answer.status == HTTPStatus.OK for answer in answers)
    if is_taken and not wish.intent:
        told.outbox.acknowledge(told.client_id)
    return {
        "deliveries": [encode(answer) for answer in answers],
        "letters": [{"headers": one.headers, "body": one.body.decode()} for one in written],
        "events": len(notices),
        "waiting": len(told.outbox.waiting(told.client_id, told.is_for)),
    }


async def _posted(told: _Told, written: Sequence[Letter]) -> list[Delivered]:
    """Two of an intent to receive, or copies, do not wait for one another."""
    posts = (
        asyncio.to_thread(post, told.url or "", one.headers, one.body, seconds=told.seconds)
        for one in written
    )
    return list(await asyncio.gather(*posts))


HANDLERS: Handlers = {
    ("POST", "/apps/{client_id}/webhooks"): deliver_xero,
    ("POST", "/quickbooks/apps/{client_id}/webhooks"): deliver_quickbooks,
}
