"""Invoices, bills and bank transactions, with their lines.

https://developer.xero.com/documentation/api/accounting/invoices
https://developer.xero.com/documentation/api/accounting/banktransactions
"""

from __future__ import annotations

from tieline.canonical import (
    AccountRef,
    BankTransaction,
    Direction,
    Document,
    DocumentKind,
    Line,
    TaxBasis,
    Tracked,
)
from tieline_xero.mapping.contacts import contact_ref
from tieline_xero.wire import Entry, amount, day, flag, guid, part, parts, text

KINDS = {"ACCREC": DocumentKind.INVOICE, "ACCPAY": DocumentKind.BILL}
_BASES = {"exclusive": TaxBasis.EXCLUSIVE, "inclusive": TaxBasis.INCLUSIVE, "notax": TaxBasis.NO_TAX}
_DIRECTIONS = {"RECEIVE": Direction.IN, "SPEND": Direction.OUT}
_WITHOUT_EFFECT = frozenset({"VOIDED", "DELETED"})


def document(id: str, entry: Entry, kind: DocumentKind) -> Document:
    status = text(entry, "Status")
    return Document(
        id=id,
        kind=kind,
        number=text(entry, "InvoiceNumber"),
        reference=text(entry, "Reference"),
        contact=contact_ref(entry),
        dated_on=day(entry, "Date"),
        due_on=day(entry, "DueDate"),
        paid_on=day(entry, "FullyPaidOnDate"),
        currency=text(entry, "CurrencyCode"),
        currency_rate=amount(entry, "CurrencyRate"),
        tax_basis=_basis(entry),
        subtotal=amount(entry, "SubTotal"),
        tax=amount(entry, "TotalTax"),
        total=amount(entry, "Total"),
        paid=amount(entry, "AmountPaid"),
        credited=amount(entry, "AmountCredited"),
        due=amount(entry, "AmountDue"),
        has_attachments=flag(entry, "HasAttachments"),
        status=status,
        active=_has_effect(status),
        lines=_lines(entry),
        allocations=(),
    )


def bank_transaction(id: str, entry: Entry) -> BankTransaction:
    """Transfers, prepayments and overpayments are types of their own: SPEND-TRANSFER, RECEIVE-PREPAYMENT."""
    type_, status = text(entry, "Type"), text(entry, "Status")
    return BankTransaction(
        id=id,
        type=type_,
        direction=_DIRECTIONS.get((type_ or "").upper().partition("-")[0]),
        reference=text(entry, "Reference"),
        contact=contact_ref(entry),
        bank_account=_account_ref(entry),
        dated_on=day(entry, "Date"),
        currency=text(entry, "CurrencyCode"),
        currency_rate=amount(entry, "CurrencyRate"),
        tax_basis=_basis(entry),
        subtotal=amount(entry, "SubTotal"),
        tax=amount(entry, "TotalTax"),
        total=amount(entry, "Total"),
        is_reconciled=flag(entry, "IsReconciled"),
        has_attachments=flag(entry, "HasAttachments"),
        status=status,
        active=_has_effect(status),
        lines=_lines(entry),
    )


def _lines(entry: Entry) -> tuple[Line, ...]:
    return tuple(
        Line(
            id=guid(one, "LineItemID"),
            description=text(one, "Description"),
            quantity=amount(one, "Quantity"),
            unit_amount=amount(one, "UnitAmount"),
            discount_percent=amount(one, "DiscountRate"),
            discount_amount=amount(one, "DiscountAmount"),
            amount=amount(one, "LineAmount"),
            tax_code=text(one, "TaxType"),
            tax_amount=amount(one, "TaxAmount"),
            account_id=guid(one, "AccountID"),
            account_code=text(one, "AccountCode"),
            item_code=text(one, "ItemCode"),
            tracking=tuple(_tracked(mark) for mark in parts(one, "Tracking")),
        )
        for one in parts(entry, "LineItems")
    )


def _tracked(entry: Entry) -> Tracked:
    return Tracked(
        category_id=guid(entry, "TrackingCategoryID"),
        category=text(entry, "Name"),
        option_id=guid(entry, "TrackingOptionID"),
        option=text(entry, "Option"),
    )


def _account_ref(entry: Entry) -> AccountRef | None:
    found = part(entry, "BankAccount")
    if found is None:
        return None
    return AccountRef(id=guid(found, "AccountID"), code=text(found, "Code"), name=text(found, "Name"))


def _basis(entry: Entry) -> str | None:
    said = text(entry, "LineAmountTypes")
    return None if said is None else _BASES.get(said.lower(), said)


def _has_effect(status: str | None) -> bool:
    return (status or "").upper() not in _WITHOUT_EFFECT
