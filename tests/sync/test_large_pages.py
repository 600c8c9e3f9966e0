"""Pages that are larger than what is read at once: they are asked for again in halves, as far as that goes."""

from __future__ import annotations

from collections import Counter
from unittest.mock import patch
from urllib.parse import parse_qs

import pytest

from tests.sign_ins.conftest import desk, sandbox, sandbox_url
from tests.sign_ins.desk import Desk
from tests.sync.scripted import Reading, Script, page, record
from tests.sync.synced import PAGES, Synced, connected
from tieline.sync.runs import RunState

__all__ = ["desk", "sandbox", "sandbox_url"]

pytestmark = pytest.mark.usefixtures("opened")

TOO_LARGE = (
    "Even 25 records of accounts are more than the 10,000 bytes that are read at once: "
    "make the largest of them smaller at pretend."
)
LARGE = page(*(record(str(each), data={"id": "x" * 1_000}) for each in range(20)), cursor="1", last=True)


async def sizes_asked(client: Synced, resource: str) -> list[int]:
    found = [entry for entry in await client.calls() if entry["resource"] == resource]
    return [int(parse_qs(entry["query"])["pageSize"][0]) for entry in found]


async def test_books_whose_pages_are_too_large_are_read_in_smaller_ones(desk: Desk) -> None:
    client = await connected(desk, PAGES)

    with patch("tieline.plugins.session.MAX_ANSWER_BYTES", 600_000):
        run = await client.finish()

    assert run.state is RunState.SUCCEEDED
    assert await client.kept() == await client.truth()
    sizes = Counter(await sizes_asked(client, "Invoices"))
    assert sizes[1000] == 1
    assert [size for size in sizes if sizes[size] > 1] == [min(sizes)]
    assert sum(each.calls for each in run.feeds) == len(await client.calls())


async def test_the_next_run_asks_for_as_much_as_ever(desk: Desk) -> None:
    client = await connected(desk)
    with patch("tieline.plugins.session.MAX_ANSWER_BYTES", 30_000):
        await client.finish()
    before = await sizes_asked(client, "Invoices")

    assert (await client.again()).state is RunState.SUCCEEDED

    assert min(before) < 1000
    assert (await sizes_asked(client, "Invoices"))[len(before) :] == [1000]


async def test_what_is_too_large_in_the_smallest_pages_ends_the_run_with_a_sentence(desk: Desk) -> None:
    client = await connected(desk)
    lists = 8
    await desk.sandbox.plant("status", "accounting", after=lists, times=99, status=200, body="x" * 50_000)

    with patch("tieline.plugins.session.MAX_ANSWER_BYTES", 40_000):
        run = await client.finish()

    assert (run.state, run.reason) == (RunState.FAILED, "PROVIDER_BROKEN")
    assert run.message == (
        "Even 25 records of invoices are more than the 40,000 bytes that are read at once: "
        "make the largest of them smaller at xero."
    )
    assert await sizes_asked(client, "Invoices") == [1000, 500, 250, 125, 62, 31, 25]
    assert len(await client.calls()) == lists + 7


async def test_a_page_of_the_plugin_that_is_too_large_is_asked_for_in_halves(
    client: Reading, script: Script
) -> None:
    script.of = 100
    small = page(record("a"), cursor="1", last=True)
    script.answers = {("accounts", None): [LARGE, LARGE, small]}

    with patch("tieline.sync.intake.MAX_BYTES", 10_000):
        while await client.slice() is not None:
            pass

    run = await client.run()
    assert (run.state, run.feeds[0].calls) == (RunState.SUCCEEDED, 3)
    assert script.sizes == [100, 50, 25, 100]  # the last is of another feed
    assert await client.ids() == ["a"]


@pytest.mark.parametrize(
    ("of", "sentence"),
    [(None, "The plugin pretend gave more than 10,000 bytes in one page."), (100, TOO_LARGE)],
)
async def test_a_page_of_the_plugin_that_stays_too_large_ends_the_run(
    client: Reading, script: Script, of: int | None, sentence: str
) -> None:
    script.of = of
    script.answers["accounts", None] = LARGE

    with patch("tieline.sync.intake.MAX_BYTES", 10_000):
        while await client.slice() is not None:
            pass

    run = await client.run()
    assert (run.state, run.reason, run.message) == (RunState.FAILED, "PLUGIN", sentence)
    assert await client.ids() == []
