"""What the plugin's README says of Xero: what is read, how often, and in how many calls."""

from __future__ import annotations

import re
from datetime import timedelta
from math import ceil

from tests.plugins.readmes import table
from tests.plugins.test_xero_pull import PAGED, RESOURCES, running, sandbox
from tests.plugins.xero_books import FEEDS, XERO, Kept, opened
from tests.sandbox.xero import Xero as Sandbox
from tieline.plugins import FeedKind, Product

__all__ = ["running", "sandbox"]

SHELVES = {"journals": "manual_journals"}
EVERY = {
    timedelta(hours=1): "hour",
    timedelta(hours=6): "6 hours",
    timedelta(days=1): "day",
    timedelta(days=7): "week",
}


def test_the_readme_says_what_is_read_how_often_and_for_which_product() -> None:
    _, *rows = table("xero", "What is read", first="Feed")
    lists = {feed.name for feed in XERO.info.feeds[Product.BOOKKEEPING]}

    assert [(name, how, often, whose) for name, _, how, often, whose in rows] == [
        (
            feed.name,
            "whole" if feed.kind is FeedKind.SNAPSHOT else "changes",
            EVERY[feed.every],
            "both" if feed.name in lists else "data health",
        )
        for feed in FEEDS.values()
    ]


def test_contacts_are_read_whole_every_week_for_what_their_date_does_not_show() -> None:
    asked = {feed.name: feed.whole_every for feed in FEEDS.values() if feed.whole_every is not None}

    assert asked == {"contacts": timedelta(days=7)}


async def test_the_readmes_calls_are_those_that_are_made(sandbox: Sandbox) -> None:
    (_, _, *sizes), *rows = table("xero", "What it costs", first="Feed")
    numbers = [int(re.sub(r"\D", "", size)) for size in sizes]
    promised = {feed: [int(cell) for cell in cells] for feed, *cells in rows}
    made: dict[str, list[int]] = {feed: [] for feed in FEEDS}

    for number in numbers:
        async with opened(
            sandbox, **{SHELVES.get(name, name): number for name in (*PAGED, "bank_transfers")}
        ) as books:
            kept = Kept()
            await kept.read(books)
            first = await books.last_call()
            await kept.read(books)
            calls = await books.calls()
        for feed, resource in RESOURCES.items():
            of_feed = [call["number"] <= first for call in calls if call["resource"] == resource]
            made[feed] = [of_feed.count(False), *made[feed][1:], of_feed.count(True)]

    assert promised == made


def test_the_readmes_calls_of_a_day_follow_from_the_feeds() -> None:
    day = timedelta(days=1)
    expected = {
        product: sum(day / feed.every for feed in XERO.info.feeds[product]) for product in XERO.info.products
    }

    (_, *rows) = table("xero", "What it costs", first="Product")

    promised = {Product[name.upper().replace(" ", "_")]: int(calls) for name, calls in rows}
    assert promised == {product: ceil(calls) for product, calls in expected.items()}
