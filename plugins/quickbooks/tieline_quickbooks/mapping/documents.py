"""Bills, invoices, credits and sales receipts.

`TotalAmt` holds the tax.
https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/bill
https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/creditmemo
"""

from __future__ import annotations

from dataclasses import replace

from tieline.canonical import Document, DocumentKind
from tieline_quickbooks.mapping.contacts import contact_ref
from tieline_quickbooks.mapping.exact import less
from tieline_quickbooks.mapping.lines import lines_of
from tieline_quickbooks.mapping.transactions import (
    account_ref,
    basis_of,
    has_attachments,
    has_effect,
    links,
    rate_of,
    status_of,
    tax_of,
)
from tieline_quickbooks.wire import Entry, amount, day, ref, text


def bill(id: str, entry: Entry) -> Document:
    return _billed(id, entry, DocumentKind.BILL, "Vendor")


def invoice(id: str, entry: Entry) -> Document:
    return _billed(id, entry, DocumentKind.INVOICE, "Customer")


def vendor_credit(id: str, entry: Entry) -> Document:
    return _credit(id, entry, DocumentKind.SUPPLIER_CREDIT_NOTE, "Vendor")


def credit_memo(id: str, entry: Entry) -> Document:
    return _credit(id, entry, DocumentKind.CREDIT_NOTE, "Customer")


def sales_receipt(id: str, entry: Entry) -> Document:
    """Paid on its own day, in full."""
    made = _document(id, entry, DocumentKind.SALES_RECEIPT, "Customer")
    due = amount(entry, "Balance")
    return replace(
        made,
        reference=text(entry, "PaymentRefNum"),
        paid_on=made.dated_on,
        paid=less(made.total, due),
        due=due,
        bank_account=account_ref(entry, "DepositToAccountRef"),
        method_id=ref(entry, "PaymentMethodRef"),
    )


def _billed(id: str, entry: Entry, kind: DocumentKind, contact: str) -> Document:
    """What was paid and what was credited is told in one figure: the total without what is due."""
    made, due = _document(id, entry, kind, contact), amount(entry, "Balance")
    return replace(made, due=due, paid=less(made.total, due) if due is not None else None)


def _credit(id: str, entry: Entry, kind: DocumentKind, contact: str) -> Document:
    """It is used by a payment, to which it is linked; what that settles with it, the payment tells."""
    left = amount(entry, "RemainingCredit")
    return replace(
        _document(id, entry, kind, contact),
        due=amount(entry, "Balance") if left is None else left,
        allocations=links(entry),
    )


def _document(id: str, entry: Entry, kind: DocumentKind, contact: str) -> Document:
    total, tax = amount(entry, "TotalAmt"), tax_of(entry)
    return Document(
        id=id,
        kind=kind,
        number=text(entry, "DocNumber"),
        reference=text(entry, "PONumber"),
        contact=contact_ref(entry, f"{contact}Ref", contact),
        dated_on=day(entry, "TxnDate"),
        due_on=day(entry, "DueDate"),
        paid_on=None,
        currency=ref(entry, "CurrencyRef"),
        currency_rate=rate_of(entry),
        tax_basis=basis_of(entry),
        subtotal=less(total, tax),
        tax=tax,
        total=total,
        paid=None,
        credited=None,
        due=None,
        has_attachments=has_attachments(entry),
        status=status_of(entry),
        active=has_effect(entry, total),
        lines=lines_of(entry),
        allocations=(),
    )
