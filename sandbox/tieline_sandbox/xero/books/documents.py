"""Invoices and bank transactions: their lines, the tax on each, the sums."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from tieline_sandbox.books.values import Record
from tieline_sandbox.seeds import Dice
from tieline_sandbox.xero.books import charts
from tieline_sandbox.xero.books.contacts import party
from tieline_sandbox.xero.books.ledger import Ledger
from tieline_sandbox.xero.model import Dataset
from tieline_sandbox.xero.wire import ms_date, twin

CENT = Decimal("0.01")
_ZERO = Decimal(0)
_GOODS = (
    "Flour",
    "Timber, planed",
    "Site visit",
    "Monthly retainer",
    "Spare parts",
    "Cleaning",
    "Printing",
    "Fuel",
)
_BASES = ("Exclusive", "Exclusive", "Exclusive", "Inclusive", "NoTax")
_INVOICE_STATUSES = (
    *("AUTHORISED",) * 35,
    *("PAID",) * 40,
    *("DRAFT",) * 10,
    *("SUBMITTED",) * 5,
    *("VOIDED",) * 6,
    *("DELETED",) * 4,
)
_FOREIGN = {"EUR": Decimal("1.1532"), "USD": Decimal("1.2718"), "GBP": Decimal("0.8671")}


@dataclass(frozen=True, kw_only=True)
class _Sums:
    lines: list[Record]
    basis: str
    sub_total: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        return self.sub_total + self.tax


def invoice_head(ledger: Ledger, number: int) -> Record:
    """Type and status, which most filters are about, without the rest."""
    return _invoice_head(ledger.dice("invoices", number))


def _invoice_head(dice: Dice) -> Record:
    return {"Type": "ACCPAY" if dice.chance(60) else "ACCREC", "Status": dice.pick(_INVOICE_STATUSES)}


def invoice(ledger: Ledger, number: int) -> Record:
    dice = ledger.dice("invoices", number)
    head = _invoice_head(dice)
    side = "purchase" if head["Type"] == "ACCPAY" else "sale"
    id_, updated = ledger.id_of("invoices", number), ledger.updated_at("invoices", number)
    on = updated.date() - timedelta(days=dice.below(30))
    due, sums = on + timedelta(days=dice.pick((7, 14, 30))), _sums(ledger, dice, "invoices", number, side)
    made: Record = {
        **head,
        "InvoiceID": id_,
        "InvoiceNumber": f"INV-{number + 1:05}" if side == "sale" else _suppliers_number(dice, number),
        "Contact": party(ledger, side, dice.below(1 << 30)),
        "Date": ms_date(on),
        "DateString": twin(on),
        "DueDate": ms_date(due),
        "DueDateString": twin(due),
        "LineAmountTypes": sums.basis,
        "LineItems": sums.lines,
        "SubTotal": sums.sub_total,
        "TotalTax": sums.tax,
        "Total": sums.total,
        "UpdatedDateUTC": ms_date(updated),
        "UpdatedDateUTCString": f"{updated:%Y-%m-%dT%H:%M:%S}Z",
        **_currency(ledger, dice),
        **_settled(ledger, number, head["Status"], sums.total, due, dice),
        "IsDiscounted": False,
        "HasAttachments": False,
        "HasErrors": False,
        "SentToContact": side == "sale" and dice.chance(80),
        "CreditNotes": [],
        "Prepayments": [],
        "Overpayments": [],
    }
    if side == "sale":
        made["Reference"] = f"Order {dice.below(10_000):04}"
    return made


def bank_transaction_head(ledger: Ledger, number: int) -> Record:
    return _bank_transaction_head(ledger.dice("bank_transactions", number))


def _bank_transaction_head(dice: Dice) -> Record:
    return {
        "Type": "SPEND" if dice.chance(65) else "RECEIVE",
        "Status": "DELETED" if dice.chance(5) else "AUTHORISED",
        "IsReconciled": dice.chance(70),
    }


def bank_transaction(ledger: Ledger, number: int) -> Record:
    dice = ledger.dice("bank_transactions", number)
    head = _bank_transaction_head(dice)
    side = "purchase" if head["Type"] == "SPEND" else "sale"
    updated = ledger.updated_at("bank_transactions", number)
    on, account = (
        updated.date() - timedelta(days=dice.below(5)),
        dice.pick(charts.bank_accounts(ledger.count("accounts"))),
    )
    sums = _sums(ledger, dice, "bank_transactions", number, side)
    code, _, name = charts.account_entry(account)
    return {
        **head,
        "BankTransactionID": ledger.id_of("bank_transactions", number),
        "BankAccount": {"AccountID": ledger.id_of("accounts", account), "Code": code, "Name": name},
        "Contact": party(ledger, side, dice.below(1 << 30)),
        "Date": ms_date(on),
        "DateString": twin(on),
        "Reference": f"Card {dice.below(10_000):04}" if dice.chance(60) else "",
        "LineAmountTypes": sums.basis,
        "LineItems": sums.lines,
        "SubTotal": sums.sub_total,
        "TotalTax": sums.tax,
        "Total": sums.total,
        "UpdatedDateUTC": ms_date(updated),
        "CurrencyCode": ledger.currency,
        "HasAttachments": False,
    }


def _suppliers_number(dice: Dice, number: int) -> str:
    """Suppliers' own references: sometimes none, and not unique."""
    return "" if dice.chance(5) else f"{dice.pick('ABKLS')}-{1000 + number % 9000}"


def _currency(ledger: Ledger, dice: Dice) -> Record:
    foreign = dice.pick(sorted(_FOREIGN)) if dice.chance(6) else ledger.currency
    return {
        "CurrencyCode": foreign,
        "CurrencyRate": Decimal(1) if foreign == ledger.currency else _FOREIGN[foreign],
    }


def _settled(ledger: Ledger, number: int, status: str, total: Decimal, due: date, dice: Dice) -> Record:
    """What was paid of it, and what is still owed."""
    paid = total if status == "PAID" else _ZERO
    if status == "AUTHORISED" and dice.chance(20):
        paid = (total / 2).quantize(CENT, ROUND_HALF_UP)
    owed = _ZERO if status in ("VOIDED", "DELETED") else total - paid
    settled: Record = {"AmountDue": owed, "AmountPaid": paid, "AmountCredited": _ZERO, "Payments": []}
    if paid:
        payment = {"PaymentID": ledger.id_of("payments", number), "Date": ms_date(due), "Amount": paid}
        settled["Payments"] = [payment | {"CurrencyRate": Decimal(1), "HasAccount": False}]
    if status == "PAID":
        settled["FullyPaidOnDate"] = ms_date(due)
    return settled


def _sums(ledger: Ledger, dice: Dice, dataset: Dataset, number: int, side: str) -> _Sums:
    basis = dice.pick(_BASES)
    lines = [
        _line(ledger, dice, side, basis, ledger.id_of(f"{dataset} lines", number * 64 + place))
        for place in range(1 + dice.below(4))
    ]
    amounts = sum((line["LineAmount"] for line in lines), _ZERO)
    tax = sum((line["TaxAmount"] for line in lines), _ZERO)
    return _Sums(
        lines=lines, basis=basis, sub_total=amounts - tax if basis == "Inclusive" else amounts, tax=tax
    )


def _line(ledger: Ledger, dice: Dice, side: str, basis: str, id_: str) -> Record:
    """Tax is computed for each line and rounded; unit amounts may have four decimals."""
    quantity = Decimal(1 + dice.below(12))
    exact = 10_000 + dice.below(9_000_000) if dice.chance(25) else 100 * (100 + dice.below(90_000))
    unit = Decimal(exact).scaleb(-4)
    amount = (quantity * unit).quantize(CENT, ROUND_HALF_UP)
    tax_type, tax = _tax(ledger, dice, side, basis, amount)
    made: Record = {
        "LineItemID": id_,
        "Description": dice.pick(_GOODS),
        "Quantity": quantity,
        "UnitAmount": unit,
        "TaxType": tax_type,
        "TaxAmount": tax,
        "LineAmount": amount,
        "Tracking": [],
    }
    fitting = charts.accounts_for(side, ledger.count("accounts"))
    if fitting:
        account = dice.pick(fitting)
        made |= {
            "AccountCode": charts.account_entry(account)[0],
            "AccountID": ledger.id_of("accounts", account),
        }
    if ledger.count("tracking_categories") and dice.chance(40):
        made["Tracking"] = [charts.tracked(ledger, 0, dice.below(100))]
    return made


def _tax(ledger: Ledger, dice: Dice, side: str, basis: str, amount: Decimal) -> tuple[str, Decimal]:
    fitting = [rate for rate in charts.rates(ledger.country, ledger.count("tax_rates")) if side in rate.sides]
    rate = dice.pick(fitting) if fitting and dice.chance(40) else (fitting[0] if fitting else None)
    if basis == "NoTax" or rate is None:
        return "NONE", _ZERO
    base = 100 + rate.percent if basis == "Inclusive" else Decimal(100)
    return rate.tax_type, (amount * rate.percent / base).quantize(CENT, ROUND_HALF_UP)
