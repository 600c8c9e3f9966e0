"""Syncs are counted: runs by how they ended, pages, and what was in them."""

from __future__ import annotations

from tests.support.counted import Counted
from tests.support.jobs import calendar
from tests.sync.scripted import Reading, Script, page, record
from tieline.clients.service import delete_client
from tieline.errors import ProviderBroken, QuotaSpent
from tieline.plugins import Page, SetAside
from tieline.sync.runs import RunState

RUNS = "tieline_sync_runs_total"
SUCCESSES = "tieline_sync_run_seconds_count"


async def test_a_run_that_succeeds_counts_once_and_each_of_its_pages_with_what_was_in_it(
    client: Reading, script: Script
) -> None:
    script.answers = {
        ("accounts", None): page(record("a"), record("b"), cursor="1"),
        ("accounts", "1"): page(
            record("c"),
            gone=[("accounts", "b")],
            set_aside=[SetAside(dataset="accounts", external_id="d", why="no name")],
            cursor="2",
            last=True,
        ),
    }
    counted = Counted()

    await client.slice(seconds=0)
    assert counted.more(RUNS) == {}
    assert counted.more("tieline_sync_pages_total") == {("pretend",): 1}
    assert await client.slice() is None

    assert counted.more(RUNS) == {("succeeded", "pretend", "CONNECT"): 1}
    assert counted.more(SUCCESSES) == {("pretend",): 1}
    assert counted.more("tieline_sync_pages_total") == {("pretend",): 3}
    assert counted.more("tieline_sync_records_total") == {
        ("seen", "pretend"): 4,
        ("changed", "pretend"): 4,
        ("gone", "pretend"): 1,
        ("set_aside", "pretend"): 1,
    }


async def test_a_run_that_fails_counts_as_failed_and_one_that_pauses_not_at_all(
    client: Reading, script: Script
) -> None:
    counted = Counted()
    script.answers["accounts", None] = QuotaSpent("pretend", limit="day", resume_at=await calendar())
    await client.slice()
    paused = counted.more(RUNS)
    script.answers["accounts", None] = ProviderBroken("pretend", "nothing we know")

    await client.slice()

    assert paused == {}
    assert (await client.run()).state is RunState.FAILED
    assert counted.more(RUNS) == {("failed", "pretend", "CONNECT"): 1}
    assert counted.more(SUCCESSES) == {}


async def test_a_run_that_somebody_ends_while_it_is_read_counts_as_stopped(
    client: Reading, script: Script
) -> None:
    async def ended() -> Page:
        await delete_client(client.books.admin, client.connection.client_id)
        return page(record("a"), last=True)

    script.answers["accounts", None] = ended
    counted = Counted()

    await client.slice()

    assert counted.more(RUNS) == {("stopped", "pretend", "CONNECT"): 1}
    assert counted.more("tieline_sync_pages_total") == {}
