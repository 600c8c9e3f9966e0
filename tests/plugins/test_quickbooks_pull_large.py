"""Books whose answers are too large: read in parts, nothing missed, and what fits again is asked for again."""

from __future__ import annotations

from datetime import timedelta

from tests.plugins.intuit import Intuit, Kept, assert_whole, reading

LARGE = "x" * 2_000
MOST_BYTES = 500_000  # some 220 records that are LARGE


def heavy() -> Intuit:
    """Many bills that one answer does not hold, and two accounts."""
    intuit = Intuit()
    intuit.fill("Account", 2)
    intuit.fill("Bill", 400, PrivateNote=LARGE)
    return intuit


def change(intuit: Intuit, entity: str, count: int) -> None:
    """So many records of the entity are written anew, at this moment."""
    for number in range(1, count + 1):
        intuit.put(entity, str(number))


async def again(intuit: Intuit, kept: Kept) -> list[str]:
    """An hour later, what another reading asks."""
    intuit.now += timedelta(hours=1)
    intuit.calls.clear()
    await kept.read()
    return intuit.calls


async def test_a_load_in_smaller_pages_is_followed_by_readings_of_one_call() -> None:
    intuit = heavy()

    async with reading(intuit, max_bytes=MOST_BYTES) as kept:
        await kept.read()

        assert_whole(intuit, kept)
        assert intuit.calls[-1] == "cdc"
        assert intuit.calls.count("cdc") == 1
        assert any("MAXRESULTS 125" in one for one in intuit.statements)
        assert await again(intuit, kept) == ["cdc"]
        assert await again(intuit, kept) == ["cdc"]


async def test_changes_that_one_answer_does_not_hold_are_asked_for_entity_by_entity() -> None:
    intuit = heavy()
    intuit.fill("Invoice", 150, PrivateNote=LARGE)
    async with reading(intuit, max_bytes=MOST_BYTES) as kept:
        await kept.read()
        intuit.now += timedelta(hours=1)
        change(intuit, "Bill", 150)
        change(intuit, "Invoice", 150)
        intuit.delete("Bill", "150")

        assert await again(intuit, kept) == ["cdc"] * 20
        assert_whole(intuit, kept)
        intuit.delete("Invoice", "1")

        assert await again(intuit, kept) == ["cdc"]
        assert_whole(intuit, kept)


async def test_an_entity_whose_changes_one_answer_does_not_hold_is_queried_and_deletions_are_found_next() -> (
    None
):
    intuit = heavy()
    async with reading(intuit, max_bytes=MOST_BYTES) as kept:
        await kept.read()
        intuit.now += timedelta(hours=1)
        change(intuit, "Bill", 300)
        intuit.delete("Bill", "400")
        intuit.put("Account", "1", Name="Sales")

        calls = await again(intuit, kept)

        assert calls.count("cdc") == 20
        assert kept.ids("bills") - intuit.there("Bill") == {"400"}
        assert kept.records["accounts", "1"].name == "Sales"
        assert [one for one in await again(intuit, kept) if one == "cdc"] == ["cdc"]
        assert_whole(intuit, kept)
        assert await again(intuit, kept) == ["cdc"]


async def test_changes_that_come_while_a_large_load_goes_on_are_asked_for_in_parts_too() -> None:
    intuit = heavy()

    def edit() -> None:
        if intuit.calls == ["query"] * 2:
            intuit.now += timedelta(minutes=1)
            change(intuit, "Bill", 300)
            intuit.delete("Account", "2")
            intuit.meanwhile = None

    intuit.meanwhile = edit
    async with reading(intuit, max_bytes=MOST_BYTES) as kept:
        await kept.read()
        assert intuit.calls.count("cdc") == 20
        await again(intuit, kept)

        assert_whole(intuit, kept)
        assert await again(intuit, kept) == ["cdc"]


async def test_a_page_that_is_too_large_to_be_stored_is_asked_for_in_parts() -> None:
    intuit = Intuit()
    intuit.fill("Bill", 400)
    intuit.fill("Invoice", 200)
    async with reading(intuit) as kept:
        kept.most = 250
        await kept.read()
        assert_whole(intuit, kept)
        intuit.now += timedelta(hours=1)
        change(intuit, "Bill", 200)
        change(intuit, "Invoice", 100)
        intuit.delete("Bill", "200")

        assert await again(intuit, kept) == ["cdc"] * 20
        assert_whole(intuit, kept)
        change(intuit, "Bill", 300)
        intuit.delete("Invoice", "1")

        calls = await again(intuit, kept)
        assert calls.count("cdc") == 20
        assert "query" in calls

        await again(intuit, kept)
        assert_whole(intuit, kept)
        assert await again(intuit, kept) == ["cdc"]


async def test_every_cursor_on_the_way_through_large_changes_leads_to_the_whole() -> None:
    intuit = heavy()
    async with reading(intuit, max_bytes=MOST_BYTES) as kept:
        await kept.read()
        before, records = kept.cursor, dict(kept.records)
        intuit.now += timedelta(hours=1)
        change(intuit, "Bill", 300)
        intuit.put("Payment", "1", PaymentRefNum="P-1")
        pages = len(await kept.read())

        for stop in range(1, pages):
            other = Kept(session=kept.session, cursor=before, records=dict(records))
            await other.read(pages=stop)
            await other.read()
            assert_whole(intuit, other)
