"""The lines of documents: what was bought or sold, at which price, and what it is booked to."""

from __future__ import annotations

from collections.abc import Iterator

from tieline.canonical import Line, TaxBasis, Tracked
from tieline_quickbooks.mapping.exact import opposite
from tieline_quickbooks.mapping.transactions import basis_of, tracked
from tieline_quickbooks.wire import Entry, amount, part, parts, ref, ref_name, text

_SUMS = frozenset({"SubTotalLineDetail"})
_ACCOUNTS = ("AccountRef", "ItemAccountRef", "DiscountAccountRef")


def lines_of(entry: Entry) -> tuple[Line, ...]:
    department = tracked(entry, "Department")
    is_inclusive = basis_of(entry) == TaxBasis.INCLUSIVE
    return tuple(_line(one, department, is_inclusive=is_inclusive) for one in _entered(entry))


def detail_of(line: Entry) -> Entry:
    """The part that the line's kind names; a deposit's line for a payment names none."""
    return part(line, text(line, "DetailType") or "DepositLineDetail") or {}


def _entered(entry: Entry) -> Iterator[Entry]:
    """The lines that count: those of a bundle in its place, and no sums of others."""
    for one in parts(entry, "Line"):
        bundle = part(one, "GroupLineDetail")
        if bundle is not None:
            yield from _entered(bundle)
        elif text(one, "DetailType") not in _SUMS:
            yield one


def _line(entry: Entry, department: tuple[Tracked, ...], *, is_inclusive: bool) -> Line:
    detail = detail_of(entry)
    charged = amount(entry, "Amount")
    gross = amount(detail, "TaxInclusiveAmt") if is_inclusive else None
    is_discount = text(entry, "DetailType") == "DiscountLineDetail"
    if is_discount and charged is not None:  # never with its tax
        charged, gross = opposite(charged), None
    return Line(
        id=text(entry, "Id"),
        description=text(entry, "Description"),
        quantity=amount(detail, "Qty"),
        unit_amount=amount(detail, "UnitPrice"),
        discount_percent=amount(detail, "DiscountPercent" if is_discount else "DiscountRate"),
        discount_amount=amount(detail, "DiscountAmt"),
        amount=charged if gross is None else gross,
        tax_code=ref(detail, "TaxCodeRef"),
        tax_amount=amount(detail, "TaxAmount"),
        account_id=next((found for field in _ACCOUNTS if (found := ref(detail, field))), None),
        account_code=None,
        item_code=ref_name(detail, "ItemRef") or ref(detail, "ItemRef"),
        item_id=ref(detail, "ItemRef"),
        tracking=(*tracked(detail, "Class"), *department),
    )
