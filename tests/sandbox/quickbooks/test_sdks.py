"""Intuit's own OAuth client and python-quickbooks against the sandbox: nothing in them is changed but the addresses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from intuitlib.client import AuthClient
from intuitlib.enums import Scopes
from intuitlib.exceptions import AuthClientError
from quickbooks import QuickBooks, exceptions, objects
from quickbooks.batch import batch_update
from quickbooks.cdc import change_data_capture

from tests.sandbox.conftest import Running
from tests.sandbox.quickbooks.intuit import CALLBACK, CLIENT_ID, SECRET, Intuit, Person, returned

pytestmark = pytest.mark.filterwarnings(
    r"ignore:datetime\.datetime\.utcnow:DeprecationWarning"
)  # intuitlib's

SCOPES = [Scopes.ACCOUNTING, Scopes.OPENID, Scopes.PROFILE, Scopes.EMAIL]
CLASSES = {
    "accounts": objects.Account,
    "bill_payments": objects.BillPayment,
    "bills": objects.Bill,
    "classes": objects.Class,
    "credit_memos": objects.CreditMemo,
    "customers": objects.Customer,
    "departments": objects.Department,
    "deposits": objects.Deposit,
    "invoices": objects.Invoice,
    "items": objects.Item,
    "journal_entries": objects.JournalEntry,
    "payment_methods": objects.PaymentMethod,
    "payments": objects.Payment,
    "purchases": objects.Purchase,
    "sales_receipts": objects.SalesReceipt,
    "tax_agencies": objects.TaxAgency,
    "tax_codes": objects.TaxCode,
    "tax_rates": objects.TaxRate,
    "terms": objects.Term,
    "transfers": objects.Transfer,
    "vendor_credits": objects.VendorCredit,
    "vendors": objects.Vendor,
}


@dataclass(frozen=True, kw_only=True)
class Sdk:
    """The SDKs with the tokens of one consent, for one company."""

    intuit: Intuit
    auth: Any
    books: Any

    async def truth(self, dataset: str) -> list[dict[str, Any]]:
        """What the books hold, but for what is inactive."""
        books = await self.intuit.control("GET", f"/companies/{self.books.company_id}/books")
        return [record for record in books[dataset] if record.get("Active", True)]

    async def edit(self, dataset: str, id_: str, **edit: Any) -> None:
        path = f"/companies/{self.books.company_id}/records"
        await self.intuit.control("POST", path, {"dataset": dataset, "id": id_, **edit})


@pytest.fixture
def auth(sandbox: Running) -> Iterator[Any]:
    """Pointed at the sandbox by its discovery document alone."""
    discovery = f"{sandbox.url}/quickbooks/.well-known/openid_configuration/"
    with AuthClient(CLIENT_ID, SECRET, CALLBACK, discovery) as client:
        yield client


@pytest.fixture
async def sdk(
    sandbox: Running, intuit: Intuit, person: Person, auth: Any, monkeypatch: pytest.MonkeyPatch
) -> Sdk:
    """Consent, code, tokens, books. The address of the books is the class's; plain HTTP has a switch of its own."""
    monkeypatch.setattr(QuickBooks, "api_url_v3", f"{sandbox.url}/quickbooks/v3")
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    consent = {"user": person.email, "company": person.realms[0], "decision": "allow"}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    asked = auth.get_authorization_url(SCOPES)
    back = returned(await intuit.http.post(asked, content=urlencode(consent), headers=headers))
    auth.get_bearer_token(back["code"], realm_id=back["realmId"])
    await intuit.control("PUT", "/limits", {"second": None})
    books = QuickBooks(auth_client=auth, company_id=auth.realm_id, minorversion=75, use_decimal=True)
    return Sdk(intuit=intuit, auth=auth, books=books)


async def test_it_takes_the_id_token_and_tells_who_signed_in(sdk: Sdk, person: Person) -> None:
    assert sdk.auth.id_token
    assert sdk.auth.get_user_info().json()["email"] == person.email
    assert (sdk.auth.expires_in, sdk.auth.x_refresh_token_expires_in) == (3_600, 101 * 86_400)


async def test_it_refreshes_and_revokes(sdk: Sdk) -> None:
    first = sdk.auth.refresh_token
    sdk.auth.refresh()
    same = sdk.auth.refresh_token
    await sdk.intuit.advance(hours=25)
    sdk.auth.refresh()
    with pytest.raises(AuthClientError) as stale:
        sdk.auth.refresh(first)
    revoked = sdk.auth.revoke()
    with pytest.raises(AuthClientError) as dead:
        sdk.auth.refresh()

    assert (same == first, sdk.auth.refresh_token == first, revoked) == (True, False, True)
    assert [one.value.status_code for one in (stale, dead)] == [400, 400]
    assert b"invalid_grant" in stale.value.content
    assert stale.value.intuit_tid


@pytest.mark.parametrize("dataset", CLASSES)
async def test_it_reads_every_record_counts_them_and_finds_one(sdk: Sdk, dataset: str) -> None:
    kind = CLASSES[dataset]

    told = kind.all(qb=sdk.books, max_results=1000)

    truth = await sdk.truth(dataset)
    assert [one.Id for one in told] == [one["Id"] for one in truth]
    assert kind.count(qb=sdk.books) == len(truth) > 0
    assert kind.get(told[-1].Id, qb=sdk.books).to_json() == told[-1].to_json()


async def test_it_reads_the_company_and_its_preferences(sdk: Sdk, person: Person) -> None:
    [listed] = objects.CompanyInfo.all(qb=sdk.books)
    info = objects.CompanyInfo.get(listed.Id, qb=sdk.books)
    preferences = objects.Preferences.get(qb=sdk.books)

    assert (info.CompanyName, listed.CompanyName) == (person.names[0], person.names[0])
    assert preferences.CurrencyPrefs.HomeCurrency.value == "USD"


async def test_it_filters_orders_and_pages_with_exact_amounts(sdk: Sdk) -> None:
    truth = sorted((await sdk.truth("bills")), key=lambda one: one["TotalAmt"])

    page = objects.Bill.filter(qb=sdk.books, order_by="TotalAmt DESC", start_position=3, max_results=4)
    chosen = objects.Bill.choose([truth[0]["Id"], truth[1]["Id"]], field="Id", qb=sdk.books)
    inactive = objects.Vendor.where("Active = False", qb=sdk.books)

    assert [one.TotalAmt for one in page] == [one["TotalAmt"] for one in truth[::-1][2:6]]
    assert {type(one.TotalAmt) for one in page} == {Decimal}
    assert {one.Id for one in chosen} == {truth[0]["Id"], truth[1]["Id"]}
    assert {one.Active for one in inactive} == {False}


async def test_it_reads_what_changed_and_what_was_deleted(sdk: Sdk) -> None:
    since = (await sdk.intuit.shared("GET", "/clock"))["now"]
    bill, vendor = (await sdk.truth("bills"))[0]["Id"], (await sdk.truth("vendors"))[0]["Id"]
    await sdk.edit("bills", bill, deleted=True)
    await sdk.edit("vendors", vendor, change={"DisplayName": "Renamed"})

    told = change_data_capture([objects.Bill, objects.Vendor, objects.Invoice], since, qb=sdk.books)

    assert [(one.Id, one.status) for one in told.Bill._object_list] == [(bill, "Deleted")]
    assert [(one.Id, one.DisplayName) for one in told.Vendor._object_list] == [(vendor, "Renamed")]
    assert not hasattr(told, "Invoice")


async def test_it_tells_which_items_of_a_batch_failed(sdk: Sdk) -> None:
    vendors = objects.Vendor.all(qb=sdk.books, max_results=2)

    told = batch_update(vendors, qb=sdk.books)

    assert (len(told.successes), len(told.faults)) == (0, 2)
    assert {fault.Error[0].code for fault in told.faults} == {"500"}


async def test_it_knows_intuits_codes(sdk: Sdk) -> None:
    with pytest.raises(exceptions.ObjectNotFoundException):
        objects.Bill.get("987654", qb=sdk.books)
    with pytest.raises(exceptions.ValidationException):
        objects.Employee.all(qb=sdk.books)
    with pytest.raises(exceptions.UnsupportedException):
        sdk.books.get_report("CashFlow")
    await sdk.intuit.control("PUT", f"/companies/{sdk.books.company_id}", {"suspended": True})
    with pytest.raises(exceptions.QuickbooksException) as suspended:
        objects.Bill.all(qb=sdk.books)
    await sdk.intuit.advance(hours=1)
    with pytest.raises(exceptions.AuthorizationException) as expired:
        objects.Bill.all(qb=sdk.books)

    assert suspended.value.error_code == 6190
    assert '"code": "3200"' in expired.value.detail


async def test_a_throttle_is_no_json_as_at_intuit(sdk: Sdk) -> None:
    await sdk.intuit.control("PUT", "/limits", {"minute": 1})
    objects.Bill.count(qb=sdk.books)

    with pytest.raises(exceptions.QuickbooksException, match="Error reading json response") as refused:
        objects.Bill.count(qb=sdk.books)

    assert "errorCode=003001" in refused.value.message
