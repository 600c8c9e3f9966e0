"""What an operator settles about a provider: read when it is loaded, refused with a sentence, the safer thing else."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.plugins.pretending import said
from tests.plugins.providers import Abacus, abacus
from tests.plugins.sessions import talking
from tieline.errors import StartRefused
from tieline.plugins import Product, Registry, Setting, load
from tieline_quickbooks import QuickBooks
from tieline_xero import Xero

BOTH = frozenset({"quickbooks", "xero"})


def loaded() -> tuple[QuickBooks, Xero]:
    registry = load(BOTH)
    quickbooks, xero = registry.get("quickbooks"), registry.get("xero")
    assert isinstance(quickbooks, QuickBooks)
    assert isinstance(xero, Xero)
    return quickbooks, xero


def month_of(provider: QuickBooks, tier: str | None) -> int | None:
    return next((limit.most for limit in provider.limits(tier) if limit.name == "month"), None)


def test_where_nothing_is_said_the_safer_thing_holds() -> None:
    quickbooks, xero = loaded()

    assert quickbooks.oauth.lapse_is_proof is False
    assert [month_of(quickbooks, tier) for tier in (None, "builder", "silver")] == [500_000] * 3
    assert xero.page_size == 1_000


def test_what_the_operator_says_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIELINE_QUICKBOOKS_LAPSE_IS_PROOF", "True")
    monkeypatch.setenv("TIELINE_QUICKBOOKS_MONTHLY_READS", " 2000000")
    monkeypatch.setenv("TIELINE_XERO_PAGE_SIZE", "100")

    quickbooks, xero = loaded()

    assert quickbooks.oauth.lapse_is_proof is True
    assert [month_of(quickbooks, tier) for tier in (None, "gold")] == [500_000, 2_000_000]
    assert xero.page_size == 100


def test_a_month_may_be_left_uncounted_above_the_smallest_tier_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIELINE_QUICKBOOKS_MONTHLY_READS", "0")

    quickbooks, _ = loaded()

    assert [month_of(quickbooks, tier) for tier in (None, "builder", "new one", "platinum")] == [
        500_000,
        500_000,
        500_000,
        None,
    ]


@pytest.mark.parametrize(
    ("variable", "text", "values"),
    [
        ("TIELINE_QUICKBOOKS_LAPSE_IS_PROOF", "maybe", "true, false"),
        ("TIELINE_QUICKBOOKS_MONTHLY_READS", "-1", "0 to 1000000000"),
        ("TIELINE_XERO_PAGE_SIZE", "99", "100 to 1000"),
        ("TIELINE_XERO_PAGE_SIZE", "1001", "100 to 1000"),
        ("TIELINE_XERO_PAGE_SIZE", "many", "100 to 1000"),
        ("TIELINE_XERO_PAGE_SIZE", "", "100 to 1000"),
    ],
)
def test_what_makes_no_sense_stops_the_start_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, values: str
) -> None:
    monkeypatch.setenv(variable, text)

    with pytest.raises(StartRefused) as refused:
        load(BOTH)

    assert str(refused.value) == f"{variable} cannot be used (it may be {values}): see docs/settings.md."


GOOD: dict[str, Any] = {"name": "page", "default": 5, "meaning": "How many.", "least": 1, "most": 9}


class Settled(Abacus):
    """The provider of the tests, which takes settings."""

    def settled(self, values: object) -> Settled:
        del values
        return self


@pytest.mark.parametrize(
    ("settings", "flaw"),
    [
        ([GOOD, GOOD], "two of its settings have the same name"),
        ([GOOD | {"name": "No Word"}], "its setting 'No Word' needs a word"),
        ([GOOD | {"default": 10}], "its setting 'page' needs a word as its name, a default that fits"),
        ([GOOD | {"meaning": ""}], "and a meaning"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: list[dict[str, Any]], flaw: str) -> None:
    declared = tuple(Setting(**each) for each in settings)

    with pytest.raises(StartRefused, match=re.escape(flaw)):
        Registry.of(Settled(info=abacus(settings=declared).info))


def test_a_provider_that_declares_settings_has_to_take_them() -> None:
    with pytest.raises(StartRefused, match="has no method 'settled'"):
        Registry.of(abacus(settings=(Setting(**GOOD),)))


async def test_xero_is_asked_for_pages_of_the_size_that_was_settled() -> None:
    provider = Xero().settled({"page_size": 100})
    feed = next(feed for feed in provider.info.feeds[Product.DATA_HEALTH] if feed.name == "contacts")
    empty = {"Contacts": [], "pagination": {"page": 1, "pageSize": 100, "pageCount": 0, "itemCount": 0}}
    async with talking(provider, organisation="the-books") as talk:
        talk.pretender.will(said(empty))

        [page] = [page async for page in provider.pull(talk.session, feed, None)]

    assert page.last
    assert "pageSize=100&" in f"{talk.pretender.received[0].target}&"
