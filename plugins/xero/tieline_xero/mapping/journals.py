"""Journals that somebody entered by hand, which Xero calls manual ones.

https://developer.xero.com/documentation/api/accounting/manualjournals — the general ledger's own `Journals` are for
apps of the advanced tier only, and are not read.
"""

from __future__ import annotations

from tieline.canonical import Journal, JournalLine
from tieline_xero.mapping.parts import basis, has_effect, tracking
from tieline_xero.wire import Entry, amount, day, flag, guid, parts, text

_ARCHIVED = "ARCHIVED"


def journal(id: str, entry: Entry) -> Journal:
    """In the organisation's own currency, always."""
    status = text(entry, "Status")
    return Journal(
        id=id,
        number=None,
        narration=text(entry, "Narration"),
        dated_on=day(entry, "Date"),
        reverses_on=None,
        currency=None,
        currency_rate=None,
        tax_basis=basis(entry),
        is_adjustment=False,
        has_attachments=flag(entry, "HasAttachments"),
        status=status,
        active=has_effect(status) and (status or "").upper() != _ARCHIVED,
        lines=tuple(_line(one) for one in parts(entry, "JournalLines") if not flag(one, "IsBlank")),
    )


def _line(entry: Entry) -> JournalLine:
    return JournalLine(
        id=None,
        description=text(entry, "Description"),
        amount=amount(entry, "LineAmount"),
        tax_code=text(entry, "TaxType"),
        tax_amount=amount(entry, "TaxAmount"),
        account_id=guid(entry, "AccountID"),
        account_code=text(entry, "AccountCode"),
        contact=None,
        tracking=tracking(entry),
    )
