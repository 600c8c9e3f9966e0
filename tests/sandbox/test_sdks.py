"""Xero's own SDK against the sandbox: nothing in it is changed but the addresses."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token, TokenApi
from xero_python.exceptions import HTTPStatusException, NotFoundException, RateLimitException
from xero_python.identity import IdentityApi

from tests.sandbox.books import Books
from tests.sandbox.conftest import Running
from tests.sandbox.xero import CLIENT_ID, RECEIPT, SCOPES, SECRET, Person, Xero

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # the SDK's, after a retry

RECORDS = {
    "accounts": ("get_accounts", "get_account", "account_id"),
    "bank_transactions": ("get_bank_transactions", "get_bank_transaction", "bank_transaction_id"),
    "bank_transfers": ("get_bank_transfers", "get_bank_transfer", "bank_transfer_id"),
    "branding_themes": ("get_branding_themes", "get_branding_theme", "branding_theme_id"),
    "contacts": ("get_contacts", "get_contact", "contact_id"),
    "credit_notes": ("get_credit_notes", "get_credit_note", "credit_note_id"),
    "currencies": ("get_currencies", None, "code"),
    "invoices": ("get_invoices", "get_invoice", "invoice_id"),
    "items": ("get_items", "get_item", "item_id"),
    "manual_journals": ("get_manual_journals", "get_manual_journal", "manual_journal_id"),
    "overpayments": ("get_overpayments", "get_overpayment", "overpayment_id"),
    "payments": ("get_payments", "get_payment", "payment_id"),
    "prepayments": ("get_prepayments", "get_prepayment", "prepayment_id"),
    "tax_rates": ("get_tax_rates", "get_tax_rate_by_tax_type", "tax_type"),
    "tracking_categories": ("get_tracking_categories", "get_tracking_category", "tracking_category_id"),
}
BEARER = {"token_type": "Bearer", "expires_in": 1800, "scope": SCOPES}
MORE = {"contacts": {"include_archived": True}, "bank_transfers": {"include_deleted": True}}


@dataclass(frozen=True, kw_only=True)
class Sdk:
    """The SDK with the tokens of one consent, which it keeps in `tokens` as it renews them."""

    client: Any
    accounting: Any
    identity: Any
    tokens: list[dict[str, Any]]

    def signed_in(self, pair: dict[str, Any]) -> None:
        self.client.set_oauth2_token(pair | {"scope": pair["scope"].split()})


@pytest.fixture
def sdk(sandbox: Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sdk]:
    """It lets the address of the books be given; those for tokens are the class's."""
    monkeypatch.setattr(TokenApi, "refresh_token_url", f"{sandbox.url}/xero/connect/token")
    monkeypatch.setattr(TokenApi, "revoke_token_url", f"{sandbox.url}/xero/connect/revocation")
    tokens: list[dict[str, Any]] = []
    app = OAuth2Token(client_id=CLIENT_ID, client_secret=SECRET)
    configuration = Configuration(oauth2_token=app)
    configuration.temp_folder_path = str(tmp_path)
    client = ApiClient(configuration)
    client.set_default_header("Connection", "close")
    client.oauth2_token_getter(lambda: tokens[-1])
    client.oauth2_token_saver(tokens.append)
    yield Sdk(
        client=client,
        accounting=AccountingApi(client, base_url=f"{sandbox.url}/xero/api.xro/2.0"),
        identity=IdentityApi(client, base_url=f"{sandbox.url}/xero"),
        tokens=tokens,
    )
    client.rest_client.pool_manager.clear()
    client.last_response = None
    gc.collect()  # what the SDK leaves open is gone here, and not in somebody else's test


@pytest.fixture
async def tenant(xero: Xero, person: Person, sdk: Sdk) -> str:
    """One of the person's organisations, which the SDK may read."""
    sdk.signed_in(await xero.connect(person, person.tenants[0]))
    return person.tenants[0]


@pytest.mark.parametrize("dataset", RECORDS)
async def test_it_reads_every_record_whole_and_by_its_id(books: Books, sdk: Sdk, dataset: str) -> None:
    every, one, id_field = RECORDS[dataset]
    sdk.signed_in({**BEARER, "access_token": books.access_token})

    told = getattr(getattr(sdk.accounting, every)(books.tenant, **MORE.get(dataset, {})), dataset)
    again = (
        getattr(getattr(sdk.accounting, one)(books.tenant, getattr(told[0], id_field)), dataset)
        if one
        else []
    )

    truth = await books.truth(dataset)
    assert len(told) == len(truth) > 0
    assert [getattr(each, id_field) for each in again] == [
        getattr(each, id_field) for each in told[:1] if one
    ]


async def test_it_reads_the_organisation_and_where_the_person_is_connected(
    person: Person, sdk: Sdk, tenant: str
) -> None:
    [connection] = sdk.identity.get_connections()
    [organisation] = sdk.accounting.get_organisations(tenant).organisations

    assert (connection.tenant_id, connection.tenant_type) == (tenant, "ORGANISATION")
    assert connection.created_date_utc.tzinfo is not None
    assert (organisation.name, organisation.organisation_id) == (person.names[0], tenant)


async def test_it_reads_changed_invoices_in_pages_with_amounts_and_dates(books: Books, sdk: Sdk) -> None:
    sdk.signed_in({**BEARER, "access_token": books.access_token})
    asked = {
        "if_modified_since": datetime(2026, 3, 1, tzinfo=UTC),
        "where": 'Type=="ACCPAY"',
        "order": "UpdatedDateUTC ASC",
        "page_size": 20,
    }
    first = sdk.accounting.get_invoices(books.tenant, page=1, **asked)
    pages = range(2, first.pagination.page_count + 1)
    others = [sdk.accounting.get_invoices(books.tenant, page=page, **asked) for page in pages]

    told = [invoice for page in (first, *others) for invoice in page.invoices]
    truth = {one["InvoiceID"]: one for one in await books.truth("invoices") if one["Type"] == "ACCPAY"}
    since = datetime(2026, 3, 1, tzinfo=UTC)
    assert len(told) == first.pagination.item_count > 20
    assert [one.updated_date_utc for one in told] == sorted(one.updated_date_utc for one in told)
    assert all(one.updated_date_utc >= since for one in told)
    assert [one.total for one in told] == [truth[one.invoice_id]["Total"] for one in told]
    assert {(type(one.total), type(one.date), bool(one.line_items)) for one in told} == {
        (Decimal, date, True)
    }


async def test_it_finds_a_contact_by_the_number_that_somebody_gave_it(books: Books, sdk: Sdk) -> None:
    sdk.signed_in({**BEARER, "access_token": books.access_token})
    made = await books.edit("contacts", create={"ContactNumber": "C 7"})

    [found] = sdk.accounting.get_contact_by_contact_number(books.tenant, "C 7").contacts

    assert (found.contact_id, found.contact_number) == (made["ContactID"], "C 7")


async def test_it_lists_and_fetches_what_hangs_on_an_account(
    xero: Xero, person: Person, sdk: Sdk, tmp_path: Path
) -> None:
    scope = "openid accounting.settings.read accounting.attachments.read"
    sdk.signed_in(await xero.connect(person, person.tenants[0], scope=scope))
    account = sdk.accounting.get_accounts(person.tenants[0]).accounts[0].account_id
    change = {"Attachments": [{**RECEIPT, "ContentLength": 9}]}
    path = f"/organisations/{person.tenants[0]}/records"
    await xero.control("POST", path, {"dataset": "accounts", "id": account, "change": change})

    [listed] = sdk.accounting.get_account_attachments(person.tenants[0], account).attachments
    place = sdk.accounting.get_account_attachment_by_id(
        person.tenants[0], account, listed.attachment_id, listed.mime_type
    )

    assert Path(place).parent == tmp_path
    assert (listed.file_name, listed.content_length) == (RECEIPT["FileName"], 9)
    assert await asyncio.to_thread(Path(place).read_bytes) == b"receipt n"


async def test_it_renews_tokens_that_are_about_to_expire(xero: Xero, sdk: Sdk, tenant: str) -> None:
    [before] = sdk.tokens
    await xero.advance(minutes=31)
    sdk.tokens[-1] = before | {"expires_at": 0}

    assert sdk.accounting.get_organisations(tenant).organisations
    assert sdk.tokens[-1]["refresh_token"] != before["refresh_token"]


async def test_it_ends_a_connection_and_the_whole_consent(sdk: Sdk, tenant: str) -> None:
    [connection] = sdk.identity.get_connections()
    sdk.identity.delete_connection(connection.id)
    with pytest.raises(HTTPStatusException) as refused:
        sdk.accounting.get_accounts(tenant)
    left = sdk.identity.get_connections()
    before = sdk.tokens[-1]
    sdk.client.revoke_oauth2_token()
    sdk.tokens.append(before)

    assert (refused.value.status, left) == (403, [])
    with pytest.raises(HTTPStatusException) as dead:
        sdk.client.refresh_oauth2_token()
    assert (dead.value.status, dead.value.body) == (400, b'{"error":"invalid_grant"}')


async def test_it_waits_as_long_as_it_is_told_and_goes_on(xero: Xero, sdk: Sdk, tenant: str) -> None:
    await xero.plant("throttle", endpoint="accounting", problem="minute", retry_after=0)

    assert sdk.accounting.get_accounts(tenant).accounts
    assert [entry["status"] for entry in await xero.log(endpoint="accounting")][-2:] == [429, 200]


async def test_it_knows_the_limit_that_tells_no_wait(xero: Xero, sdk: Sdk, tenant: str) -> None:
    await xero.plant("throttle", endpoint="accounting", problem="concurrent")

    with pytest.raises(RateLimitException) as refused:
        sdk.accounting.get_accounts(tenant)

    assert refused.value.rate_limit == "concurrent"


async def test_it_knows_each_way_to_say_no(xero: Xero, sdk: Sdk, tenant: str) -> None:
    with pytest.raises(NotFoundException):
        sdk.accounting.get_invoice(tenant, "00000000-0000-4000-8000-000000000000")
    with pytest.raises(NotFoundException):
        sdk.accounting.get_users(tenant)
    with pytest.raises(HTTPStatusException) as unreadable:
        sdk.accounting.get_invoices(tenant, where="Nonsense===")
    with pytest.raises(HTTPStatusException) as elsewhere:
        sdk.accounting.get_accounts("00000000-0000-4000-8000-000000000000")
    await xero.advance(minutes=31)
    with pytest.raises(HTTPStatusException) as expired:
        sdk.accounting.get_accounts(tenant)

    assert unreadable.value.error_data["Type"] == "QueryParseException"
    assert [one.value.status for one in (elsewhere, expired)] == [403, 401]
    assert b"TokenExpired" in expired.value.body
