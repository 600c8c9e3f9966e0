"""Invoices, bills and both kinds of credit notes.

https://developer.xero.com/documentation/api/accounting/invoices
https://developer.xero.com/documentation/api/accounting/creditnotes
"""

from __future__ import annotations

from tieline.canonical import Document, DocumentKind
from tieline_xero.mapping.contacts import contact_ref
from tieline_xero.mapping.parts import allocations, basis, has_effect, lines
from tieline_xero.wire import Entry, amount, day, flag, text

INVOICES = {"ACCREC": DocumentKind.INVOICE, "ACCPAY": DocumentKind.BILL}
CREDIT_NOTES = {
    "ACCRECCREDIT": DocumentKind.CREDIT_NOTE,
    "ACCPAYCREDIT": DocumentKind.SUPPLIER_CREDIT_NOTE,
}
_LEFT = {DocumentKind.INVOICE: "AmountDue", DocumentKind.BILL: "AmountDue"}
_NUMBER = {DocumentKind.INVOICE: "InvoiceNumber", DocumentKind.BILL: "InvoiceNumber"}


def document(id: str, entry: Entry, kind: DocumentKind) -> Document:
    status = text(entry, "Status")
    return Document(
        id=id,
        kind=kind,
        number=text(entry, _NUMBER.get(kind, "CreditNoteNumber")),
        reference=text(entry, "Reference"),
        contact=contact_ref(entry),
        dated_on=day(entry, "Date"),
        due_on=day(entry, "DueDate"),
        paid_on=day(entry, "FullyPaidOnDate"),
        currency=text(entry, "CurrencyCode"),
        currency_rate=amount(entry, "CurrencyRate"),
        tax_basis=basis(entry),
        subtotal=amount(entry, "SubTotal"),
        tax=amount(entry, "TotalTax"),
        total=amount(entry, "Total"),
        paid=amount(entry, "AmountPaid"),
        credited=amount(entry, "AmountCredited"),
        due=amount(entry, _LEFT.get(kind, "RemainingCredit")),
        has_attachments=flag(entry, "HasAttachments"),
        status=status,
        active=has_effect(status),
        lines=lines(entry),
        allocations=allocations(entry),
    )
