"""Invoices with what settled them, and payments: number n pays the invoice with the same number."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from tieline_sandbox.books.values import Record
from tieline_sandbox.seeds import Dice
from tieline_sandbox.xero.books import charts
from tieline_sandbox.xero.books.crediting import Applied, applied_to, paid_back
from tieline_sandbox.xero.books.invoices import day_of, paid_of, unsettled
from tieline_sandbox.xero.books.ledger import Ledger
from tieline_sandbox.xero.books.sums import CENT, ZERO
from tieline_sandbox.xero.wire import iso_instant, ms_date

_TYPES = {
    "ACCREC": "ACCRECPAYMENT",
    "ACCPAY": "ACCPAYPAYMENT",
    "ACCRECCREDIT": "ARCREDITPAYMENT",
    "ACCPAYCREDIT": "APCREDITPAYMENT",
}
_NOTHING_YET = ("Payments", "CreditNotes", "Prepayments", "Overpayments", "LineItems")


def invoice(ledger: Ledger, number: int) -> Record:
    made = unsettled(ledger, number)
    paid, applied = paid_of(ledger, number, made), applied_to(ledger, number, made)
    credited = applied.amount if applied else ZERO
    is_off = made["Status"] in ("VOIDED", "DELETED")
    settled: Record = {
        "AmountDue": ZERO if is_off else made["Total"] - paid - credited,
        "AmountPaid": paid,
        "AmountCredited": credited,
        "Payments": [_payment_shown(ledger, number, made, paid)] if paid else [],
        "CreditNotes": [],
        "Prepayments": [],
        "Overpayments": [],
    }
    if applied:
        settled[f"{applied.credit.name}s"] = [_credit_shown(applied)]
    if made["Status"] == "PAID":
        settled["FullyPaidOnDate"] = made["DueDate"]
    return made | settled


def payment(ledger: Ledger, number: int) -> Record:
    """Where the invoice was never paid, it is a payment that was undone, or one of a credit note back.

    One beyond those of the seed was entered by somebody, and stands.
    """
    dice, at = ledger.dice("payments", number), number % max(1, ledger.count("invoices"))
    document = unsettled(ledger, at)
    paid = paid_of(ledger, at, document) if at == number else ZERO
    back = paid_back(ledger, at, document) if at == number and not paid else None
    amount = back.amount if back else paid or document["Total"]
    document = _as_document(back) if back else document
    stands = bool(paid or back) or number >= ledger.count("payments")
    updated = ledger.updated_at("payments", number)
    return {
        "PaymentID": ledger.id_of("payments", number),
        "Date": document["Date" if back else "DueDate"],
        "Amount": amount,
        "BankAmount": (amount / document["CurrencyRate"]).quantize(CENT, ROUND_HALF_UP),
        "CurrencyRate": document["CurrencyRate"],
        "Reference": f"Transfer {dice.below(10_000):04}" if dice.chance(50) else "",
        "PaymentType": _TYPES[document["Type"]],
        "Status": "AUTHORISED" if stands else "DELETED",
        "IsReconciled": dice.chance(60),
        "UpdatedDateUTC": ms_date(updated),
        "UpdatedDateUTCString": iso_instant(updated),
        "HasAccount": True,
        "Account": _bank(ledger, dice),
        "Invoice": _document_shown(document),
        "HasValidationErrors": False,
    }


def _as_document(back: Applied) -> Record:
    """A credit note under the names that payments show any document by."""
    name = back.credit.name
    number = f"{name}Number"
    return {
        **back.record,
        "InvoiceID": back.record[f"{name}ID"],
        "InvoiceNumber": back.record.get(number, ""),
    }


def _document_shown(document: Record) -> Record:
    return {
        "Type": document["Type"],
        "InvoiceID": document["InvoiceID"],
        "InvoiceNumber": document["InvoiceNumber"],
        "CurrencyCode": document["CurrencyCode"],
        "Contact": document["Contact"],
        **{name: [] for name in _NOTHING_YET},
        "HasErrors": False,
        "IsDiscounted": False,
    }


def _bank(ledger: Ledger, dice: Dice) -> Record:
    number = dice.pick(charts.bank_accounts(ledger.count("accounts")))
    return {"AccountID": ledger.id_of("accounts", number), "Code": charts.account_entry(number)[0]}


def _payment_shown(ledger: Ledger, number: int, invoice: Record, paid: Decimal) -> Record:
    return {
        "PaymentID": ledger.id_of("payments", number),
        "Date": ms_date(day_of(invoice, "DueDate")),
        "Amount": paid,
        "CurrencyRate": invoice["CurrencyRate"],
        "HasAccount": True,
    }


def _credit_shown(applied: Applied) -> Record:
    name = applied.credit.name
    shown = {f"{name}ID": applied.record[f"{name}ID"], "AppliedAmount": applied.amount}
    return shown | {"Date": applied.record["Date"], "Total": applied.record["Total"]}
