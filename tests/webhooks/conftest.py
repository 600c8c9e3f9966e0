"""What the tests of webhooks share: an app at each provider, and a provider that tells what a test says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from starlette.applications import Starlette

from tests.support.books import DATA_HEALTH, Books
from tests.support.deployment import Deployment, Gateway
from tests.support.jobs import JobTable
from tests.support.polling import WAIT_SECONDS
from tests.sync.scripted import Reading, reading, scripted
from tests.webhooks.desk import INTUIT, SECRET, XERO, Desk, Way, desk_at, signature
from tests.webhooks.telling import Tell, Telling
from tieline.credentials.apps.service import set_webhook_secret
from tieline.vault import Secret
from tieline_gateway.metrics import Metrics
from tieline_gateway.routes.webhooks import WebhookRoute


@pytest.fixture(params=[XERO, INTUIT], ids=lambda way: way.provider)
def way(request: pytest.FixtureRequest) -> Way:
    found: Way = request.param
    return found


@pytest.fixture
async def desk(way: Way, books: Books, gateway: Gateway) -> AsyncIterator[Desk]:
    async with desk_at(way, books, gateway.url) as made:
        yield made


@pytest.fixture
def script(opened: Deployment) -> Iterator[Telling]:  # noqa: ARG001 - must be open
    made = Telling()
    with scripted(made):
        yield made


@pytest.fixture
async def client(books: Books, script: Telling, jobs: JobTable) -> Reading:  # noqa: ARG001 - an empty table
    """A client of whom accounts and invoices are read; its first run is queued."""
    await set_webhook_secret(books.practice_id, "pretend", Secret(SECRET))
    return await reading(books, script, product=DATA_HEALTH)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=[WebhookRoute(metrics=Metrics(), seconds=WAIT_SECONDS).route()])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as made:
        yield made


@pytest.fixture
def tell(client: Reading, http: httpx.AsyncClient) -> Tell:
    """The provider tells that these feeds were touched."""

    async def told(*feeds: str) -> None:
        body = json.dumps([client.external_id, *feeds]).encode()
        path = f"/webhooks/pretend/{client.books.apps['pretend']}"
        answer = await http.post(path, content=body, headers={"x-signature": signature(body)})
        assert answer.status_code == 200

    return told
