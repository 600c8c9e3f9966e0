"""What transactions of every kind say alike: currency, tax, notes, places, what they are linked to.

`ExchangeRate` is what one unit of the transaction's currency costs in the company's own, which is the other way round
than here. A voided transaction stays, with amounts of nothing and "Voided" as its note.
https://github.com/intuit/QuickBooks-V3-PHP-SDK (its Finance.xsd: Transaction)
"""

from __future__ import annotations

from decimal import Context, Decimal

from tieline.canonical import AccountRef, Allocation, TaxBasis, Tracked
from tieline_quickbooks.wire import Entry, amount, part, parts, ref, ref_name, text

_BASES = {
    "taxexcluded": TaxBasis.EXCLUSIVE,
    "taxinclusive": TaxBasis.INCLUSIVE,
    "notapplicable": TaxBasis.NO_TAX,
}
_WITHOUT_EFFECT = frozenset({"voided", "deleted"})
_ROUNDED = Context(prec=16)


def status_of(entry: Entry) -> str | None:
    return text(entry, "status") or text(entry, "TxnStatus")


def has_effect(entry: Entry, total: Decimal | None) -> bool:
    if (text(entry, "status") or "").lower() in _WITHOUT_EFFECT:
        return False
    note = (text(entry, "PrivateNote") or "").lower()
    return not (note.startswith("voided") and not total)


def has_attachments(entry: Entry) -> bool:
    return bool(parts(entry, "AttachableRef"))


def tax_of(entry: Entry) -> Decimal | None:
    found = part(entry, "TxnTaxDetail")
    return None if found is None else amount(found, "TotalTax")


def rate_of(entry: Entry) -> Decimal | None:
    """To sixteen digits, where it does not come out even."""
    found = amount(entry, "ExchangeRate")
    return _ROUNDED.divide(Decimal(1), found) if found else None


def basis_of(entry: Entry) -> str | None:
    said = text(entry, "GlobalTaxCalculation")
    return None if said is None else _BASES.get(said.lower(), said)


def tracked(entry: Entry, category: str) -> tuple[Tracked, ...]:
    option = ref(entry, f"{category}Ref")
    if option is None:
        return ()
    name = ref_name(entry, f"{category}Ref")
    return (Tracked(category_id=None, category=category, option_id=option, option=name),)


def account_ref(entry: Entry, field: str) -> AccountRef | None:
    found = part(entry, field)
    if found is None:
        return None
    return AccountRef(id=text(found, "value"), code=None, name=text(found, "name"))


def allocations(entry: Entry) -> tuple[Allocation, ...]:
    """What its lines are linked to, with a line's amount; how several links of one line share it, nobody says."""
    found = [(line, parts(line, "LinkedTxn")) for line in parts(entry, "Line")]
    return tuple(
        _allocation(link, amount(line, "Amount") if len(linked) == 1 else None)
        for line, linked in found
        for link in linked
    )


def links(entry: Entry) -> tuple[Allocation, ...]:
    """What it is linked to as a whole; how much of it goes there, only the other side tells."""
    return tuple(_allocation(linked, None) for linked in parts(entry, "LinkedTxn"))


def _allocation(linked: Entry, settled: Decimal | None) -> Allocation:
    return Allocation(document_id=text(linked, "TxnId"), type=text(linked, "TxnType"), amount=settled)
