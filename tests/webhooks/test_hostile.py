"""Deliveries that nobody should believe, each beside a twin that lacks only the fault: the one changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

import httpx
import pytest
from starlette.applications import Starlette

from tests.support.books import Books
from tests.support.deployment import Deployment, Gateway
from tests.support.polling import WAIT_SECONDS
from tests.webhooks.desk import SECRET, XERO, Desk, desk_at, signature
from tieline.ids import new_id
from tieline_gateway.metrics import Metrics
from tieline_gateway.routes.webhooks import MAX_DELIVERY_BYTES, WebhookRoute

Fault: TypeAlias = Callable[[Desk, bytes], Awaitable[httpx.Response]]
NOTHING: tuple[int, list[str], int] = (0, [], 0)


async def of_another_secret(desk: Desk, body: bytes) -> httpx.Response:
    return await desk.http.post(desk.path, content=body, headers=desk.signed(body, secret=f"{SECRET}2"))


async def unsigned(desk: Desk, body: bytes) -> httpx.Response:
    return await desk.http.post(desk.path, content=body)


async def signed_with_nothing(desk: Desk, body: bytes) -> httpx.Response:
    return await desk.http.post(desk.path, content=body, headers={desk.way.header: ""})


async def one_byte_more(desk: Desk, body: bytes) -> httpx.Response:
    return await desk.http.post(desk.path, content=body + b" ", headers=desk.signed(body))


async def without_its_padding(desk: Desk, body: bytes) -> httpx.Response:
    bare = signature(body).rstrip("=")
    return await desk.http.post(desk.path, content=body, headers={desk.way.header: bare})


async def signed_twice(desk: Desk, body: bytes) -> httpx.Response:
    twice = [(desk.way.header, signature(body)), (desk.way.header, "AAAA")]
    return await desk.http.post(desk.path, content=body, headers=twice)


async def by_get(desk: Desk, body: bytes) -> httpx.Response:
    return await desk.http.request("GET", desk.path, content=body, headers=desk.signed(body))


async def at_another_app(desk: Desk, body: bytes) -> httpx.Response:
    return await desk.post(body, path=f"/webhooks/{desk.way.provider}/{new_id()}")


async def at_no_app(desk: Desk, body: bytes) -> httpx.Response:
    return await desk.post(body, path=f"/webhooks/{desk.way.provider}/x%00y")


async def at_another_provider(desk: Desk, body: bytes) -> httpx.Response:
    other = "quickbooks" if desk.way is XERO else "xero"
    return await desk.post(body, path=f"/webhooks/{other}/{desk.app_id}")


async def at_no_provider(desk: Desk, body: bytes) -> httpx.Response:
    return await desk.post(body, path=f"/webhooks/nobody/{desk.app_id}")


async def too_long(desk: Desk, body: bytes) -> httpx.Response:
    return await desk.post(body + b" " * MAX_DELIVERY_BYTES)


async def too_long_without_saying_so(desk: Desk, body: bytes) -> httpx.Response:
    long = body + b" " * MAX_DELIVERY_BYTES

    async def chunks() -> AsyncIterator[bytes]:
        yield long[:1_000]
        yield long[1_000:]

    return await desk.http.post(desk.path, content=chunks(), headers=desk.signed(long))


REFUSED: tuple[Fault, ...] = (
    of_another_secret,
    unsigned,
    signed_with_nothing,
    one_byte_more,
    without_its_padding,
    signed_twice,
)
STATUSES: dict[Fault, int] = {
    by_get: 405,
    at_another_app: 404,
    at_no_app: 404,
    at_another_provider: 404,
    at_no_provider: 404,
    too_long: 413,
    too_long_without_saying_so: 413,
}


@pytest.mark.parametrize("fault", [*REFUSED, *STATUSES], ids=lambda fault: fault.__name__)
async def test_a_fault_is_refused_as_the_provider_wants_it_and_its_twin_is_taken(
    desk: Desk, fault: Fault
) -> None:
    body = desk.body()

    refused = await fault(desk, body)
    after = await desk.kept()
    taken = await desk.post(body)

    assert refused.status_code == STATUSES.get(fault, desk.way.refusal)
    assert after == NOTHING
    assert taken.status_code == 200
    assert await desk.kept() == (1, [desk.way.feed], 1)
    for answer in (refused, taken):
        assert answer.content == b""
        assert "set-cookie" not in answer.headers


async def test_an_app_without_a_secret_is_as_unknown_as_one_that_is_not_there(
    desk: Desk, other_books: Books, gateway: Gateway
) -> None:
    async with desk_at(desk.way, other_books, gateway.url, secret=None) as deaf:
        unset, unknown = await deaf.post(deaf.body()), await at_another_app(deaf, deaf.body())

    assert (unset.status_code, unset.content) == (unknown.status_code, unknown.content) == (404, b"")
    assert await deaf.kept() == NOTHING


async def test_what_another_practices_provider_signs_opens_nothing_here(
    desk: Desk, other_books: Books, gateway: Gateway
) -> None:
    async with desk_at(
        desk.way, other_books, gateway.url, external_id=desk.external_id, secret="of-another-practice"
    ) as other:
        body = desk.body()

        refused = await desk.post(body, path=other.path)
        taken = await desk.post(body)

    assert (refused.status_code, taken.status_code) == (desk.way.refusal, 200)
    assert await other.kept() == NOTHING
    assert await desk.kept() == (1, [desk.way.feed], 1)


async def test_a_body_that_does_not_arrive_is_not_waited_for(desk: Desk, opened: Deployment) -> None:
    del opened  # this process answers
    metrics = Metrics()
    app = Starlette(routes=[WebhookRoute(metrics=metrics, seconds=WAIT_SECONDS, body_seconds=0.05).route()])
    body = desk.body()

    async def halting() -> AsyncIterator[bytes]:
        yield body[:10]
        await asyncio.Event().wait()

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as http:
        late = await http.post(desk.path, content=halting(), headers=desk.signed(body))
        in_time = await http.post(desk.path, content=body, headers=desk.signed(body))

    assert (late.status_code, late.content) == (408, b"")
    assert in_time.status_code == 200
    counted = {
        sample.labels["outcome"]: sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "tieline_webhooks_total"
    }
    assert counted == {"too_late": 1, "accepted": 1}


def told_otherwise(desk: Desk) -> dict[str, bytes]:
    """Bodies that are signed and concern nobody here."""
    known = desk.body()
    return {
        "nothing": b"",
        "no JSON": b"<html></html>",
        "no UTF-8": b'{"events": "\xff"}',
        "null": b"null",
        "an empty object": b"{}",
        "an empty array": b"[]",
        "events that are none": b'{"events": [null, 1, {}, {"eventCategory": 7}], "eventNotifications": [{}]}',
        "arrays within arrays": b"[" * 100_000,
        "a word nobody knows": known.replace(b"INVOICE", b"NOVELTY").replace(b"qbo.invoice", b"qbo.novelty"),
        "an organisation nobody knows": desk.body(organisation="nobody"),
        "an organisation with a NUL": desk.body(organisation="x\x00y"),
        "half of a character": known.replace(desk.external_id.encode(), b"\\ud800"),
    }


async def test_what_is_signed_and_concerns_nobody_is_answered_and_changes_nothing(desk: Desk) -> None:
    for what, body in told_otherwise(desk).items():
        answer = await desk.post(body)

        assert (answer.status_code, answer.content) == (200, b""), what
        assert await desk.kept() == NOTHING, what


async def test_organisations_that_serve_nobody_or_are_of_another_environment_are_not_touched(
    desk: Desk,
) -> None:
    ours = "UPDATE organisation SET environment = $2, client_id = $3 WHERE id = $1"
    client_id = (await desk.books.row("organisation", desk.organisation_id))["client_id"]
    for environment, client in (("LIVE", client_id), ("SANDBOX", None)):
        await desk.books.sql.execute(ours, desk.organisation_id, environment, client)
        assert (await desk.post(desk.body())).status_code == 200
        assert await desk.kept() == NOTHING

    await desk.books.sql.execute(ours, desk.organisation_id, "SANDBOX", client_id)

    assert (await desk.post(desk.body())).status_code == 200
    assert await desk.kept() == (1, [desk.way.feed], 1)
