"""What the story of `tieline up` sees of syncs: it is told of them live, and compares books by their amounts too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from rich.console import Console

from tests.support.deployment import Gateway
from tests.support.firm import Firm
from tests.support.jobs import JobTable
from tests.support.sandbox import Sandbox
from tests.support.syncing import Connected, connected
from tieline.cli.story.api import Api, BrokeOff
from tieline.cli.story.board import Row, read_board
from tieline.cli.story.comparing import equal_to_books
from tieline.cli.story.live import live
from tieline.cli.story.losing import found_expired
from tieline.cli.story.provider import Sandbox as Stage
from tieline.cli.story.syncing import see_syncs_rest
from tieline.ids import new_id

NAME = "Ashford Bakery Ltd"


@pytest.fixture
async def client(firm: Firm, sandbox: Sandbox, jobs: JobTable) -> AsyncIterator[Connected]:  # noqa: ARG001 - empty
    async with connected(firm, sandbox, NAME) as made:
        yield made


@pytest.fixture
def api(gateway: Gateway, firm: Firm) -> Iterator[Api]:
    with Api(url=gateway.url, key=firm.admin.key, watch=lambda: None) as api:
        yield api


@pytest.fixture
def stage(sandbox: Sandbox) -> Iterator[Stage]:
    with Stage(url=sandbox.url) as stage:
        yield stage


def told_of(api: Api, run_id: str) -> list[dict[str, Any]]:
    """All that is told of this sync."""
    told = []
    with live(api) as progress:
        progress.follow([run_id])
        while progress.open:
            told.append(progress.next())
    return [run for run in told if run is not None]


async def synced(api: Api, client: Connected, start: Callable[..., Any]) -> Row:
    start("worker")
    start("scheduler")
    told = await asyncio.wait_for(asyncio.to_thread(told_of, api, client.run["id"]), timeout=60)
    row = (await asyncio.to_thread(read_board, api)).of(NAME)
    assert {run["id"] for run in told} == {client.run["id"]}
    assert told[-1] == row.run
    assert row.state == "SUCCEEDED"
    return row


ALTERED = {
    ("invoices", "InvoiceID"): "Total",
    ("credit_notes", "CreditNoteID"): "Total",
    ("prepayments", "PrepaymentID"): "Total",
    ("payments", "PaymentID"): "Amount",
    ("bank_transfers", "BankTransferID"): "Amount",
}


async def test_another_amount_makes_books_unequal_although_their_number_agrees(
    client: Connected, api: Api, stage: Stage, start: Callable[..., Any]
) -> None:
    row = await synced(api, client, start)
    books = await client.ledger.books()
    seen = [await asyncio.to_thread(equal_to_books, api, stage, [row])]

    for (dataset, id_field), amount in ALTERED.items():
        one = next(one for one in books[dataset] if one["Status"] != "DELETED")
        for value in (0.01, float(one[amount])):
            await client.ledger.edit(dataset, id=one[id_field], change={amount: value})
            seen.append(await asyncio.to_thread(equal_to_books, api, stage, [row]))

    assert seen == [[row], *[[], [row]] * len(ALTERED)]


async def test_a_step_that_takes_too_long_says_what_it_was_waiting_for(client: Connected, api: Api) -> None:
    assert client.run["state"] == "QUEUED"

    with pytest.raises(BrokeOff, match=f"^After 0 seconds syncs are still under way: {NAME}.$"):
        await asyncio.to_thread(see_syncs_rest, api, Console(quiet=True), seconds=0)
    with pytest.raises(BrokeOff, match=f"^The sweep did not find {NAME} expired within 0 seconds.$"):
        await asyncio.to_thread(found_expired, api, NAME, sweep=lambda: None, seconds=0)


def test_a_sync_that_nothing_is_told_of_ends_the_story_instead_of_being_asked_for_again(api: Api) -> None:
    with pytest.raises(BrokeOff, match=r"^The API does not tell of a sync: There is no"):
        told_of(api, str(new_id()))
