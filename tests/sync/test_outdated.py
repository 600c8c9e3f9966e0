"""A refusal that was on its way while a person signed in again: it says nothing of the new consent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.sign_ins.conftest import desk, sandbox, sandbox_url
from tests.sign_ins.desk import Desk
from tests.support.books import Books
from tests.sync.scripted import Script, empty, reading
from tests.sync.synced import BOTH, Synced, connected
from tieline.connections.service import reconnect
from tieline.connections.states import Reason
from tieline.errors import AccessLost, ConsentGone, ProviderError, ScopeMissing, SubscriptionLapsed
from tieline.host import host
from tieline.plugins import Page
from tieline.sign_ins.service import complete_sign_in
from tieline.sync.runs import RunState

__all__ = ["desk", "sandbox", "sandbox_url"]

pytestmark = pytest.mark.usefixtures("opened")

ACCESS_LOST = {"status": 403, "body": {"Title": "Forbidden", "Detail": "AuthenticationUnsuccessful"}}
SCOPE_MISSING = {"status": 401, "body": {"Title": "Unauthorized", "Detail": "AuthorizationUnsuccessful"}}
every_refusal = pytest.mark.parametrize("refusal", [ACCESS_LOST, SCOPE_MISSING])


@pytest.fixture
async def client(desk: Desk) -> Synced:
    """A first run that has read one page."""
    made = await connected(desk)
    assert await made.slice(seconds=0) is not None
    return made


async def sign_in_again(client: Synced) -> None:
    """The same person consents anew, and the connection is reconnected with it."""
    sign_in_id, proof = await client.desk.consented(client.person, products=BOTH)
    await complete_sign_in(client.desk.admin, sign_in_id, proof)
    await reconnect(client.desk.admin, client.connection.id, sign_in_id)


@asynccontextmanager
async def signing_in_while_a_refusal_is_on_its_way(client: Synced) -> AsyncIterator[None]:
    """The first answer that refuses has left the provider, and reaches nobody before somebody has signed in."""
    hooks = host().client.event_hooks
    refused: list[httpx.Response] = []

    async def hold(response: httpx.Response) -> None:
        if response.status_code in {401, 403} and not refused:
            refused.append(response)
            await sign_in_again(client)

    host().client.event_hooks = {**hooks, "response": [hold]}
    try:
        yield
    finally:
        host().client.event_hooks = hooks
    assert refused


async def expired(client: Synced) -> list[str]:
    return [kind for kind, _ in await client.desk.events("CONNECTION_EXPIRED")]


@every_refusal
async def test_a_refusal_of_before_leaves_a_fresh_consent_alone_and_the_run_goes_on(
    client: Synced, refusal: dict[str, Any]
) -> None:
    await client.desk.sandbox.plant("status", "accounting", **refusal)

    async with signing_in_while_a_refusal_is_on_its_way(client):
        again = await client.slice()

    assert again is not None
    assert await client.desk.reason(client.connection) is None
    run = await client.finish()
    assert (run.id, run.state) == (client.first, RunState.SUCCEEDED)
    assert await client.kept() == await client.truth()
    assert await expired(client) == []


@every_refusal
async def test_a_refusal_that_the_fresh_consent_meets_too_expires_the_connection_once(
    client: Synced, refusal: dict[str, Any]
) -> None:
    await client.desk.sandbox.plant("status", "accounting", times=2, **refusal)

    async with signing_in_while_a_refusal_is_on_its_way(client):
        assert await client.slice() is not None
    assert await client.slice() is None

    assert await client.desk.reason(client.connection) in {Reason.ACCESS_LOST, Reason.SCOPE_MISSING}
    assert (await client.run()).state is RunState.FAILED
    assert await expired(client) == ["CONNECTION_EXPIRED"]


@pytest.mark.parametrize("refusal", [AccessLost, ScopeMissing, SubscriptionLapsed, ConsentGone])
async def test_no_refusal_of_older_tokens_is_believed(
    books: Books, script: Script, refusal: type[ProviderError]
) -> None:
    client = await reading(books, script)

    async def renewed() -> Page:
        await books.sql.execute(
            "UPDATE credential SET version = version + 1 WHERE id = $1", client.connection.credential_id
        )
        raise refusal("pretend")

    script.answers["accounts", None] = [renewed, empty()]

    assert await client.slice() is not None
    assert await client.reason() is None
    assert await client.slice() is None

    assert (await client.run()).state is RunState.SUCCEEDED
    assert await books.kinds() == ["SYNC_SUCCEEDED"]
