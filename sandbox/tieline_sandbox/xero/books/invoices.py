"""Invoices and bills as they were written, before anything was paid or credited, and how much of them was paid."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from tieline_sandbox.books.values import Record
from tieline_sandbox.seeds import Dice
from tieline_sandbox.xero.books.contacts import party
from tieline_sandbox.xero.books.ledger import Ledger
from tieline_sandbox.xero.books.sums import CENT, ZERO, sums_of
from tieline_sandbox.xero.wire import iso_instant, ms_date, twin

_STATUSES = (
    *("AUTHORISED",) * 35,
    *("PAID",) * 40,
    *("DRAFT",) * 10,
    *("SUBMITTED",) * 5,
    *("VOIDED",) * 6,
    *("DELETED",) * 4,
)
_FOREIGN = {"EUR": Decimal("1.1532"), "USD": Decimal("1.2718"), "GBP": Decimal("0.8671")}


def head(ledger: Ledger, number: int) -> Record:
    """Type and status, which most filters are about, without the rest."""
    return _head(ledger.dice("invoices", number))


def _head(dice: Dice) -> Record:
    return {"Type": "ACCPAY" if dice.chance(60) else "ACCREC", "Status": dice.pick(_STATUSES)}


def side_of(type_: str) -> str:
    return "purchase" if type_.startswith(("ACCPAY", "SPEND")) else "sale"


def unsettled(ledger: Ledger, number: int) -> Record:
    dice = ledger.dice("invoices", number)
    head = _head(dice)
    side = side_of(head["Type"])
    updated = ledger.updated_at("invoices", number)
    on = updated.date() - timedelta(days=dice.below(30))
    due, sums = on + timedelta(days=dice.pick((7, 14, 30))), sums_of(ledger, dice, "invoices", number, side)
    made: Record = {
        **head,
        "InvoiceID": ledger.id_of("invoices", number),
        "InvoiceNumber": f"INV-{number + 1:05}" if side == "sale" else _suppliers_number(dice, number),
        "Contact": party(ledger, side, dice.below(1 << 30)),
        "Date": ms_date(on),
        "DateString": twin(on),
        "DueDate": ms_date(due),
        "DueDateString": twin(due),
        **sums.fields(),
        "UpdatedDateUTC": ms_date(updated),
        "UpdatedDateUTCString": iso_instant(updated),
        **_currency(ledger, dice),
        "IsDiscounted": False,
        "HasAttachments": False,
        "HasErrors": False,
        "SentToContact": side == "sale" and dice.chance(80),
    }
    if side == "sale":
        made["Reference"] = f"Order {dice.below(10_000):04}"
    return made


def paid_of(ledger: Ledger, number: int, invoice: Record) -> Decimal:
    """What payments settled of the invoice with this number: all, half or nothing."""
    total: Decimal = invoice["Total"]
    if invoice["Status"] == "PAID":
        return total
    if invoice["Status"] == "AUTHORISED" and ledger.dice("paid", number).chance(20):
        return (total / 2).quantize(CENT, ROUND_HALF_UP)
    return ZERO


def day_of(record: Record, field: str) -> date:
    """A document's day, from the twin of its date."""
    return date.fromisoformat(record[f"{field}String"][:10])


def _suppliers_number(dice: Dice, number: int) -> str:
    """Suppliers' own references: sometimes none, and not unique."""
    return "" if dice.chance(5) else f"{dice.pick('ABKLS')}-{1000 + number % 9000}"


def _currency(ledger: Ledger, dice: Dice) -> Record:
    foreign = dice.pick(sorted(_FOREIGN)) if dice.chance(6) else ledger.currency
    return {
        "CurrencyCode": foreign,
        "CurrencyRate": Decimal(1) if foreign == ledger.currency else _FOREIGN[foreign],
    }
