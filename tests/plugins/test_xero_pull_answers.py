"""Answers of Xero's that are rare, or none we know: read where they can be, refused where guessing would lose."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.plugins.pretending import Reply, said
from tests.plugins.sessions import NOW, Talk, talking
from tests.plugins.xero_books import FEEDS, XERO, pull
from tieline.errors import NotAtProvider, ProviderBroken, ScopeMissing
from tieline.plugins.pull import MAX_CURSOR_BYTES, Page
from tieline_xero.endpoints import ENDPOINTS
from tieline_xero.places import OVERLAP, Place

TENANT = "5d2f6f0a-6f54-4d3c-8f62-30d2d0c1a001"
CONTACT = {"ContactID": "c1", "Name": "Ada", "UpdatedDateUTC": "/Date(1793700000123+0000)/"}


async def pages(talk: Talk, feed: str = "contacts", cursor: str | None = None) -> list[Page]:
    return [page async for page in pull(talk.session, FEEDS[feed], cursor)]


async def read(*replies: Reply, feed: str = "contacts", cursor: str | None = None) -> list[Page]:
    async with talking(XERO, organisation=TENANT) as talk:
        talk.pretender.will(*replies)
        return await pages(talk, feed, cursor)


def contacts(count: int, **more: Any) -> Reply:
    return said({"Contacts": [CONTACT | {"ContactID": f"c{n}"} for n in range(count)], **more})


def test_every_feed_has_its_endpoint() -> None:
    assert set(ENDPOINTS) == set(FEEDS)


@pytest.mark.parametrize("feed", ["payments", "prepayments", "overpayments", "journals"])
async def test_what_not_every_consent_covers_is_set_aside_where_it_is_refused(feed: str) -> None:
    refusal = said({"Title": "Unauthorized", "Detail": "AuthorizationUnsuccessful"}, status=401)
    cursor = Place(since=1_793_000_000).cursor()

    (page,) = await read(refusal, feed=feed, cursor=cursor)

    assert (page.records, page.last, page.cursor) == ((), True, cursor)
    assert [(one.dataset, one.external_id) for one in page.set_aside] == [(feed, "")]
    assert "the scope accounting." in page.set_aside[0].why


@pytest.mark.parametrize("feed", ["contacts", "invoices", "bank_transactions"])
async def test_without_any_other_scope_the_consent_is_not_enough(feed: str) -> None:
    with pytest.raises(ScopeMissing):
        await read(
            said({"Title": "Unauthorized", "Detail": "AuthorizationUnsuccessful"}, status=401), feed=feed
        )


async def test_not_modified_is_an_empty_last_page_that_leaves_the_cursor_where_it_is() -> None:
    cursor = Place(since=1_793_000_000).cursor()

    (page,) = await read(Reply(status=304, body=b""), cursor=cursor)

    assert (page.records, page.last, page.cursor) == ((), True, cursor)


async def test_nothing_at_all_begins_anew_next_time() -> None:
    (page,) = await read(said({"Contacts": []}))

    assert (page.records, page.last) == ((), True)
    assert Place.of(page.cursor) == Place()


async def test_a_short_page_needs_no_count_of_pages() -> None:
    (page,) = await read(contacts(99))

    assert (len(page.records), page.last) == (99, True)


@pytest.mark.parametrize(
    "pagination", [None, {}, {"pageCount": "2"}, {"pageCount": True}, {"pageCount": -1}, 7]
)
async def test_a_page_that_may_be_full_has_to_say_how_many_there_are(pagination: object) -> None:
    with pytest.raises(ProviderBroken, match="how many pages"):
        await read(contacts(100, pagination=pagination))


async def test_a_full_page_of_fewer_records_has_to_say_so_too() -> None:
    async with talking(XERO, organisation=TENANT) as talk:
        talk.session.halved = 5
        talk.pretender.will(contacts(31))

        with pytest.raises(ProviderBroken, match="how many pages"):
            await pages(talk)

    assert parse_qs(urlsplit(talk.pretender.asked[0]).query)["pageSize"] == ["31"]


async def test_a_reading_that_goes_backwards_goes_on_where_it_was_with_smaller_pages() -> None:
    cursor = Place(since=1_793_000_000, began=1_793_700_000, left=2000, newest=1_793_600_000).cursor()
    async with talking(XERO, organisation=TENANT) as talk:
        talk.session.halved = 1
        talk.pretender.will(contacts(1, pagination={"pageCount": 9}))
        await pages(talk, cursor=cursor)

    asked = [parse_qs(urlsplit(target).query) for target in talk.pretender.asked]
    assert [(one["page"], one["pageSize"]) for one in asked] == [([str(n)], ["500"]) for n in (4, 3, 2, 1)]


@pytest.mark.parametrize("answer", [{}, {"Contacts": None}, {"Contacts": {}}, {"contacts": []}])
async def test_an_answer_without_its_list_is_not_an_empty_one(answer: object) -> None:
    with pytest.raises(ProviderBroken, match="no list Contacts"):
        await read(said(answer))


async def test_the_overlap_goes_by_xeros_clock_and_by_ours_where_it_has_none() -> None:
    soon = NOW + timedelta(hours=1)
    ms = round(soon.timestamp() * 1000)
    newest = said(
        {"Contacts": [CONTACT | {"UpdatedDateUTC": f"/Date({ms})/"}], "DateTimeUTC": f"/Date({ms})/"}
    )
    (by_xero,) = await read(newest)
    (by_us,) = await read(
        said({"Contacts": [CONTACT | {"UpdatedDateUTC": f"/Date({ms})/"}], "DateTimeUTC": "?"})
    )

    assert Place.of(by_xero.cursor) == Place(since=round((soon - OVERLAP).timestamp()))
    assert Place.of(by_us.cursor) == Place(since=round((NOW - OVERLAP).timestamp()))


async def test_a_call_names_the_organisation_and_the_second() -> None:
    async with talking(XERO, organisation=TENANT) as talk:
        talk.pretender.will(said({"Accounts": []}))
        await pages(talk, "accounts", Place(since=1_793_700_000).cursor())

    (received,) = talk.pretender.received
    assert received.target == "/books/api.xro/2.0/Accounts"
    assert received.headers["xero-tenant-id"] == TENANT
    assert received.headers["if-modified-since"] == "2026-11-03T10:00:00"


async def test_pages_are_asked_for_when_they_are_wanted_and_not_before() -> None:
    async with talking(XERO, organisation=TENANT) as talk:
        talk.pretender.will(contacts(100, pagination={"pageCount": 2}))
        reading = pull(talk.session, FEEDS["contacts"], None)
        await anext(reading)

        assert len(talk.pretender.received) == 1


async def test_a_page_of_one_instant_is_followed_by_the_last_page_and_so_on_to_the_first() -> None:
    async with talking(XERO, organisation=TENANT) as talk:
        talk.pretender.will(contacts(100, pagination={"pageCount": 3}))
        found = await pages(talk)

    asked = [parse_qs(urlsplit(target).query)["page"] for target in talk.pretender.asked]
    assert asked == [["1"], ["3"], ["2"], ["1"]]
    assert [page.last for page in found] == [False, False, False, True]


async def test_a_session_without_an_organisation_reads_nothing() -> None:
    async with talking(XERO) as talk:
        with pytest.raises(ValueError, match="no organisation"):
            await pages(talk)


async def test_an_error_of_the_session_comes_through() -> None:
    with pytest.raises(NotAtProvider):
        await read(Reply(status=404))


async def test_an_element_that_is_none_of_theirs_is_set_aside() -> None:
    (page,) = await read(said({"Contacts": [CONTACT, "Ada", CONTACT | {"ContactID": 7}, {"Name": "Bo"}]}))

    assert [record.external_id for record in page.records] == ["c1", "7"]
    assert [one.why for one in page.set_aside] == ["It is no object.", "It has no ContactID."]


def test_a_cursor_that_is_too_long_is_the_plugins_mistake() -> None:
    assert Page(records=(), cursor="ü" * (MAX_CURSOR_BYTES // 2), last=True).cursor

    with pytest.raises(ValueError, match="4096 bytes"):
        Page(records=(), cursor="ü" * (MAX_CURSOR_BYTES // 2) + "x", last=True)
