"""What is told is taken down once, for the practice whose address it came to, and forgotten in time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from tests.support.books import Books
from tests.support.deployment import Deployment, Gateway
from tests.support.polling import WAIT_SECONDS
from tests.webhooks.desk import INTUIT, XERO, Desk, desk_at
from tieline import host
from tieline.credentials.apps.service import set_webhook_secret
from tieline.plugins import Registry, WebhookEvent
from tieline.vault import Secret
from tieline.webhooks.actors import prune_webhooks
from tieline_gateway.metrics import Metrics
from tieline_gateway.routes.webhooks import WebhookRoute
from tieline_xero import Xero

MARK = "2026-05-04T03:02:01.000"


@asynccontextmanager
async def answering(registry: Registry) -> AsyncIterator[tuple[httpx.AsyncClient, Metrics]]:
    """This process takes webhooks, with these plugins."""
    before, metrics = host.host(), Metrics()
    app = Starlette(routes=[WebhookRoute(metrics=metrics, seconds=WAIT_SECONDS).route()])
    host.install(replace(before, registry=registry))
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as http:
            yield http, metrics
    finally:
        host.install(before)


async def due_at(desk: Desk) -> Any:
    return await desk.books.sql.fetchval(
        "SELECT due_at FROM job WHERE practice_id = $1 AND actor = 'webhooks.sync_touched'",
        desk.books.practice_id,
    )


async def test_told_again_it_is_known_and_told_more_it_is_still_one_sync_due_as_at_first(
    desk: Desk,
) -> None:
    body = desk.body(MARK)
    await desk.post(body)
    due = await due_at(desk)

    again = await desk.post(body)
    more = await desk.post(desk.body())

    assert (again.status_code, more.status_code) == (200, 200)
    assert await desk.kept() == (2, [desk.way.feed], 1)
    assert await due_at(desk) == due


async def test_what_was_read_already_is_not_read_again_when_it_is_told_again(desk: Desk) -> None:
    body = desk.body(MARK)
    await desk.post(body)
    for table in ("webhook_touch", "job"):
        await desk.books.sql.execute(f"DELETE FROM {table} WHERE practice_id = $1", desk.books.practice_id)

    again = await desk.post(body)

    assert again.status_code == 200
    assert await desk.kept() == (1, [], 0)


async def test_a_thousand_copies_at_once_are_one(books: Books, gateway: Gateway) -> None:
    async with desk_at(INTUIT, books, gateway.url) as desk:
        body = desk.body(MARK)

        async def deliver() -> None:
            for _ in range(50):
                while (status := (await desk.post(body)).status_code) != 200:
                    assert status in {408, 503}  # who is not taken in time is to come again

        await asyncio.gather(*(deliver() for _ in range(20)))

        assert await desk.kept() == (1, ["changes"], 1)


async def test_of_two_practices_with_the_same_organisation_the_one_that_is_addressed_is_touched(
    desk: Desk, other_books: Books, gateway: Gateway
) -> None:
    async with desk_at(desk.way, other_books, gateway.url, external_id=desk.external_id) as other:
        body = desk.body(MARK)
        await desk.post(body)
        before = await other.kept()

        await other.post(body)

        assert before == (0, [], 0)
        assert await desk.kept() == await other.kept() == (1, [desk.way.feed], 1)


async def test_events_that_nothing_tells_apart_count_each_time(desk: Desk) -> None:
    told = json.loads(desk.body(MARK))
    event = told["events"][0] if desk.way is XERO else told[0]
    del event["eventDateUtc" if desk.way is XERO else "id"]
    body = json.dumps(told).encode()

    answers = [await desk.post(body) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert await desk.kept() == (0, [desk.way.feed], 1)


async def test_one_delivery_of_several_organisations_touches_those_that_are_ours(
    books: Books, gateway: Gateway
) -> None:
    async with desk_at(INTUIT, books, gateway.url) as desk:
        second = await books.organisation("Other Books", provider="quickbooks")
        await books.sql.execute(
            "UPDATE organisation SET client_id = $2 WHERE id = $1", second, (await books.client("Other")).id
        )
        realms = [desk.external_id, "nobody", (await books.row("organisation", second))["external_id"]]
        body = json.dumps([json.loads(desk.body(organisation=realm))[0] for realm in realms]).encode()

        answer = await desk.post(body)

        assert answer.status_code == 200
        assert await desk.kept() == (2, ["changes", "changes"], 2)


async def test_a_new_secret_holds_at_once_and_the_old_one_no_more(desk: Desk) -> None:
    await set_webhook_secret(desk.books.practice_id, desk.way.provider, Secret("another"))
    body = desk.body()

    old = await desk.post(body)
    new = await desk.http.post(desk.path, content=body, headers=desk.signed(body, secret="another"))
    await set_webhook_secret(desk.books.practice_id, desk.way.provider, None)
    gone = await desk.http.post(desk.path, content=body, headers=desk.signed(body, secret="another"))

    assert [each.status_code for each in (old, new, gone)] == [desk.way.refusal, 200, 404]


async def test_what_was_told_is_forgotten_after_its_time_and_not_before(desk: Desk, clock: Any) -> None:
    await desk.post(desk.body(MARK))
    await prune_webhooks.function(keep_days=35)
    kept = await desk.books.count("webhook_event")
    await clock(timedelta(days=35, minutes=1))
    await desk.post(desk.body())

    await prune_webhooks.function(keep_days=35)

    assert kept == 1
    assert await desk.books.count("webhook_event") == 1


class Careless(Xero):
    """Says what it is told to say of any delivery."""

    def parse_webhook(self, *_: Any) -> Any:
        said = SAID.pop()
        if isinstance(said, BaseException):
            raise said
        return said


SAID: list[Any] = []


async def test_a_plugin_that_breaks_its_contract_changes_nothing_and_the_provider_comes_again(
    opened: Deployment, books: Books, gateway: Gateway
) -> None:
    del opened  # this process answers
    async with desk_at(XERO, books, gateway.url) as desk, answering(Registry.of(Careless())) as (http, _):
        faults: list[Any] = [ValueError("what was sent"), SystemExit(), KeyboardInterrupt()]
        for said in (*faults, "no list", [None], {"organisation": desk.external_id}):
            SAID.append(said)
            assert (await http.post(desk.path, content=b"")).status_code == 500
        nothing = await desk.kept()
        feeds = ("invoices", "of another plugin", "contacts")
        SAID.append([WebhookEvent(id="x" * 10_000, organisation=desk.external_id, feeds=feeds)])
        taken = await http.post(desk.path, content=b"")

        assert nothing == (0, [], 0)
        assert taken.status_code == 200
        assert await desk.kept() == (1, ["contacts", "invoices"], 1)


async def test_a_secret_that_does_not_open_is_the_operators_trouble_and_nobody_is_believed(
    opened: Deployment, books: Books, gateway: Gateway
) -> None:
    del opened
    async with desk_at(XERO, books, gateway.url) as desk, answering(Registry.of(Xero())) as (http, metrics):
        await books.sql.execute(
            "UPDATE provider_app SET webhook_secret_sealed = 'changed' WHERE id = $1", desk.app_id
        )
        body = desk.body()

        answer = await http.post(desk.path, content=body, headers=desk.signed(body))

        assert answer.status_code == 500
        assert await desk.kept() == (0, [], 0)
        assert metrics.webhooks.labels("none", "failed")._value.get() == 1


async def test_deliveries_are_counted_by_what_became_of_them_and_never_logged(
    desk: Desk, gateway: Gateway
) -> None:
    before = await figures(desk)
    body = desk.body(f"{MARK}-never-logged")

    await desk.post(body)
    await desk.post(body)
    await desk.post(desk.body(organisation="nobody-never-logged"))
    await desk.http.post(desk.path, content=body)
    after = await figures(desk)

    gained = {outcome: after[outcome] - before.get(outcome, 0) for outcome in after}
    assert {outcome: more for outcome, more in gained.items() if more} == {
        "accepted": 1,
        "repeated": 1,
        "unconcerned": 1,
        "refused": 1,
    }
    assert (
        'tieline_http_requests_total{route="/webhooks",status="200"}'
        in (await desk.http.get("/metrics")).text
    )
    logged = gateway.process.logged()
    assert f'"app_id": "{desk.app_id}"' in logged
    assert "never-logged" not in logged
    assert not any(desk.signed(body)[desk.way.header] in line for line in logged.splitlines())


async def figures(desk: Desk) -> dict[str, float]:
    """This provider's deliveries so far, by outcome."""
    text = (await desk.http.get("/metrics")).text
    start = 'tieline_webhooks_total{outcome="'
    rows = [line for line in text.splitlines() if line.startswith(start)]
    ours = [row for row in rows if f'provider="{desk.way.provider}"' in row]
    return {row.removeprefix(start).partition('"')[0]: float(row.rpartition(" ")[2]) for row in ours}


@pytest.mark.parametrize("path", ["/webhooks", "/webhooks/xero", "/webhooks/xero/x/y"])
async def test_other_addresses_are_not_there(desk: Desk, path: str) -> None:
    assert (await desk.post(desk.body(), path=path)).status_code == 404
