"""A company's books, read at a pretended Intuit while they move: nothing is missed, and no call is wasted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.plugins.intuit import FEEDS, QUICKBOOKS, Intuit, Kept, assert_whole, reading
from tieline.errors import ProviderBroken
from tieline.plugins import Page
from tieline_quickbooks.mapping import NOUNS

ENTITIES = [noun.entity for noun in NOUNS]


def small() -> Intuit:
    """Three records of each kind, one of each list inactive."""
    intuit = Intuit()
    for noun in NOUNS:
        intuit.fill(noun.entity, 3)
        if noun.is_list:
            intuit.put(noun.entity, "2", at=intuit.now - timedelta(days=40), Active=False)
    return intuit


async def test_the_first_reading_is_a_query_for_each_entity_and_one_call_for_what_changed_meanwhile() -> None:
    intuit = small()

    async with reading(intuit) as kept:
        pages = await kept.read()

    assert_whole(intuit, kept)
    assert intuit.calls == ["query"] * 19 + ["cdc"]
    assert [page.last for page in pages] == [False] * 19 + [True]
    assert [page.whole for page in pages] == [False] * 19 + [True]
    assert kept.records["accounts", "2"].active is False


async def test_where_nothing_changed_one_call_says_so() -> None:
    intuit = small()
    async with reading(intuit) as kept:
        await kept.read()
        intuit.calls.clear()
        intuit.now += timedelta(days=1)

        [page] = await kept.read()

    assert intuit.calls == ["cdc"]
    assert (page.records, page.gone, page.last, page.whole) == ((), (), True, False)
    assert intuit.since[-1] == intuit.now - timedelta(days=1, minutes=5)


async def test_changes_come_and_deletions_with_them() -> None:
    intuit = small()
    async with reading(intuit) as kept:
        await kept.read()
        intuit.now += timedelta(hours=1)
        intuit.put("Bill", "9", DocNumber="B-9")
        intuit.put("Vendor", "1", DisplayName="Ashford Timber")
        intuit.delete("Invoice", "2")
        intuit.delete("Customer", "3")

        await kept.read()

    assert_whole(intuit, kept)
    assert kept.records["bills", "9"].code == "B-9"
    assert kept.records["contacts", "vendor-1"].name == "Ashford Timber"


async def test_many_records_are_read_in_pages_that_overlap_by_one() -> None:
    intuit = Intuit()
    intuit.fill("Bill", 2500)

    async with reading(intuit) as kept:
        await kept.read()

    assert_whole(intuit, kept)
    assert len([one for one in intuit.statements if " FROM Bill " in one]) == 3
    assert all("STARTPOSITION 1 MAXRESULTS 1000" in one for one in intuit.statements)


async def test_records_that_are_edited_and_deleted_between_the_pages_are_not_stepped_over() -> None:
    intuit = Intuit()
    intuit.fill("Bill", 2500)
    edited = iter(range(10, 2500, 4))

    def edit() -> None:
        intuit.now += timedelta(seconds=2)
        for number in [next(edited) for _ in range(20)]:
            intuit.put("Bill", str(number), DocNumber="after")
        intuit.delete("Bill", str(next(edited)))

    intuit.meanwhile = edit
    async with reading(intuit) as kept:
        await kept.read()
        intuit.meanwhile = None
        await kept.read()

    assert_whole(intuit, kept)
    after = {key for key, one in intuit.books["Bill"].items() if one.get("DocNumber") == "after"}
    assert {
        key for key in kept.ids("bills") if kept.records["bills", key].code == "after"
    } == after & intuit.there("Bill")


@pytest.mark.parametrize("moved", [0, 5])
async def test_thousands_that_an_import_stamped_alike_are_counted_and_read_from_the_end(moved: int) -> None:
    intuit = Intuit()
    intuit.fill("Bill", 2, at=intuit.now - timedelta(days=3))
    intuit.fill("Bill", 3400, at=intuit.now - timedelta(days=2))
    moving = iter(range(3, 3400))

    def edit() -> None:
        intuit.now += timedelta(seconds=1)
        for _ in range(moved):
            intuit.put("Bill", str(next(moving)), DocNumber="moved")

    intuit.meanwhile = edit
    async with reading(intuit) as kept:
        await kept.read()

    assert_whole(intuit, kept)
    bills = [one for one in intuit.statements if " FROM Bill " in one]
    assert [one.startswith("SELECT COUNT(*)") for one in bills].count(True) == 1
    assert len(bills) == 2 + 1 + 4


async def test_a_reading_of_everything_ends_however_much_is_edited_meanwhile() -> None:
    intuit = Intuit()
    intuit.fill("Bill", 1500)

    def edit() -> None:
        intuit.now += timedelta(minutes=1)
        for number in range(1, 1101):
            intuit.put("Bill", str(number))

    intuit.meanwhile = edit
    async with reading(intuit) as kept:
        await kept.read()
        assert len(intuit.calls) < 45

        intuit.meanwhile = None
        intuit.now += timedelta(hours=1)
        await kept.read()

    assert_whole(intuit, kept)


async def test_every_cursor_on_the_way_leads_to_the_whole() -> None:
    intuit = small()
    intuit.fill("Invoice", 1500)
    async with reading(intuit) as kept:
        pages = len(await kept.read())

        for stop in range(1, pages):
            other = Kept(session=kept.session)
            intuit.calls.clear()
            await other.read(pages=stop)
            await other.read()
            assert_whole(intuit, other)
            assert len(intuit.calls) == pages


async def test_where_the_shared_cap_is_reached_each_entity_is_asked_alone_and_nothing_is_missed() -> None:
    intuit = small()
    async with reading(intuit) as kept:
        await kept.read()
        intuit.now += timedelta(hours=1)
        for entity in ("Account", "Bill", "Payment"):
            intuit.fill(entity, 600, at=intuit.now - timedelta(minutes=6))
        intuit.delete("Payment", "1")
        intuit.calls.clear()

        pages = await kept.read()
        assert_whole(intuit, kept)
        assert intuit.calls == ["cdc"] * 20
        assert [page.whole for page in pages] == [False] * 20

        intuit.now += timedelta(hours=1)
        intuit.calls.clear()
        await kept.read()

    assert intuit.calls == ["cdc"]


async def test_where_one_entity_alone_reaches_the_cap_it_is_queried_and_what_was_deleted_is_found_next() -> (
    None
):
    intuit = small()
    async with reading(intuit) as kept:
        await kept.read()
        intuit.now += timedelta(hours=1)
        intuit.fill("Bill", 1600, at=intuit.now - timedelta(minutes=2))
        intuit.delete("Bill", "1")
        intuit.put("Payment", "1", PaymentRefNum="P-1")
        intuit.calls.clear()

        await kept.read()

        assert kept.ids("bills") - intuit.there("Bill") == {"1"}
        assert intuit.there("Bill") <= kept.ids("bills")
        assert kept.records["payments", "1"].code == "P-1"
        assert intuit.calls.count("cdc") == 20

        intuit.now += timedelta(hours=1)
        await kept.read()

    assert_whole(intuit, kept)


async def test_a_cursor_older_than_the_look_back_has_everything_read_and_finds_what_was_deleted() -> None:
    intuit = small()
    async with reading(intuit) as kept:
        await kept.read()
        intuit.delete("Bill", "2")
        intuit.now += timedelta(days=30)
        intuit.put("Bill", "1", DocNumber="new")
        intuit.calls.clear()

        pages = await kept.read()

    assert_whole(intuit, kept)
    assert intuit.calls == ["query"] * 19 + ["cdc"]
    assert pages[-1].whole


async def test_a_cursor_within_the_look_back_is_gone_on_with() -> None:
    intuit = small()
    async with reading(intuit) as kept:
        await kept.read()
        intuit.now += timedelta(days=28, hours=23)
        intuit.calls.clear()

        await kept.read()

    assert intuit.calls == ["cdc"]


async def test_a_reading_that_rested_for_a_month_in_the_middle_begins_anew() -> None:
    intuit = small()
    async with reading(intuit) as kept:
        await kept.read(pages=8)
        intuit.delete("Account", "1")
        intuit.now += timedelta(days=30)

        await kept.read()

    assert_whole(intuit, kept)


async def snapshot(intuit: Intuit, feed: str) -> Page:
    async with reading(intuit) as kept:
        [page] = [one async for one in QUICKBOOKS.pull(kept.session, FEEDS[feed], None)]
    return page


async def test_the_company_and_its_preferences_are_read_in_two_calls() -> None:
    intuit = Intuit()
    intuit.put("CompanyInfo", "1", CompanyName="Acorn", Country="GBR", FiscalYearStartMonth="April")
    intuit.put("Preferences", "1", CurrencyPrefs={"HomeCurrency": {"value": "GBP"}})

    page = await snapshot(intuit, "organisation")

    record, preferences = page.records
    assert (record.external_id, record.name) == ("4620816365001", "Acorn")
    assert [record.data[name] for name in ("country", "currency", "year_end_day", "year_end_month")] == [
        "GB",
        "GBP",
        31,
        3,
    ]
    assert (preferences.dataset, preferences.external_id) == ("preferences", record.external_id)
    assert preferences.data["currency"] == "GBP"
    assert (len(intuit.calls), page.last, page.cursor) == (2, True, None)


async def test_where_a_company_tells_no_preferences_there_are_none() -> None:
    intuit = Intuit()
    intuit.put("CompanyInfo", "1", CompanyName="Acorn")

    page = await snapshot(intuit, "organisation")

    assert [record.dataset for record in page.records] == ["organisation"]
    assert page.records[0].data["currency"] is None


async def test_preferences_that_cannot_be_read_are_set_aside() -> None:
    intuit = Intuit()
    intuit.put("CompanyInfo", "1", CompanyName="Acorn")
    intuit.put("Preferences", "1", SalesFormsPrefs="none")

    page = await snapshot(intuit, "organisation")

    assert [record.dataset for record in page.records] == ["organisation"]
    assert [(one.dataset, one.why) for one in page.set_aside] == [
        ("preferences", "Its SalesFormsPrefs is no object.")
    ]


async def test_a_cursor_from_before_there_were_so_many_entities_has_everything_read() -> None:
    intuit = small()
    async with reading(intuit) as kept:
        await kept.read()
        assert kept.cursor is not None
        kept.cursor = kept.cursor.replace("[3,", "[2,", 1)
        kept.records.clear()
        intuit.calls.clear()

        await kept.read()

    assert_whole(intuit, kept)
    assert intuit.calls == ["query"] * 19 + ["cdc"]


async def test_tax_codes_come_with_what_their_rates_charge() -> None:
    intuit = Intuit()
    intuit.put("TaxRate", "11", Name="State", RateValue=6.25)
    intuit.put("TaxRate", "12", Name="City", RateValue=2)
    sales = {"TaxRateDetail": [{"TaxRateRef": {"value": "11"}}, {"TaxRateRef": {"value": "12"}}]}
    intuit.put("TaxCode", "2", Name="Austin", SalesTaxRateList=sales)
    intuit.put("TaxCode", "3", Name="Old", Active=False, SalesTaxRateList={})

    page = await snapshot(intuit, "tax_rates")

    austin, old = page.records
    assert (austin.external_id, austin.data["percent"], old.active) == ("2", "8.25", False)
    assert [one["name"] for one in austin.data["components"]] == ["State", "City"]  # type: ignore[index, union-attr, call-overload]
    assert len(intuit.calls) == 3


async def test_tax_agencies_come_with_the_tax_codes_and_say_what_is_declared_to_them() -> None:
    intuit = Intuit()
    intuit.put("TaxCode", "2", Name="Austin")
    intuit.put(
        "TaxAgency",
        "7",
        DisplayName="HM Revenue & Customs (VAT)",
        TaxTrackedOnSales=True,
        TaxTrackedOnPurchases=False,
        TaxRegistrationNumber="GB 123",
    )
    intuit.put("TaxAgency", "8", DisplayName="City of Tucson")

    page = await snapshot(intuit, "tax_rates")

    _, customs, city = page.records
    assert (customs.dataset, customs.external_id, customs.active) == ("tax_agencies", "7", True)
    assert (customs.name, city.name) == ("HM Revenue & Customs (VAT)", "City of Tucson")
    said = ("tracks_sales", "tracks_purchases", "registration_number")
    assert [customs.data[name] for name in said] == [True, False, "GB 123"]
    assert [one for one in intuit.statements if "TaxAgency" in one and "Active" in one] == []


async def test_more_tax_rates_than_a_page_holds_all_come() -> None:
    intuit = Intuit()
    intuit.fill("TaxCode", 1001)

    page = await snapshot(intuit, "tax_rates")

    assert len(page.records) == 1001


@pytest.mark.parametrize("entity", ENTITIES)
async def test_a_record_that_cannot_be_read_is_set_aside(entity: str) -> None:
    intuit = small()
    intuit.put(
        entity, "2", at=intuit.now - timedelta(days=2), Line="none", ParentRef=7, DiscountPercent="a lot"
    )
    intuit.put(entity, "2", at=intuit.now - timedelta(days=2), CurrencyRef=7, Name=7)

    async with reading(intuit) as kept:
        await kept.read()

    assert len(kept.set_aside) <= 1
    assert len(kept.seen) + len(kept.set_aside) == 57


async def test_an_answer_without_a_list_is_broken() -> None:
    intuit = small()
    async with reading(intuit) as kept:
        await kept.read()
        intuit.instead = {"CDCResponse": []}

        with pytest.raises(ProviderBroken, match="hold no list"):
            await kept.read()
