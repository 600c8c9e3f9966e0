"""Journal entries: lines that are debits or credits, and balance.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/journalentry
"""

from __future__ import annotations

from decimal import Decimal

from tieline.canonical import ContactRef, Journal, JournalLine
from tieline_quickbooks.mapping.contacts import contact_ref
from tieline_quickbooks.mapping.exact import opposite
from tieline_quickbooks.mapping.lines import detail_of
from tieline_quickbooks.mapping.transactions import (
    basis_of,
    has_attachments,
    has_effect,
    rate_of,
    status_of,
    tracked,
)
from tieline_quickbooks.wire import Entry, Unreadable, amount, day, flag, part, parts, ref, text

_SIDES = {"debit", "credit"}


def journal_entry(id: str, entry: Entry) -> Journal:
    """Intuit reverses an entry by another one, without naming the first."""
    lines = tuple(_line(one) for one in parts(entry, "Line"))
    moved = sum((abs(line.amount) for line in lines if line.amount), Decimal(0))
    return Journal(
        id=id,
        number=text(entry, "DocNumber"),
        narration=text(entry, "PrivateNote"),
        dated_on=day(entry, "TxnDate"),
        reverses_on=None,
        currency=ref(entry, "CurrencyRef"),
        currency_rate=rate_of(entry),
        tax_basis=basis_of(entry),
        is_adjustment=flag(entry, "Adjustment"),
        has_attachments=has_attachments(entry),
        status=status_of(entry),
        active=has_effect(entry, moved),
        lines=lines,
    )


def _line(entry: Entry) -> JournalLine:
    detail = detail_of(entry)
    return JournalLine(
        id=text(entry, "Id"),
        description=text(entry, "Description"),
        amount=_signed(entry, detail),
        tax_code=ref(detail, "TaxCodeRef"),
        tax_amount=amount(detail, "TaxAmount"),
        account_id=ref(detail, "AccountRef"),
        account_code=None,
        contact=_contact(detail),
        tracking=(*tracked(detail, "Class"), *tracked(detail, "Department")),
    )


def _signed(entry: Entry, detail: Entry) -> Decimal | None:
    """An amount of which nobody knows the side would make any entry balance, or none. Raises Unreadable."""
    posted = amount(entry, "Amount")
    if not posted:
        return posted
    side = (text(detail, "PostingType") or "").lower()
    if side not in _SIDES:
        raise Unreadable("Its PostingType is neither Debit nor Credit.")
    return opposite(posted) if side == "credit" else posted


def _contact(detail: Entry) -> ContactRef | None:
    entity = part(detail, "Entity")
    return None if entity is None else contact_ref(entity, "EntityRef", text(entity, "Type"))
