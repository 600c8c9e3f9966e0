"""What a page of records costs, in a practice that the planner knows and in one that it has not seen yet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from tests.ledger.shelf import page_of
from tests.support.books import Books, open_books, pretending
from tests.support.deployment import Deployment
from tests.support.plans import explained, handled, sent_by
from tests.support.rows import Filler
from tieline.connections.repository import Connection
from tieline.ids import OrganisationId
from tieline.ledger.datasets import Dataset
from tieline.principal import ClientRole, Principal

DOCUMENTS = (Dataset.INVOICES, Dataset.BILLS, Dataset.BANK_TRANSACTIONS)
FILLED = (Dataset.ACCOUNTS, Dataset.CONTACTS, Dataset.ITEMS, Dataset.TAX_RATES, Dataset.PAYMENTS, *DOCUMENTS)
FILL = """
INSERT INTO ledger_record (practice_id, organisation_id, dataset, external_id, sort_key, active, data, hash, generation,
                           changed_at, deleted_at)
SELECT $1, o.id, d.dataset, md5(n::text), lpad((n % 97)::text, 4, '0'), n % 5 <> 0, '{}', '', 1, clock_timestamp(),
       CASE WHEN n % 10 = 0 THEN clock_timestamp() END
  FROM unnest($2::uuid[]) AS o (id), unnest($3::text[]) AS d (dataset), generate_series(1, $4) AS n
"""
EACH, LIVE = 1_000, 900


@pytest.fixture(scope="module")
async def crowd(opened: Deployment, sql: asyncpg.Connection) -> AsyncIterator[Books]:  # noqa: ARG001 - must be open
    """Ten practices of four organisations with records of every kind, all known to the planner; one of them."""
    with pretending():
        others = [await open_books(sql) for _ in range(10)]
        for each in others:
            await fill(each, await each.organisations("A", "B", "C", "D"), 100)
    await sql.execute("ANALYZE ledger_record")
    yield others[0]
    await (await Filler.over(sql)).forget(*(each.practice_id for each in others))
    await sql.execute("ANALYZE ledger_record")


@pytest.fixture
async def fresh(crowd: Books) -> Books:
    """A practice that the planner knows nothing of."""
    return await open_books(crowd.sql)


async def fill(books: Books, organisations: list[OrganisationId], count: int = EACH) -> None:
    await books.sql.execute(FILL, books.practice_id, organisations, list(FILLED), count)


async def far_into(caller: Principal, connection: Connection, *datasets: Dataset, **more: Any) -> str:
    """The cursor of a row far from the beginning."""
    page = await page_of(caller, connection, *datasets, first=200, **more)
    page = await page_of(caller, connection, *datasets, first=200, after=page.cursors[-1], **more)
    return page.cursors[-1]


@pytest.mark.parametrize("first", [1, 200])
@pytest.mark.parametrize("deep", [False, True], ids=["at the beginning", "far into it"])
@pytest.mark.parametrize("datasets", [(Dataset.CONTACTS,), DOCUMENTS], ids=["list", "documents"])
@pytest.mark.parametrize("known", [True, False], ids=["known", "unseen"])
async def test_a_page_is_one_statement_that_reads_a_page_along_the_index_and_counts_its_list_once(
    crowd: Books, fresh: Books, datasets: tuple[Dataset, ...], first: int, *, deep: bool, known: bool
) -> None:
    books = crowd if known else fresh
    client = await books.client("Acme")
    mine = await books.connected(client, await books.organisation("Acme"))
    await fill(books, [mine.organisation_id, await books.organisation("Bolt")])
    caller = await books.of_client(client, ClientRole.READER)
    after = await far_into(caller, mine, *datasets) if deep else None

    sent = await sent_by(lambda: page_of(caller, mine, *datasets, first=first, after=after))

    nodes = await explained(books.practice_id, sent)
    scans = [node for node in nodes if node.get("Relation Name") == "ledger_record"]
    page, count = sorted(scans, key=handled)
    assert page["Index Name"] == "ledger_record_listed", page
    assert handled(page) <= (first + 1) * len(datasets), page
    assert handled(count) == LIVE * len(datasets), count
    assert count["Node Type"] != "Seq Scan", count
    assert max(map(handled, nodes)) == handled(count), nodes


@pytest.mark.parametrize("datasets", [(Dataset.CONTACTS,), DOCUMENTS], ids=["list", "documents"])
async def test_a_filter_reads_on_along_the_index_until_the_page_is_full(
    fresh: Books, datasets: tuple[Dataset, ...]
) -> None:
    mine = await fresh.connected(await fresh.client("Acme"), await fresh.organisation("Acme"))
    await fill(fresh, [mine.organisation_id])
    after = await far_into(fresh.admin, mine, *datasets, active=True)

    sent = await sent_by(lambda: page_of(fresh.admin, mine, *datasets, first=10, active=True, after=after))

    nodes = await explained(fresh.practice_id, sent)
    page, count = sorted(
        (node for node in nodes if node.get("Relation Name") == "ledger_record"), key=handled
    )
    assert page["Index Name"] == "ledger_record_listed", page
    assert handled(page) <= 2 * 11 * len(datasets), page
    assert handled(count) == LIVE * len(datasets), count
