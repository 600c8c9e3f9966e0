"""What is set off against invoices: credit notes, prepayments and overpayments, and how much of each went where.

Every twelfth invoice has a credit note, a prepayment or an overpayment of its own contact. Where the invoice is
approved and not paid, some of the credit settles it; where it came to nothing, some of a credit note is paid back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from tieline_sandbox.books.values import Record
from tieline_sandbox.seeds import Dice
from tieline_sandbox.xero.books.contacts import party
from tieline_sandbox.xero.books.invoices import day_of, paid_of, side_of, unsettled
from tieline_sandbox.xero.books.ledger import Ledger
from tieline_sandbox.xero.books.sums import CENT, ZERO, sums_of
from tieline_sandbox.xero.model import Dataset
from tieline_sandbox.xero.wire import iso_instant, ms_date, twin

_EVERY = 12
_LIVE = "AUTHORISED"


@dataclass(frozen=True, kw_only=True)
class Credit:
    """One kind of credit: `place` is that of its invoices within each dozen, `types` by the side they are on."""

    dataset: Dataset
    name: str
    place: int
    types: dict[str, str]
    statuses: tuple[str, ...]
    is_taxed: bool = True

    def invoice_of(self, number: int) -> int:
        return number * _EVERY + self.place


CREDIT_NOTES = Credit(
    dataset="credit_notes",
    name="CreditNote",
    place=5,
    types={"purchase": "ACCPAYCREDIT", "sale": "ACCRECCREDIT"},
    statuses=(*(_LIVE,) * 16, "DRAFT", "SUBMITTED", "VOIDED", "DELETED"),
)
PREPAYMENTS = Credit(
    dataset="prepayments",
    name="Prepayment",
    place=7,
    types={"purchase": "SPEND-PREPAYMENT", "sale": "RECEIVE-PREPAYMENT"},
    statuses=(*(_LIVE,) * 9, "VOIDED"),
)
OVERPAYMENTS = Credit(
    dataset="overpayments",
    name="Overpayment",
    place=9,
    types={"purchase": "SPEND-OVERPAYMENT", "sale": "RECEIVE-OVERPAYMENT"},
    statuses=(*(_LIVE,) * 9, "VOIDED"),
    is_taxed=False,
)
_CREDITS = (CREDIT_NOTES, PREPAYMENTS, OVERPAYMENTS)


@dataclass(frozen=True, kw_only=True)
class Applied:
    """So much of a credit that settles an invoice, or that was paid back."""

    credit: Credit
    number: int
    record: Record
    amount: Decimal


def credit_note(ledger: Ledger, number: int) -> Record:
    made = _settled(ledger, CREDIT_NOTES, number)
    if made["Status"] == "PAID":
        made["FullyPaidOnDate"] = made["Date"]
    kind = "CN" if made["Type"] == "ACCRECCREDIT" else "SCN"
    return made | {"CreditNoteNumber": f"{kind}-{number + 1:04}", "SentToContact": False, "HasErrors": False}


def prepayment(ledger: Ledger, number: int) -> Record:
    return _settled(ledger, PREPAYMENTS, number)


def overpayment(ledger: Ledger, number: int) -> Record:
    return _settled(ledger, OVERPAYMENTS, number)


def applied_to(ledger: Ledger, number: int, invoice: Record) -> Applied | None:
    """What of which credit settles the invoice with this number."""
    which, place = divmod(number, _EVERY)
    credit = next((one for one in _CREDITS if one.place == place), None)
    if credit is None or which >= ledger.count(credit.dataset):
        return None
    if invoice["Status"] != _LIVE:
        return None
    record = _unsettled(ledger, credit, which, invoice)
    amount = _allocated(ledger, number, invoice, record)
    return Applied(credit=credit, number=which, record=record, amount=amount) if amount else None


def paid_back(ledger: Ledger, number: int, invoice: Record) -> Applied | None:
    """What the payment with this number pays back, instead of paying this invoice."""
    which, place = divmod(number, _EVERY)
    if place != CREDIT_NOTES.place or which >= ledger.count("credit_notes"):
        return None
    if invoice["Status"] in (_LIVE, "PAID"):
        return None
    record = _unsettled(ledger, CREDIT_NOTES, which, invoice)
    if record["Status"] != _LIVE:
        return None
    amount = (record["Total"] / 4).quantize(CENT, ROUND_HALF_UP)
    return Applied(credit=CREDIT_NOTES, number=which, record=record, amount=amount)


def payment_back(ledger: Ledger, back: Applied) -> Record:
    """The payment as its credit note shows it."""
    return {
        "PaymentID": ledger.id_of("payments", back.credit.invoice_of(back.number)),
        "Date": back.record["Date"],
        "Amount": back.amount,
        "CurrencyRate": back.record["CurrencyRate"],
        "HasAccount": True,
    }


def _settled(ledger: Ledger, credit: Credit, number: int) -> Record:
    at = credit.invoice_of(number)
    invoice = unsettled(ledger, at) if at < ledger.count("invoices") else None
    made, applied, back = _unsettled(ledger, credit, number, invoice), ZERO, None
    if invoice is not None:
        applied = _allocated(ledger, at, invoice, made)
        if credit is CREDIT_NOTES and at < ledger.count("payments"):
            back = paid_back(ledger, at, invoice)
    left = made["Total"] - applied - (back.amount if back else ZERO)
    if made["Status"] == _LIVE and not left:
        made["Status"] = "PAID"
    return made | {
        "RemainingCredit": left if made["Status"] == _LIVE else ZERO,
        "AppliedAmount": applied,
        "Allocations": [_allocation(ledger, credit, number, invoice, applied)] if invoice and applied else [],
        "Payments": [payment_back(ledger, back)] if back else [],
    }


def _unsettled(ledger: Ledger, credit: Credit, number: int, invoice: Record | None) -> Record:
    dice = ledger.dice(credit.dataset, number)
    status, throw, is_sale = dice.pick(credit.statuses), dice.below(1 << 30), dice.chance(50)
    side = side_of(invoice["Type"]) if invoice else "sale" if is_sale else "purchase"
    updated = ledger.updated_at(credit.dataset, number)
    on = day_of(invoice, "Date") if invoice else updated.date() - timedelta(days=dice.below(20))
    sums = sums_of(ledger, dice, credit.dataset, number, side, taxed=credit.is_taxed)
    id_ = ledger.id_of(credit.dataset, number)
    return {
        "Type": credit.types[side],
        "Status": status,
        f"{credit.name}ID": id_,
        "ID": id_,
        "Contact": invoice["Contact"] if invoice else party(ledger, side, throw),
        "Date": ms_date(on),
        "DateString": twin(on),
        "Reference": _reference(dice),
        **sums.fields(),
        "UpdatedDateUTC": ms_date(updated),
        "UpdatedDateUTCString": iso_instant(updated),
        "CurrencyCode": invoice["CurrencyCode"] if invoice else ledger.currency,
        "CurrencyRate": invoice["CurrencyRate"] if invoice else Decimal(1),
        "HasAttachments": False,
    }


def _reference(dice: Dice) -> str:
    return f"Return {dice.below(10_000):04}" if dice.chance(60) else ""


def _allocated(ledger: Ledger, number: int, invoice: Record, credit: Record) -> Decimal:
    """At most half of what is open, so that the invoice stays approved."""
    if invoice["Status"] != _LIVE or credit["Status"] != _LIVE:
        return ZERO
    open_: Decimal = invoice["Total"] - paid_of(ledger, number, invoice)
    return min((open_ / 2).quantize(CENT, ROUND_HALF_UP), Decimal(credit["Total"]))


def _allocation(ledger: Ledger, credit: Credit, number: int, invoice: Record, amount: Decimal) -> Record:
    return {
        "AllocationID": ledger.id_of(f"{credit.dataset} allocations", number),
        "Amount": amount,
        "Date": invoice["Date"],
        "IsDeleted": False,
        "Invoice": {
            "InvoiceID": invoice["InvoiceID"],
            "InvoiceNumber": invoice["InvoiceNumber"],
            "Type": invoice["Type"],
        },
    }
