"""Books at the pretended Intuit, read over HTTP: all of them, in the calls that the README promises, none missed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import httpx
import pytest

from tests.plugins.quickbooks_books import Books, Sandbox, opened
from tests.plugins.readmes import table
from tests.sandbox.conftest import started


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with started(tmp_path_factory.mktemp("quickbooks") / "log") as sandbox:
        yield sandbox.url


@pytest.fixture
async def sandbox(running: str) -> AsyncIterator[Sandbox]:
    async with httpx.AsyncClient(base_url=running, timeout=60) as http:
        made = Sandbox(http=http)
        await made.control("POST", "/reset")
        yield made


@pytest.fixture
async def books(sandbox: Sandbox) -> AsyncIterator[Books]:
    """Small ones, read once."""
    async with opened(sandbox) as made:
        await made.again()
        yield made


async def test_a_first_reading_brings_all_and_another_one_costs_one_call(books: Books) -> None:
    await books.assert_whole()
    await books.sandbox.move(timedelta(days=1))

    assert await books.again() == ["cdc"]

    await books.assert_whole()


async def test_a_first_sync_and_one_without_changes_cost_what_the_readme_says(sandbox: Sandbox) -> None:
    (_, *columns), *rows = table("quickbooks", "What it costs", first="Feed")
    async with opened(sandbox, **dict.fromkeys(("accounts", "bills", "invoices"), 900)) as books:
        made: dict[str, list[list[str]]] = {feed: [] for feed, *_ in rows}
        for _ in ("first", "again"):
            for feed in ("organisation", "tax_rates"):
                made[feed].append((await books.snapshot(feed))[1])
            made["changes"].append(await books.again())
            await books.sandbox.move(timedelta(days=1))

    assert columns[:2] == ["Nothing changed", "First time, 900 records"]
    assert {feed: [len(again), len(first)] for feed, (first, again) in made.items()} == {
        feed: [int(unchanged), int(first)] for feed, unchanged, first, _ in rows
    }
    assert [*made["organisation"][1], *made["tax_rates"][1], *made["changes"][1]] == [
        *("companyinfo", "query"),
        *["query"] * 3,
        "cdc",
    ]


async def test_the_company_its_preferences_and_all_about_taxes_are_snapshots(books: Books) -> None:
    organisation, _ = await books.snapshot("organisation")
    taxes, _ = await books.snapshot("tax_rates")

    truth = await books.truth()
    record, preferences = organisation.records
    assert (record.external_id, record.name) == (books.realm, truth["company_info"]["CompanyName"])
    assert (preferences.dataset, preferences.external_id) == ("preferences", books.realm)
    assert {(one.dataset, one.external_id) for one in taxes.records} == {
        *(("tax_rates", one["Id"]) for one in truth["tax_codes"]),
        *(("tax_agencies", one["Id"]) for one in truth["tax_agencies"]),
    }


async def test_changes_and_deletions_come(books: Books) -> None:
    truth = await books.truth()
    bill, invoice, vendor = (truth[name][0]["Id"] for name in ("bills", "invoices", "vendors"))
    await books.sandbox.move(timedelta(hours=1))
    await books.edit("bills", id=bill, deleted=True)
    await books.edit("invoices", id=invoice, change={"DocNumber": "NEW"})
    await books.edit("vendors", id=vendor, deactivated=True)
    await books.edit("customers", create={"DisplayName": "Ashford Timber"})

    assert await books.again() == ["cdc"]

    await books.assert_whole()
    assert books.kept.records["invoices", invoice].code == "NEW"
    assert books.kept.records["contacts", f"vendor-{vendor}"].active is False


async def test_where_change_data_capture_reaches_its_cap_nothing_is_missed(books: Books) -> None:
    truth = await books.truth()
    await books.sandbox.move(timedelta(hours=1))
    await books.edit("bills", create={"DocNumber": "B-1"}, times=1010)
    await books.edit("payments", id=truth["payments"][0]["Id"], deleted=True)
    await books.edit("bills", id=truth["bills"][0]["Id"], deleted=True)

    calls = await books.again()

    assert calls.count("cdc") == 20
    held = {id_ for dataset, id_ in books.kept.records if dataset == "bills"}
    assert {one["Id"] for one in (await books.truth())["bills"]} <= held
    await books.again()
    await books.assert_whole()


async def test_a_cursor_older_than_thirty_days_has_all_read_and_deletions_found(books: Books) -> None:
    truth = await books.truth()
    await books.edit("bills", id=truth["bills"][0]["Id"], deleted=True)
    await books.sandbox.move(timedelta(days=31))
    await books.edit("invoices", id=truth["invoices"][1]["Id"], change={"DocNumber": "NEW"})

    calls = await books.again()

    assert calls == ["query"] * 19 + ["cdc"]
    await books.assert_whole()


async def test_large_books_are_read_in_pages(sandbox: Sandbox) -> None:
    async with opened(sandbox, invoices=2500, bills=1200) as books:
        calls = await books.again()

        await books.assert_whole()
        assert calls == ["query"] * 22 + ["cdc"]
