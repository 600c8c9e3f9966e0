"""One record of Xero's books, by its id and by what people call it."""

from __future__ import annotations

import pytest

from tests.sandbox.books import ID_FIELDS, Books


@pytest.mark.parametrize(
    ("resource", "dataset", "field"),
    [
        ("Invoices", "invoices", "InvoiceNumber"),
        ("CreditNotes", "credit_notes", "CreditNoteNumber"),
        ("Items", "items", "Code"),
    ],
)
async def test_one_record_by_what_people_call_it(
    books: Books, resource: str, dataset: str, field: str
) -> None:
    wanted = (await books.truth(dataset))[3]

    found = (await books.read(f"{resource}/{wanted[field]}"))[resource]

    assert [one[ID_FIELDS[resource]] for one in found] == [wanted[ID_FIELDS[resource]]]


async def test_a_contact_is_found_by_the_number_that_somebody_gave_it(books: Books) -> None:
    made = await books.edit("contacts", create={"ContactNumber": "C 7"})

    found = (await books.read("Contacts/C 7"))["Contacts"]
    unknown = await books.xero.read(books.access_token, books.tenant, "Contacts/C8")

    assert [one["ContactID"] for one in found] == [made["ContactID"]]
    assert unknown.status_code == 404


async def test_no_invoice_was_made_by_the_app(books: Books) -> None:
    assert await books.ids("Invoices", createdByMyApp="true") == []
    assert len(await books.ids("Invoices", createdByMyApp="false")) == 230
