"""Bills, invoices, purchases and payments.

`TotalAmt` holds the tax. `ExchangeRate` is what one unit of the document's currency costs in the company's own,
which is the other way round than here. A voided document stays, with amounts of nothing and "Voided" as its note.
https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/bill
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Context, Decimal

from tieline.canonical import (
    AccountRef,
    Allocation,
    BankTransaction,
    Direction,
    Document,
    DocumentKind,
    Line,
    Payment,
    TaxBasis,
    Tracked,
)
from tieline_quickbooks.mapping.contacts import contact_ref
from tieline_quickbooks.wire import Entry, amount, day, flag, part, parts, ref, ref_name, text

_BASES = {
    "taxexcluded": TaxBasis.EXCLUSIVE,
    "taxinclusive": TaxBasis.INCLUSIVE,
    "notapplicable": TaxBasis.NO_TAX,
}
_WITHOUT_EFFECT = frozenset({"voided", "deleted"})
_ROUNDED = Context(prec=16)
_SUMS = frozenset({"SubTotalLineDetail"})


def bill(id: str, entry: Entry) -> Document:
    return _document(id, entry, DocumentKind.BILL, "Vendor")


def invoice(id: str, entry: Entry) -> Document:
    return _document(id, entry, DocumentKind.INVOICE, "Customer")


def purchase(id: str, entry: Entry) -> BankTransaction:
    """Money spent by cash, cheque or card; `Credit` is a refund of it."""
    total, tax = amount(entry, "TotalAmt"), _tax(entry)
    return BankTransaction(
        id=id,
        type=text(entry, "PaymentType"),
        direction=Direction.IN if flag(entry, "Credit") else Direction.OUT,
        reference=text(entry, "DocNumber"),
        contact=contact_ref(entry, "EntityRef"),
        bank_account=_account_ref(entry, "AccountRef"),
        dated_on=day(entry, "TxnDate"),
        currency=ref(entry, "CurrencyRef"),
        currency_rate=_rate(entry),
        tax_basis=_basis(entry),
        subtotal=_less(total, tax),
        tax=tax,
        total=total,
        is_reconciled=False,
        has_attachments=bool(parts(entry, "AttachableRef")),
        status=text(entry, "status"),
        active=_has_effect(entry),
        lines=_lines(entry),
    )


def payment(id: str, entry: Entry) -> Payment:
    """What a customer paid, and which documents that settles."""
    return Payment(
        id=id,
        direction=Direction.IN,
        reference=text(entry, "PaymentRefNum"),
        contact=contact_ref(entry, "CustomerRef", "Customer"),
        bank_account=_account_ref(entry, "DepositToAccountRef"),
        method_id=ref(entry, "PaymentMethodRef"),
        dated_on=day(entry, "TxnDate"),
        currency=ref(entry, "CurrencyRef"),
        currency_rate=_rate(entry),
        total=amount(entry, "TotalAmt"),
        unallocated=amount(entry, "UnappliedAmt"),
        allocations=tuple(
            Allocation(
                document_id=text(linked, "TxnId"),
                type=text(linked, "TxnType"),
                amount=amount(line, "Amount"),
            )
            for line in parts(entry, "Line")
            for linked in parts(line, "LinkedTxn")
        ),
        status=text(entry, "status"),
        active=_has_effect(entry),
    )


def _document(id: str, entry: Entry, kind: DocumentKind, contact: str) -> Document:
    """What was paid and what was credited is told in one figure: the total without what is due."""
    total, tax, due = amount(entry, "TotalAmt"), _tax(entry), amount(entry, "Balance")
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
        currency_rate=_rate(entry),
        tax_basis=_basis(entry),
        subtotal=_less(total, tax),
        tax=tax,
        total=total,
        paid=_less(total, due) if due is not None else None,
        credited=None,
        due=due,
        has_attachments=bool(parts(entry, "AttachableRef")),
        status=text(entry, "status") or text(entry, "TxnStatus"),
        active=_has_effect(entry),
        lines=_lines(entry),
        allocations=(),
    )


def _lines(entry: Entry) -> tuple[Line, ...]:
    department = _tracked(entry, "Department")
    is_inclusive = _basis(entry) == TaxBasis.INCLUSIVE
    return tuple(_line(one, department, is_inclusive=is_inclusive) for one in _entered(entry))


def _entered(entry: Entry) -> Iterator[Entry]:
    """The lines that count: those of a bundle in its place, and no sums of others."""
    for one in parts(entry, "Line"):
        bundle = part(one, "GroupLineDetail")
        if bundle is not None:
            yield from _entered(bundle)
        elif text(one, "DetailType") not in _SUMS:
            yield one


def _line(entry: Entry, department: tuple[Tracked, ...], *, is_inclusive: bool) -> Line:
    type_ = text(entry, "DetailType")
    detail = (part(entry, type_) if type_ else None) or {}
    charged = amount(entry, "Amount")
    gross = amount(detail, "TaxInclusiveAmt") if is_inclusive else None
    is_discount = type_ == "DiscountLineDetail"
    return Line(
        id=text(entry, "Id"),
        description=text(entry, "Description"),
        quantity=amount(detail, "Qty"),
        unit_amount=amount(detail, "UnitPrice"),
        discount_percent=amount(detail, "DiscountPercent" if is_discount else "DiscountRate"),
        discount_amount=amount(detail, "DiscountAmt"),
        amount=-charged if is_discount and charged is not None else charged if gross is None else gross,
        tax_code=ref(detail, "TaxCodeRef"),
        tax_amount=amount(detail, "TaxAmount"),
        account_id=ref(detail, "AccountRef")
        or ref(detail, "ItemAccountRef")
        or ref(detail, "DiscountAccountRef"),
        account_code=None,
        item_code=ref_name(detail, "ItemRef") or ref(detail, "ItemRef"),
        tracking=(*_tracked(detail, "Class"), *department),
    )


def _tracked(entry: Entry, category: str) -> tuple[Tracked, ...]:
    option = ref(entry, f"{category}Ref")
    if option is None:
        return ()
    name = ref_name(entry, f"{category}Ref")
    return (Tracked(category_id=None, category=category, option_id=option, option=name),)


def _account_ref(entry: Entry, field: str) -> AccountRef | None:
    found = part(entry, field)
    if found is None:
        return None
    return AccountRef(id=text(found, "value"), code=None, name=text(found, "name"))


def _tax(entry: Entry) -> Decimal | None:
    found = part(entry, "TxnTaxDetail")
    return None if found is None else amount(found, "TotalTax")


def _less(total: Decimal | None, other: Decimal | None) -> Decimal | None:
    return total if total is None or other is None else total - other


def _rate(entry: Entry) -> Decimal | None:
    """To sixteen digits, where it does not come out even."""
    found = amount(entry, "ExchangeRate")
    return _ROUNDED.divide(Decimal(1), found) if found else None


def _basis(entry: Entry) -> str | None:
    said = text(entry, "GlobalTaxCalculation")
    return None if said is None else _BASES.get(said.lower(), said)


def _has_effect(entry: Entry) -> bool:
    if (text(entry, "status") or "").lower() in _WITHOUT_EFFECT:
        return False
    note = (text(entry, "PrivateNote") or "").lower()
    return not (note.startswith("voided") and not amount(entry, "TotalAmt"))
