"""Documents that hang on Xero's records: whose they are, what is told of them, and their bytes."""

from __future__ import annotations

import pytest

from tests.sandbox.xero import BOOKS_SCOPES, RECEIPT, Person, Xero

SCOPE = f"{BOOKS_SCOPES} accounting.attachments.read"


@pytest.fixture
async def bill(xero: Xero, person: Person) -> str:
    """The path of one that has a receipt."""
    change = {"HasAttachments": True, "Attachments": [RECEIPT]}
    path = f"/organisations/{person.tenants[0]}"
    id_ = (await xero.control("GET", f"{path}/books"))["invoices"][0]["InvoiceID"]
    await xero.control("POST", f"{path}/records", {"dataset": "invoices", "id": id_, "change": change})
    return f"Invoices/{id_}/Attachments"


async def test_what_hangs_on_a_record_is_listed(xero: Xero, person: Person, bill: str) -> None:
    token = (await xero.connect(person, person.tenants[0], scope=SCOPE))["access_token"]
    [account, *_] = (await xero.read(token, person.tenants[0], "Accounts")).json()["Accounts"]

    listed = await xero.read(token, person.tenants[0], bill)
    nothing = await xero.read(token, person.tenants[0], f"Accounts/{account['AccountID']}/Attachments")

    assert listed.json()["Attachments"] == [RECEIPT]
    assert nothing.json()["Attachments"] == []


@pytest.mark.parametrize("by", ["AttachmentID", "FileName"])
async def test_a_document_is_read_by_its_id_or_its_name(
    xero: Xero, person: Person, bill: str, by: str
) -> None:
    token = (await xero.connect(person, person.tenants[0], scope=SCOPE))["access_token"]

    document = await xero.read(token, person.tenants[0], f"{bill}/{RECEIPT[by]}")

    assert (document.headers["content-type"], len(document.content)) == ("application/pdf", 2_000)


async def test_documents_have_a_scope_of_their_own(xero: Xero, person: Person, bill: str) -> None:
    books = await xero.connect(person, person.tenants[0])
    refused = await xero.read(books["access_token"], person.tenants[0], bill)
    documents = await xero.connect(person, person.tenants[0], scope="openid accounting.attachments")
    allowed = await xero.read(documents["access_token"], person.tenants[0], bill)

    assert (refused.status_code, allowed.status_code) == (401, 200)


@pytest.mark.parametrize(
    "path",
    [
        "Invoices/0b6d2ad4-3d1c-4a8f-9d6b-5d9a4a3c1e10/Attachments",
        "TaxRates/NONE/Attachments",
        "Nonsense/1/Attachments",
        "Attachments",
    ],
)
async def test_documents_of_what_is_not_there_are_not_there(xero: Xero, person: Person, path: str) -> None:
    token = (await xero.connect(person, person.tenants[0], scope=SCOPE))["access_token"]

    assert (await xero.read(token, person.tenants[0], path)).status_code == 404
    assert (await xero.read(token, person.tenants[0])).status_code == 200
