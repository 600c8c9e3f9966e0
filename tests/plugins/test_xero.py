"""Xero as a provider: who consented, what a login reaches, an organisation's details, and letting one go."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plugins.pretending import Reply, said
from tests.plugins.sessions import NOW, Talk, talking
from tieline.errors import ProviderBroken, ProviderUnavailable
from tieline.plugins import (
    Consent,
    Grant,
    OrganisationDetails,
    Product,
    Reached,
    Registry,
    Subject,
    TokenSet,
)
from tieline.vault import Secret
from tieline_xero import Xero, tieline_provider

XERO = Xero()
USER = "b3c3b5a2-0c7e-4f6e-9d8c-2f2b8a7d1e11"
CONSENT = "7a3f1c55-6b1e-4f0b-8d58-1f1a3a9c0001"
CLAIMS = {"xero_userid": USER, "authentication_event_id": CONSENT, "scope": ["openid"]}
FEBRUARY = "2026-02-01T09:30:00.1234567"
YESTERDAYS = Consent(mark=CONSENT, at=NOW - timedelta(days=1))
JUST_THEN = "2026-11-02T09:21:00.1234567"
JUST_NOW = "2026-11-03T09:29:00.1234567"


def jwt(claims: object) -> str:
    middle = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return f"e30.{base64.urlsafe_b64encode(middle).decode().rstrip('=')}.c2lnbmVk"


def grant(access: str, id_token: str | None = None) -> Grant:
    tokens = TokenSet(
        access=Secret(access),
        refresh=None,
        id_token=None if id_token is None else Secret(id_token),
        expires_in=timedelta(minutes=30),
        refresh_expires_in=None,
        scopes=frozenset(),
    )
    return Grant(tokens=tokens, parameters={})


def connection(tenant: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"connection-{tenant}",
        "authEventId": "another-event",
        "tenantId": tenant,
        "tenantType": "ORGANISATION",
        "tenantName": f"{tenant.title()} Ltd",
        "createdDateUtc": FEBRUARY,
        "updatedDateUtc": FEBRUARY,
        **changes,
    }


async def organisations(entries: object, consent: Consent | None = YESTERDAYS) -> list[Reached]:
    async with talking(XERO) as talk:
        talk.pretender.will(said(entries))
        found = await XERO.organisations(talk.session, consent)
    assert talk.pretender.asked == ["GET /books/connections"]
    assert "xero-tenant-id" not in talk.pretender.received[0].headers
    return list(found)


def consented(found: list[Reached]) -> list[str]:
    return [one.external_id for one in found if one.consented]


def test_the_plugins_own_hook_gives_a_provider_that_fits() -> None:
    assert Registry.of(tieline_provider()).get("xero") == XERO


def test_data_health_asks_only_to_read() -> None:
    asked = set(XERO.oauth.scopes_for([Product.DATA_HEALTH])) - set(XERO.oauth.base_scopes)

    assert len(asked) == 7
    assert all(scope.endswith(".read") for scope in asked)


def test_a_consent_for_bookkeeping_covers_data_health_but_not_the_other_way_round() -> None:
    writing = {scope.removesuffix(".read") for scope in XERO.oauth.product_scopes[Product.DATA_HEALTH]}
    reading = set(XERO.oauth.scopes_for([Product.DATA_HEALTH]))

    assert XERO.oauth.covers(XERO.oauth.scopes_for([Product.BOOKKEEPING]), Product.DATA_HEALTH)
    assert XERO.oauth.covers(writing, Product.BOOKKEEPING)
    assert not XERO.oauth.covers(reading, Product.BOOKKEEPING)
    assert not XERO.oauth.covers(writing - {"accounting.contacts"}, Product.DATA_HEALTH)


def test_bookkeeping_reads_the_lists_and_data_health_the_documents_after_them() -> None:
    named = {product: [feed.name for feed in feeds] for product, feeds in XERO.info.feeds.items()}

    lists = [
        *("organisation", "accounts", "tax_rates", "tracking_categories", "contacts"),
        *("items", "currencies", "branding_themes"),
    ]
    documents = [
        *("invoices", "credit_notes", "payments", "prepayments", "overpayments"),
        *("bank_transactions", "bank_transfers", "journals"),
    ]
    assert named == {Product.BOOKKEEPING: lists, Product.DATA_HEALTH: [*lists, *documents]}


def test_who_consented_stands_in_the_access_token_and_the_login_in_the_id_token() -> None:
    subject = XERO.subject(grant(jwt(CLAIMS), jwt({"email": "ada@firm.test", "name": "Ada"})))

    assert subject == Subject(id=USER, login="ada@firm.test", consent=CONSENT)


@pytest.mark.parametrize(
    ("id_token", "login"),
    [
        (jwt({"preferred_username": "ada", "name": "Ada"}), "ada"),
        (jwt({"email": " ", "name": " Ada  Lovelace "}), "Ada Lovelace"),
        (jwt({"email": 7, "name": "Ada"}), "Ada"),
        (jwt({"email": "x" * 321, "name": "Ada"}), "Ada"),
        (jwt({"email": "a\u202eb", "name": "Ada"}), "Ada"),
        (jwt({}), None),
        (jwt([]), None),
        ("garbage", None),
        (None, None),
    ],
)
def test_a_login_without_a_readable_name_is_still_a_login(id_token: str | None, login: str | None) -> None:
    subject = XERO.subject(grant(jwt(CLAIMS), id_token))

    assert subject == Subject(id=USER, login=login, consent=CONSENT)


@pytest.mark.parametrize("event", [None, 7, "", "a b", ["x"]])
def test_a_consent_without_a_mark_is_still_a_consent(event: object) -> None:
    subject = XERO.subject(grant(jwt({**CLAIMS, "authentication_event_id": event})))

    assert subject == Subject(id=USER, login=None, consent=None)


@pytest.mark.parametrize(
    "access",
    [
        "opaque-token",
        "a.b",
        "a.b.c.d",
        "e30.%%%.x",
        "e30.AAAAA.x",
        jwt(b"\xff\xfe"),
        jwt(b"[" * 100_000),
        jwt([USER]),
        jwt({}),
        jwt({"xero_userid": None}),
        jwt({"xero_userid": 7}),
        jwt({"xero_userid": ""}),
        jwt({"xero_userid": "a b"}),
        jwt({"xero_userid": "a" * 129}),
    ],
)
def test_an_access_token_that_names_no_user_is_broken_and_not_quoted(access: str) -> None:
    with pytest.raises(ProviderBroken, match=r"is no JWT|names no Xero user") as caught:
        XERO.subject(grant(access))

    assert (caught.value.__cause__, access in str(caught.value)) == (None, False)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126)) | st.binary().map(jwt))
def test_any_token_is_read_or_broken(token: str) -> None:
    with pytest.raises(ProviderBroken):
        XERO.subject(grant(token))
    assert XERO.subject(grant(jwt(CLAIMS), token)).id == USER


async def test_organisations_are_told_from_practices_and_marked_where_this_consent_brought_them() -> None:
    found = await organisations(
        [
            connection("acme", authEventId=CONSENT.upper()),
            connection("birch", tenantType="PRACTICE", authEventId=CONSENT),
            connection("cedar", updatedDateUtc=JUST_THEN),
            connection("dune", tenantType="Organisation", tenantName=None),
            connection("elm", tenantType=None),
        ]
    )

    assert found == [
        Reached(external_id="acme", name="Acme Ltd", consented=True),
        Reached(external_id="cedar", name="Cedar Ltd", consented=False),
        Reached(external_id="dune", name="dune", consented=False),
    ]


@pytest.mark.parametrize("mark", [CONSENT, None])
async def test_where_no_entry_bears_the_mark_those_changed_around_the_consent_count(mark: str | None) -> None:
    found = await organisations(
        [
            connection("acme", updatedDateUtc=JUST_THEN),
            connection("birch"),
            connection("cedar", updatedDateUtc="2026-11-02T09:20:00"),
            connection("dune", updatedDateUtc="2026-11-02T09:19:59.9999999"),
            connection("elm", updatedDateUtc="2026-11-02T10:25:00+01:00"),
            connection("fir", updatedDateUtc="yesterday"),
            connection("gorse", updatedDateUtc=None, authEventId=""),
            connection("hazel", updatedDateUtc="2026-11-02T09:32:00"),
            connection("ivy", updatedDateUtc="2026-11-02T09:32:00.000001"),
            connection("juniper", updatedDateUtc=JUST_NOW),
        ],
        replace(YESTERDAYS, mark=mark),
    )

    assert consented(found) == ["acme", "cedar", "elm", "hazel"]


async def test_nothing_is_marked_when_no_consent_is_asked_about() -> None:
    entries = [connection("acme", updatedDateUtc=JUST_THEN), connection("birch", authEventId="")]

    assert consented(await organisations(entries, None)) == []


async def test_a_mark_on_anything_at_all_keeps_the_fallback_away() -> None:
    entries = [
        connection("acme", updatedDateUtc=JUST_THEN),
        connection("birch", tenantType="PRACTICE", authEventId=CONSENT),
    ]

    assert consented(await organisations(entries)) == []


async def test_a_login_that_lost_everything_reaches_nothing() -> None:
    assert await organisations([]) == []


async def test_an_organisation_that_is_listed_twice_is_reached_once_and_marked_if_either_is() -> None:
    entries = [connection("acme", tenantName="First"), connection("acme", authEventId=CONSENT)]

    assert await organisations(entries) == [Reached(external_id="acme", name="First", consented=True)]


@pytest.mark.parametrize(
    "entries", [{}, [7], [connection("")], [connection("acme", id=None)], [connection("acme"), {}], "x"]
)
async def test_a_list_that_cannot_be_read_whole_is_broken_so_that_nobody_seems_gone(entries: object) -> None:
    with pytest.raises(ProviderBroken):
        await organisations(entries)


async def details(entry: object) -> OrganisationDetails:
    async with talking(XERO, organisation="acme") as talk:
        talk.pretender.will(said({"Status": "OK", "Organisations": entry}))
        found = await XERO.organisation(talk.session)
    assert talk.pretender.asked == ["GET /books/api.xro/2.0/Organisation"]
    assert talk.pretender.received[0].headers["xero-tenant-id"] == "acme"
    return found


async def test_details_are_read_and_the_organisations_own_key_is_not() -> None:
    found = await details(
        [
            {
                "Name": "Acme",
                "LegalName": "Acme Limited",
                "CountryCode": "gb",
                "BaseCurrency": "GBP",
                "TaxNumber": "GB 123",
                "RegistrationNumber": "00123",
                "Timezone": "GMTSTANDARDTIME",
                "APIKey": "XeroToXeroKey",
            }
        ]
    )

    assert found == OrganisationDetails(
        name="Acme",
        legal_name="Acme Limited",
        country="GB",
        currency="GBP",
        tax_number="GB 123",
        registration_number="00123",
        timezone="GMTSTANDARDTIME",
    )
    assert "XeroToXeroKey" not in repr(found)


@pytest.mark.parametrize(
    ("entry", "name", "legal_name"),
    [
        ({"Name": " Acme \n Shop ", "CountryCode": "GLOBAL", "BaseCurrency": ""}, "Acme Shop", None),
        ({"Name": "Acme", "LegalName": "", "CountryCode": 7, "TaxNumber": 12}, "Acme", None),
        ({"Name": None, "LegalName": "Acme Ltd", "BaseCurrency": ["GBP"]}, "Acme Ltd", "Acme Ltd"),
    ],
)
async def test_details_that_are_missing_or_odd_are_left_out(
    entry: dict[str, Any], name: str, legal_name: str | None
) -> None:
    assert await details([entry]) == OrganisationDetails(
        name=name,
        legal_name=legal_name,
        country=None,
        currency=None,
        tax_number=None,
        registration_number=None,
        timezone=None,
    )


@pytest.mark.parametrize("entry", [None, [], {}, [7], [{}], [{"Name": " "}], [{"Name": 7}]])
async def test_an_organisation_without_a_name_is_broken(entry: object) -> None:
    with pytest.raises(ProviderBroken):
        await details(entry)


async def release(*replies: Reply, tenant: str = "acme") -> Talk:
    async with talking(XERO) as talk:
        talk.pretender.will(said([connection("acme", id="c/1"), connection("birch")]), *replies)
        await XERO.release(talk.session, tenant)
    return talk


async def test_letting_go_deletes_the_connection_by_its_own_id() -> None:
    talk = await release(Reply(status=204, body=b""), tenant="ACME")

    assert talk.pretender.asked == ["GET /books/connections", "DELETE /books/connections/c%2F1"]


async def test_letting_go_of_what_is_not_connected_does_nothing() -> None:
    talk = await release(tenant="cedar")

    assert talk.pretender.asked == ["GET /books/connections"]


@pytest.mark.parametrize(
    "reply", [Reply(status=404), said({"Detail": "AuthenticationUnsuccessful"}, status=403)]
)
async def test_letting_go_of_what_has_just_gone_is_harmless(reply: Reply) -> None:
    talk = await release(reply)

    assert len(talk.pretender.received) == 2


async def test_letting_go_does_not_hide_that_xero_is_away() -> None:
    with pytest.raises(ProviderUnavailable):
        await release(Reply(status=503))
