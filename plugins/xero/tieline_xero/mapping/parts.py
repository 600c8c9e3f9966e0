"""What several kinds of documents have in them: lines, tracking, bank accounts, allocations, the basis of tax."""

from __future__ import annotations

from tieline.canonical import AccountRef, Allocation, Line, TaxBasis, Tracked
from tieline_xero.wire import Entry, amount, guid, part, parts, text

_BASES = {"exclusive": TaxBasis.EXCLUSIVE, "inclusive": TaxBasis.INCLUSIVE, "notax": TaxBasis.NO_TAX}
_WITHOUT_EFFECT = frozenset({"VOIDED", "DELETED"})
_SETTLED = ("Invoice", "CreditNote", "Prepayment", "Overpayment")


def lines(entry: Entry) -> tuple[Line, ...]:
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
            tracking=tracking(one),
        )
        for one in parts(entry, "LineItems")
    )


def tracking(entry: Entry) -> tuple[Tracked, ...]:
    return tuple(
        Tracked(
            category_id=guid(one, "TrackingCategoryID"),
            category=text(one, "Name"),
            option_id=guid(one, "TrackingOptionID"),
            option=text(one, "Option"),
        )
        for one in parts(entry, "Tracking")
    )


def account_ref(entry: Entry, field: str) -> AccountRef | None:
    found = part(entry, field)
    if found is None:
        return None
    return AccountRef(id=guid(found, "AccountID"), code=text(found, "Code"), name=text(found, "Name"))


def allocations(entry: Entry) -> tuple[Allocation, ...]:
    """What of a credit settles which documents; one that was taken back settles nothing."""
    return tuple(allocation(one) for one in parts(entry, "Allocations") if one.get("IsDeleted") is not True)


def allocation(entry: Entry) -> Allocation:
    """`type` is Xero's word where it says one, such as ACCPAY, or else the name of what is settled."""
    found, settled = settled_by(entry)
    return Allocation(
        document_id=guid(settled, f"{found}ID"),
        type=text(settled, "Type") or found,
        amount=amount(entry, "Amount"),
    )


def settled_by(entry: Entry) -> tuple[str | None, Entry]:
    """The document that a payment or an allocation settles, under its name: payments call most of them Invoice."""
    for name in _SETTLED:
        found = part(entry, name)
        if found:
            return name, found
    return None, {}


def basis(entry: Entry) -> str | None:
    said = text(entry, "LineAmountTypes")
    return None if said is None else _BASES.get(said.lower(), said)


def has_effect(status: str | None) -> bool:
    return (status or "").upper() not in _WITHOUT_EFFECT
