"""The kinds of records that Xero has: where each stands in an answer, what it is known by, how it is mapped."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tieline.canonical import DocumentKind
from tieline_xero.mapping.banking import bank_transaction, bank_transfer
from tieline_xero.mapping.contacts import contact
from tieline_xero.mapping.documents import CREDIT_NOTES, INVOICES, document
from tieline_xero.mapping.items import item
from tieline_xero.mapping.journals import journal
from tieline_xero.mapping.lists import account, organisation, tax_rate, tracking_category
from tieline_xero.mapping.payments import advance, payment
from tieline_xero.mapping.settings import branding_theme, currency
from tieline_xero.mapping.sorting import Canonical, Noun
from tieline_xero.wire import Entry, Unreadable, guid, text

_DATASET = {
    DocumentKind.INVOICE: "invoices",
    DocumentKind.BILL: "bills",
    DocumentKind.CREDIT_NOTE: "credit_notes",
    DocumentKind.SUPPLIER_CREDIT_NOTE: "supplier_credit_notes",
}


def _noun(
    collection: str,
    dataset: str,
    id_field: str,
    mapped: Callable[[str, Entry], Canonical],
    *,
    status_field: str = "Status",
    identify: Callable[[Entry, str], str | None] = guid,
) -> Noun:
    return Noun(
        collection=collection,
        dataset=lambda _: dataset,
        mapped=mapped,
        identify=lambda entry: identify(entry, id_field),
        id_field=id_field,
        status_field=status_field,
    )


def _documents(collection: str, id_field: str, kinds: Mapping[str, DocumentKind], otherwise: str) -> Noun:
    """One collection for what is sold and what is bought: `Type` says which."""

    def kind(entry: Entry) -> DocumentKind:
        found = kinds.get((text(entry, "Type") or "").upper())
        if found is None:
            raise Unreadable(f"Its Type is neither {otherwise}.")
        return found

    return Noun(
        collection=collection,
        dataset=lambda entry: _DATASET[kind(entry)],
        mapped=lambda id_, entry: document(id_, entry, kind(entry)),
        identify=lambda entry: guid(entry, id_field),
        id_field=id_field,
    )


NOUNS: Mapping[str, Noun] = {
    "organisation": _noun(
        "Organisations",
        "organisation",
        "OrganisationID",
        organisation,
        status_field="OrganisationStatus",
    ),
    "accounts": _noun("Accounts", "accounts", "AccountID", account),
    "tax_rates": _noun("TaxRates", "tax_rates", "TaxType", tax_rate, identify=text),
    "tracking_categories": _noun(
        "TrackingCategories", "tracking_categories", "TrackingCategoryID", tracking_category
    ),
    "contacts": _noun("Contacts", "contacts", "ContactID", contact, status_field="ContactStatus"),
    "items": _noun("Items", "items", "ItemID", item),
    "currencies": _noun("Currencies", "currencies", "Code", currency, identify=text),
    "branding_themes": _noun("BrandingThemes", "branding_themes", "BrandingThemeID", branding_theme),
    "invoices": _documents("Invoices", "InvoiceID", INVOICES, "an invoice nor a bill"),
    "credit_notes": _documents(
        "CreditNotes", "CreditNoteID", CREDIT_NOTES, "a customer's nor a supplier's credit note"
    ),
    "payments": _noun("Payments", "payments", "PaymentID", payment),
    "prepayments": _noun("Prepayments", "prepayments", "PrepaymentID", advance),
    "overpayments": _noun("Overpayments", "overpayments", "OverpaymentID", advance),
    "bank_transactions": _noun(
        "BankTransactions", "bank_transactions", "BankTransactionID", bank_transaction
    ),
    "bank_transfers": _noun("BankTransfers", "bank_transfers", "BankTransferID", bank_transfer),
    "journals": _noun("ManualJournals", "journals", "ManualJournalID", journal),
}
"""By the name of the feed that brings them, lists before what refers to them."""
