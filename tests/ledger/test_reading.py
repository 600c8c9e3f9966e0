"""Lists of records: every page of every list against the whole, sorted by hand; what is not of the list; cursors."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import pytest

from tests.ledger.shelf import DOCUMENTS, PAYMENTS, Row, connected, page_of, put, put_aside, read, some_rows
from tests.support.books import Books
from tests.support.polling import until
from tieline.clients.service import rename_client
from tieline.errors import CursorInvalid, Invalid
from tieline.events.service import read_events
from tieline.ledger.datasets import DATED, Dataset
from tieline.ledger.reading.repository import LedgerRecord
from tieline.ledger.service import MOST_SET_ASIDE, find_single, list_set_aside

LISTS = [each for each in Dataset if each not in DATED]
ACCOUNTS, CONTACTS = Dataset.ACCOUNTS, Dataset.CONTACTS
INVOICES, BILLS = Dataset.INVOICES, Dataset.BILLS


def places(records: Iterable[LedgerRecord | Row]) -> list[tuple[str, str]]:
    return [(each.dataset.value, each.external_id) for each in records]


@pytest.mark.parametrize("first", [1, 7, 200])
async def test_a_list_paged_to_its_end_is_the_whole_by_name(books: Books, first: int) -> None:
    connection = await connected(books)
    rows = some_rows(first, *LISTS, count=90)
    await put(books, connection.organisation_id, rows)
    await put(books, (await connected(books, "Bolt")).organisation_id, rows)

    for dataset in LISTS:
        for active in (None, True, False):
            wanted = [
                row
                for row in sorted(rows, key=lambda row: row.place)
                if row.dataset is dataset and not row.deleted and active in (None, row.active)
            ]
            found = await read(books.admin, connection, dataset, first=first, active=active)
            assert places(found) == places(wanted)
            assert [each.active for each in found] == [row.active for row in wanted]


@pytest.mark.parametrize("first", [1, 7, 200])
@pytest.mark.parametrize("kinds", [DOCUMENTS, (INVOICES,), (Dataset.BANK_TRANSACTIONS, BILLS)])
async def test_documents_of_several_kinds_stand_in_one_list_with_the_newest_first(
    books: Books, first: int, kinds: tuple[Dataset, ...]
) -> None:
    connection = await connected(books)
    rows = some_rows(len(kinds), *DOCUMENTS, count=120)
    await put(books, connection.organisation_id, rows)

    found = await read(books.admin, connection, *kinds, first=first)

    wanted = sorted(rows, key=lambda row: row.place, reverse=True)
    assert places(found) == places(row for row in wanted if row.dataset in kinds and not row.deleted)


@pytest.mark.parametrize("first", [1, 7, 200])
@pytest.mark.parametrize(
    "kinds", [PAYMENTS, (Dataset.PAYMENTS,), (Dataset.BILL_PAYMENTS, Dataset.OVERPAYMENTS)]
)
async def test_payments_paged_to_their_end_are_the_whole_with_the_newest_first(
    books: Books, first: int, kinds: tuple[Dataset, ...]
) -> None:
    connection = await connected(books)
    rows = some_rows(first, *PAYMENTS, INVOICES, count=60)
    await put(books, connection.organisation_id, rows)

    found = await read(books.admin, connection, *kinds, first=first)

    wanted = sorted(rows, key=lambda row: row.place, reverse=True)
    assert places(found) == places(row for row in wanted if row.dataset in kinds and not row.deleted)


async def test_transfers_and_journals_come_with_the_newest_first(books: Books) -> None:
    connection = await connected(books)
    movements = (Dataset.BANK_TRANSFERS, Dataset.JOURNALS)
    rows = some_rows(3, *movements, count=40)
    await put(books, connection.organisation_id, rows)

    for dataset in movements:
        found = await read(books.admin, connection, dataset, first=7)

        wanted = sorted(rows, key=lambda row: row.place, reverse=True)
        assert places(found) == places(row for row in wanted if row.dataset is dataset and not row.deleted)


@pytest.mark.parametrize("dataset", [Dataset.ORGANISATION, Dataset.PREFERENCES])
async def test_the_organisation_and_its_preferences_are_one_record_or_none(
    books: Books, dataset: Dataset
) -> None:
    connection, other = await connected(books), await connected(books, "Bolt")
    await put(books, connection.organisation_id, [Row(dataset=dataset, external_id="1", sort_key="")])

    found = await find_single(books.admin, connection.id, dataset)

    assert found is not None
    assert (found.dataset, found.external_id) == (dataset, "1")
    assert await find_single(books.admin, other.id, dataset) is None


async def test_documents_of_one_day_and_one_id_follow_each_other_page_by_page(books: Books) -> None:
    connection = await connected(books)
    same = [
        Row(dataset=dataset, external_id=one, sort_key="2031-01-01") for one in "12" for dataset in DOCUMENTS
    ]
    await put(books, connection.organisation_id, same)

    found = await read(books.admin, connection, first=1)

    wanted = sorted(same, key=lambda row: row.place, reverse=True)
    assert places(found) == places(wanted)


async def test_no_kind_is_every_kind(books: Books) -> None:
    connection = await connected(books)
    await put(books, connection.organisation_id, some_rows(1, *DOCUMENTS, count=20))

    assert await read(books.admin, connection) == await read(books.admin, connection, *DOCUMENTS)


async def test_what_comes_and_goes_between_two_pages_neither_repeats_nor_hides_the_rest(books: Books) -> None:
    connection = await connected(books)
    names = [Row(dataset=ACCOUNTS, external_id=key, sort_key=key) for key in "bdfhj"]
    await put(books, connection.organisation_id, names)
    page = await page_of(books.admin, connection, ACCOUNTS, first=2)

    await books.sql.execute(
        "UPDATE ledger_record SET deleted_at = changed_at WHERE organisation_id = $1 AND external_id = 'd'",
        connection.organisation_id,
    )
    more = [Row(dataset=ACCOUNTS, external_id=key, sort_key=key) for key in "ae"]
    await put(books, connection.organisation_id, more)
    rest = await page_of(books.admin, connection, ACCOUNTS, first=200, after=page.cursors[-1])

    assert [each.external_id for each in page.rows] == ["b", "d"]
    assert [each.external_id for each in rest.rows] == ["e", "f", "h", "j"]
    assert (page.total, rest.total) == (5, 6)
    assert (page.has_previous, rest.has_previous) == (False, True)


async def test_a_list_without_records_is_an_empty_page(books: Books) -> None:
    connection = await connected(books)
    await books.all_told()

    page = await page_of(books.admin, connection, CONTACTS)

    assert (page.rows, page.cursors, page.has_next, page.total) == ((), (), False, 0)
    assert (await read_events(books.admin, page.event_cursor)).events == ()


async def test_events_after_a_page_are_what_it_may_lack(books: Books) -> None:
    connection = await connected(books)
    page = await page_of(books.admin, connection, CONTACTS)
    await rename_client(books.admin, connection.client_id, "Another name")

    async def told() -> bool:
        return bool((await read_events(books.admin, page.event_cursor)).events)

    await until(told, "no older transaction is open")


async def test_a_record_says_what_its_row_and_its_data_say_with_every_digit(books: Books) -> None:
    connection = await connected(books)
    await books.sql.execute(
        "UPDATE organisation SET currency = 'GBP' WHERE id = $1", connection.organisation_id
    )
    data = {"total": "1.10", "nested": [{"number": 12}]}
    await put(books, connection.organisation_id, [Row(dataset=BILLS, external_id="1", data=data)])
    await books.sql.execute(
        "UPDATE ledger_record SET data = data || '{\"odd\": 0.10000000000000000000001}' "
        "WHERE organisation_id = $1",
        connection.organisation_id,
    )

    (found,) = await read(books.admin, connection, BILLS)

    assert (found.external_id, found.currency, found.dataset) == ("1", "GBP", BILLS)
    assert found.updated_at is not None
    assert found.data == data | {"odd": Decimal("0.10000000000000000000001")}


async def test_data_that_is_no_object_is_an_empty_one(books: Books) -> None:
    connection = await connected(books)
    await put(books, connection.organisation_id, [Row(dataset=BILLS, external_id="1")])
    await books.sql.execute(
        "UPDATE ledger_record SET data = '[1]' WHERE organisation_id = $1", connection.organisation_id
    )

    (found,) = await read(books.admin, connection, BILLS)

    assert found.data == {}


async def test_a_cursor_belongs_to_its_list_alone(books: Books, other_books: Books) -> None:
    connection, other = await connected(books), await connected(books, "Bolt")
    theirs = await connected(other_books)
    rows = [Row(dataset=dataset, external_id="1") for dataset in Dataset]
    for organisation_id in (connection.organisation_id, other.organisation_id):
        await put(books, organisation_id, rows)
    await put(other_books, theirs.organisation_id, rows)
    foreign = [
        await page_of(books.admin, connection, CONTACTS),
        await page_of(books.admin, connection, ACCOUNTS, active=True),
        await page_of(books.admin, connection, INVOICES),
        await page_of(books.admin, connection),
        await page_of(books.admin, other, ACCOUNTS),
        await page_of(other_books.admin, theirs, ACCOUNTS),
    ]

    for page in foreign:
        with pytest.raises(CursorInvalid):
            await page_of(books.admin, connection, ACCOUNTS, after=page.cursors[0])
    with pytest.raises(CursorInvalid):
        await page_of(books.admin, connection, INVOICES, after=foreign[3].cursors[0])


@pytest.mark.parametrize("after", ["", "x", "é", "\x00", "WzFd", "W1siXV0", "=" * 5000, "WyJhIiwxLDJd"])
async def test_a_broken_cursor_is_refused(books: Books, after: str) -> None:
    connection = await connected(books)

    with pytest.raises(CursorInvalid):
        await page_of(books.admin, connection, ACCOUNTS, after=after)
    with pytest.raises(CursorInvalid):
        await page_of(books.admin, connection, after=after)


@pytest.mark.parametrize("first", [-1, 0, 201])
async def test_a_page_size_out_of_bounds_is_refused(books: Books, first: int) -> None:
    connection = await connected(books)

    with pytest.raises(Invalid):
        await page_of(books.admin, connection, ACCOUNTS, first=first)


async def test_the_longest_keys_and_ids_have_cursors_that_lead_on(books: Books) -> None:
    connection = await connected(books)
    rows = [
        Row(dataset=ACCOUNTS, external_id=f"{n}" + "x" * 199, sort_key="\U0010ffff" * 400) for n in range(3)
    ]
    await put(books, connection.organisation_id, rows)

    assert places(await read(books.admin, connection, ACCOUNTS, first=1)) == places(rows)


async def test_of_what_could_not_be_read_the_latest_hundred_are_told(books: Books) -> None:
    connection, other = await connected(books), await connected(books, "Bolt")
    assert await list_set_aside(books.admin, connection.id) == []
    ids = [f"{n:03}" for n in range(MOST_SET_ASIDE + 20)]
    await put_aside(books, connection.organisation_id, ids)
    await put_aside(books, other.organisation_id, [f"x{each}" for each in ids])

    told = await list_set_aside(books.admin, connection.id)

    assert [each.external_id for each in told] == ids[:-101:-1]
    assert {(each.dataset, each.why) for each in told} == {("contacts", "It is bad.")}
