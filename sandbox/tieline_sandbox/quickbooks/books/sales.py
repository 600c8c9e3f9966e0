"""Invoices, credit memos, sales receipts, and payments of customers: payment n pays invoice n, by credit memo n too."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from tieline_sandbox.books.values import Record
from tieline_sandbox.quickbooks.books import lists
from tieline_sandbox.quickbooks.books.ledger import Books
from tieline_sandbox.quickbooks.books.lines import ZERO, Sums, sums
from tieline_sandbox.quickbooks.books.parties import party_ref
from tieline_sandbox.quickbooks.books.transactions import (
    Settled,
    day_of,
    linked,
    method_of,
    placed,
    settled,
)
from tieline_sandbox.quickbooks.model import Dataset
from tieline_sandbox.quickbooks.wire import on
from tieline_sandbox.seeds import Dice


def invoice(books: Books, number: int) -> Record:
    dice, customer, summed = _sold(books, "invoices", number)
    day = day_of(books, "invoices", number, dice)
    term = dice.below(max(1, books.count("terms")))
    paid = _settled(books, number, summed.total).paid
    made = _sale(books, "invoices", number, customer, summed) | {
        "DocNumber": str(1001 + number),
        "TxnDate": on(day),
        "DueDate": on(day + timedelta(days=lists.term_entry(term)[1])),
        "SalesTermRef": lists.term_ref(term),
        "Balance": summed.total - paid,
        "EmailStatus": dice.pick(("NotSet", "EmailSent")),
        "LinkedTxn": [linked("payments", "Payment", number)] if paid else [],
    }
    if dice.chance(30):
        made["CustomerMemo"] = {"value": f"Order {dice.below(10_000):04}"}
    return made | placed(books, dice)


def credit_memo(books: Books, number: int) -> Record:
    """For the customer of the invoice with the same number."""
    dice, customer, summed = _sold(books, "credit_memos", number)
    used = ZERO
    if number < books.count("invoices"):
        _, customer, invoiced = _sold(books, "invoices", number)
        used = _settled(books, number, invoiced.total).credit
    return (
        _sale(books, "credit_memos", number, customer, summed)
        | {
            "DocNumber": f"CM-{1 + number}",
            "TxnDate": on(day_of(books, "credit_memos", number, dice)),
            "Balance": summed.total - used,
            "RemainingCredit": summed.total - used,
            "EmailStatus": "NotSet",
            "LinkedTxn": [linked("payments", "Payment", number)] if used else [],
        }
        | placed(books, dice)
    )


def sales_receipt(books: Books, number: int) -> Record:
    """Paid at once."""
    dice, customer, summed = _sold(books, "sales_receipts", number)
    return (
        _sale(books, "sales_receipts", number, customer, summed)
        | {
            "DocNumber": f"SR-{1 + number}",
            "TxnDate": on(day_of(books, "sales_receipts", number, dice)),
            "Balance": ZERO,
            "DepositToAccountRef": lists.account_ref(lists.UNDEPOSITED),
            "PaymentMethodRef": method_of(books, dice),
            "PaymentRefNum": str(3000 + number),
            "EmailStatus": "NotSet",
        }
        | placed(books, dice)
    )


def payment(books: Books, number: int) -> Record:
    """Of the invoice with the same number; without one, money on account."""
    dice = books.dice("payments", number)
    made = books.stem("payments", number) | {
        "CustomerRef": party_ref(books, "customers", dice.below(1 << 30)),
        "TxnDate": on(books.updated_at("payments", number).date()),
        "CurrencyRef": lists.currency(books.currency),
        "DepositToAccountRef": lists.account_ref(lists.UNDEPOSITED),
        "PaymentMethodRef": method_of(books, dice),
        "PaymentRefNum": str(7000 + number),
        "TotalAmt": Decimal(100 + dice.below(100_000)).scaleb(-2),
        "ProcessPayment": False,
        "Line": [],
    }
    if number >= books.count("invoices"):
        return made | {"UnappliedAmt": made["TotalAmt"]}
    _, customer, summed = _sold(books, "invoices", number)
    now = _settled(books, number, summed.total)
    lines = [{"Amount": now.paid, "LinkedTxn": [linked("invoices", "Invoice", number)]}]
    if now.credit:
        lines.append({"Amount": now.credit, "LinkedTxn": [linked("credit_memos", "CreditMemo", number)]})
    return made | {"CustomerRef": customer, "TotalAmt": now.money, "UnappliedAmt": ZERO, "Line": lines}


def _sold(books: Books, dataset: Dataset, number: int) -> tuple[Dice, Record, Sums]:
    dice = books.dice(dataset, number)
    customer = party_ref(books, "customers", dice.below(1 << 30))
    return dice, customer, sums(books, dice, "sale")


def _settled(books: Books, number: int, total: Decimal) -> Settled:
    def credited() -> Decimal:
        return _sold(books, "credit_memos", number)[2].total

    return settled(books, number, total, by="payments", credits="credit_memos", credited=credited)


def _sale(books: Books, dataset: Dataset, number: int, customer: Record, summed: Sums) -> Record:
    """What every document for a customer says; its last line is the sum of the others."""
    total = {"Amount": summed.net, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}
    return books.stem(dataset, number) | {
        "CustomerRef": customer,
        "CurrencyRef": lists.currency(books.currency),
        **summed.fields(),
        "Line": [*summed.lines, total],
        "ApplyTaxAfterDiscount": False,
        "PrintStatus": "NeedToPrint",
    }
