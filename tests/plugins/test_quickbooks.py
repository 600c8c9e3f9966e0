"""QuickBooks Online as a provider: who consented, what that reaches, a company's details, its limits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from tests.plugins.intuit import REALM, Intuit, reading
from tests.plugins.pretending import said
from tests.plugins.readmes import table
from tests.plugins.sessions import talking
from tieline.errors import AccessLost, ProviderBroken
from tieline.plugins import (
    FeedKind,
    Grant,
    LimitKind,
    LimitScope,
    OrganisationDetails,
    Product,
    Reached,
    Registry,
    Subject,
    TokenSet,
)
from tieline.vault import Secret
from tieline_quickbooks import QuickBooks, tieline_provider

QUICKBOOKS = QuickBooks()


def grant(*, claims: Mapping[str, Any] | None = None, **parameters: str) -> Grant:
    tokens = TokenSet(
        access=Secret("access"),
        refresh=Secret("refresh"),
        id_token=None,
        expires_in=timedelta(hours=1),
        refresh_expires_in=None,
        scopes=frozenset(),
    )
    return Grant(tokens=tokens, parameters=parameters, claims=claims or {})


def test_the_plugins_own_hook_gives_a_provider_that_fits() -> None:
    assert Registry.of(tieline_provider()).get("quickbooks") == QUICKBOOKS


def test_the_company_is_the_subject() -> None:
    assert QUICKBOOKS.subject(grant(realmId=REALM)) == Subject(id=REALM, login=None, consent=None)


@pytest.mark.parametrize(
    ("claims", "login"),
    [
        ({"email": " ada@example.invalid ", "givenName": "Ada"}, "ada@example.invalid"),
        ({"givenName": "Ada", "familyName": "Byron"}, "Ada Byron"),
        ({"email": None, "familyName": "Byron"}, "Byron"),
        ({"email": "x" * 255, "givenName": 7}, None),
        ({"email": "a\u0007b"}, None),
        ({"email": ["ada@example.invalid"], "sub": "9f3"}, None),
    ],
)
def test_the_login_is_the_address_that_intuit_tells_or_else_the_name(
    claims: dict[str, Any], login: str | None
) -> None:
    subject = QUICKBOOKS.subject(grant(claims=claims, realmId=REALM))

    assert subject == Subject(id=REALM, login=login, consent=None)


@pytest.mark.parametrize("realm", ["", "x", "12 3", "../1", "1" * 33, "١٢"])
def test_a_callback_that_names_no_company_is_broken_and_not_quoted(realm: str) -> None:
    with pytest.raises(ProviderBroken, match="names no company"):
        QUICKBOOKS.subject(grant(realmId=realm))
    with pytest.raises(ProviderBroken):
        QUICKBOOKS.subject(grant())


def test_both_products_need_the_same_consent_and_read_the_same() -> None:
    assert QUICKBOOKS.oauth.scopes_for(Product) == (
        "email",
        "openid",
        "profile",
        "com.intuit.quickbooks.accounting",
    )
    assert QUICKBOOKS.oauth.covers({"com.intuit.quickbooks.accounting"}, Product.BOOKKEEPING)
    bookkeeping, data_health = (QUICKBOOKS.info.feeds[product] for product in Product)
    assert bookkeeping == data_health
    assert [(feed.name, feed.kind) for feed in bookkeeping] == [
        ("organisation", FeedKind.SNAPSHOT),
        ("tax_rates", FeedKind.SNAPSHOT),
        ("changes", FeedKind.CHANGES),
    ]


def test_intuits_own_sandbox_differs_in_the_api_and_in_who_signed_in_alone() -> None:
    own = QUICKBOOKS.oauth.sandbox_endpoints

    assert own is not None
    assert own.api == "https://sandbox-quickbooks.api.intuit.com"
    assert own.userinfo == "https://sandbox-accounts.platform.intuit.com/v1/openid_connect/userinfo"
    assert (own.authorize, own.token, own.revocation) == (
        QUICKBOOKS.oauth.endpoints.authorize,
        QUICKBOOKS.oauth.endpoints.token,
        QUICKBOOKS.oauth.endpoints.revocation,
    )


def company(**info: Any) -> Intuit:
    intuit = Intuit()
    intuit.put("CompanyInfo", "1", **info)
    return intuit


async def details(intuit: Intuit) -> OrganisationDetails:
    async with reading(intuit) as kept:
        return await QUICKBOOKS.organisation(kept.session)


async def test_details_are_read_and_the_currency_from_the_preferences() -> None:
    intuit = company(
        CompanyName=" Acorn \n Shop ",
        LegalName="Acorn Ltd",
        Country="GBR",
        EmployerId="GB 123",
        DefaultTimeZone="Europe/London",
    )
    intuit.put("Preferences", "1", CurrencyPrefs={"HomeCurrency": {"value": "GBP"}})

    assert await details(intuit) == OrganisationDetails(
        name="Acorn Shop",
        legal_name="Acorn Ltd",
        country="GB",
        currency="GBP",
        tax_number="GB 123",
        registration_number=None,
        timezone="Europe/London",
    )


@pytest.mark.parametrize(
    ("country", "told"), [("US", "US"), ("us", "US"), ("ZAF", "ZA"), ("England", None), (7, None)]
)
async def test_details_that_are_missing_or_odd_are_left_out(country: object, told: str | None) -> None:
    intuit = company(LegalName="Acorn Ltd", Country=country)
    intuit.put("Preferences", "1", CurrencyPrefs="none")

    found = await details(intuit)

    assert (found.name, found.country, found.currency) == ("Acorn Ltd", told, None)


async def test_a_company_without_a_name_is_broken() -> None:
    with pytest.raises(ProviderBroken, match="has no name"):
        await details(company(CompanyName=" "))


async def test_a_consent_reaches_its_one_company() -> None:
    async with reading(company(CompanyName="Acorn")) as kept:
        found = await QUICKBOOKS.organisations(kept.session, None)

    assert found == [Reached(external_id=REALM, name="Acorn", consented=True)]


async def test_who_lost_the_company_is_told_so_and_not_that_it_reaches_nothing() -> None:
    async with talking(QUICKBOOKS, organisation=REALM) as talk:
        talk.pretender.will(said({"Fault": {"Error": [{"code": "120"}]}}, status=401))

        with pytest.raises(AccessLost):
            await QUICKBOOKS.organisations(talk.session, None)


async def test_a_company_that_removed_the_app_is_reached_no_more() -> None:
    async with talking(QUICKBOOKS, organisation=REALM) as talk:
        talk.pretender.will(said({"fault": {"error": [{"code": "3100"}]}}, status=403))

        assert await QUICKBOOKS.organisations(talk.session, None) == []


async def test_letting_go_asks_nothing_of_intuit() -> None:
    async with talking(QUICKBOOKS, organisation=REALM) as talk:
        await QUICKBOOKS.release(talk.session, REALM)

    assert talk.pretender.received == []


def test_the_readmes_limits_are_those_that_hold() -> None:
    header, *rows = table("quickbooks", "Limits", first="limit")
    assert header[2:4] == ["builder", "silver`, `gold`, `platinum"]
    assert all(cells[-1].startswith("[") for cells in rows)
    told = {name.partition("`:")[0].partition(":")[0].strip("`"): cells for name, *cells in rows}

    for column, tier in [(1, "builder"), (2, "silver"), (2, "gold"), (2, "platinum")]:
        limits = {limit.name: limit.most for limit in QUICKBOOKS.limits(tier)}
        figures = {name: re.sub(r"\D", "", cells[column]) for name, cells in told.items()}
        assert {name: int(figure) for name, figure in figures.items() if figure} == limits
    assert QUICKBOOKS.info.tiers == ("builder", "silver", "gold", "platinum")
    assert QUICKBOOKS.limits(None) == QUICKBOOKS.limits("builder") == QUICKBOOKS.limits("new one")
    scopes = {limit.name: limit.scope for limit in QUICKBOOKS.limits(None)}
    assert [name for name, scope in scopes.items() if scope is LimitScope.APP] == ["month"]
    assert [one.kind for one in QUICKBOOKS.limits(None)] == [
        LimitKind.CONCURRENCY,
        LimitKind.RATE,
        LimitKind.RATE,
        LimitKind.MONTH,
    ]


def test_the_readme_says_what_is_read_and_how_often() -> None:
    _, *rows = table("quickbooks", "What is read", first="Feed")

    every = {timedelta(hours=1): "hour", timedelta(days=1): "day", timedelta(days=7): "week"}
    assert [(name, how, often) for name, _, how, often in rows] == [
        (feed.name, "whole" if feed.kind is FeedKind.SNAPSHOT else "changes", every[feed.every])
        for feed in QUICKBOOKS.info.feeds[Product.DATA_HEALTH]
    ]


def _numbers(cells: Sequence[str]) -> list[int]:
    return [int(re.sub(r"\D", "", cell)) for cell in cells]


async def test_the_readmes_calls_are_those_that_are_made() -> None:
    (_, _, *sizes), *rows = table("quickbooks", "What it costs", first="Feed")
    promised = {feed: _numbers(cells) for feed, *cells in rows}
    made: dict[str, list[int]] = {feed: [] for feed in promised}

    for size in _numbers(sizes):
        intuit = company(CompanyName="Acorn")
        for entity in ("TaxCode", "TaxRate", "Account", "Bill", "Invoice"):
            intuit.fill(entity, size)
        async with reading(intuit) as kept:
            for feed in QUICKBOOKS.info.feeds[Product.DATA_HEALTH]:
                calls = []
                cursor = None
                for _ in ("first", "again"):
                    intuit.calls.clear()
                    async for page in QUICKBOOKS.pull(kept.session, feed, cursor):
                        cursor = page.cursor
                    calls.append(len(intuit.calls))
                made[feed.name] = [*(made[feed.name] or calls[1:]), calls[0]]

    assert promised == made
