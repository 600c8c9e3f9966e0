"""Bills, vendor credits, purchases, and payments of bills: bill payment n pays bill n, by vendor credit n too."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from tieline_sandbox.books.values import Record
from tieline_sandbox.quickbooks.books import lists
from tieline_sandbox.quickbooks.books.ledger import Books
from tieline_sandbox.quickbooks.books.lines import CENT, ZERO, Sums, sums
from tieline_sandbox.quickbooks.books.parties import party_ref
from tieline_sandbox.quickbooks.books.transactions import (
    Settled,
    currency_of,
    day_of,
    linked,
    placed,
    settled,
)
from tieline_sandbox.quickbooks.model import Dataset
from tieline_sandbox.quickbooks.wire import on
from tieline_sandbox.seeds import Dice

_LINK = {"Check": "BillPaymentCheck", "CreditCard": "BillPaymentCreditCard"}


def bill(books: Books, number: int) -> Record:
    dice, whose, summed = _bought(books, "bills", number)
    day = day_of(books, "bills", number, dice)
    term = dice.below(max(1, books.count("terms")))
    paid = _settled(books, number, summed.total).paid
    made = books.stem("bills", number) | {
        **whose,
        "APAccountRef": lists.account_ref(lists.PAYABLE),
        "TxnDate": on(day),
        "DueDate": on(day + timedelta(days=lists.term_entry(term)[1])),
        "SalesTermRef": lists.term_ref(term),
        **summed.fields(),
        "Balance": summed.total - paid,
        "LinkedTxn": [_paid_by(books, number)] if paid else [],
    }
    if "ExchangeRate" in made:
        made["HomeBalance"] = (made["Balance"] * made["ExchangeRate"]).quantize(CENT, ROUND_HALF_UP)
    if not dice.chance(5):
        made["DocNumber"] = f"{dice.pick('ABKLS')}-{1000 + number % 9000}"
    return made | placed(books, dice)


def vendor_credit(books: Books, number: int) -> Record:
    """From the vendor of the bill with the same number, in its currency."""
    dice, whose, summed = _bought(books, "vendor_credits", number)
    used = ZERO
    if number < books.count("bills"):
        _, whose, billed = _bought(books, "bills", number)
        used = _settled(books, number, billed.total).credit
    made = books.stem("vendor_credits", number) | {
        **whose,
        "APAccountRef": lists.account_ref(lists.PAYABLE),
        "DocNumber": f"VC-{1 + number}",
        "TxnDate": on(day_of(books, "vendor_credits", number, dice)),
        **summed.fields(),
        "Balance": summed.total - used,
        "LinkedTxn": [_paid_by(books, number)] if used else [],
    }
    return made | placed(books, dice)


def bill_payment(books: Books, number: int) -> Record:
    """Of the bill with the same number; without one, money on account."""
    dice, pay = books.dice("bill_payments", number), _pay_type(books, number)
    made = books.stem("bill_payments", number) | {
        "VendorRef": party_ref(books, "vendors", dice.below(1 << 30)),
        "CurrencyRef": lists.currency(books.currency),
        "APAccountRef": lists.account_ref(lists.PAYABLE),
        "TxnDate": on(books.updated_at("bill_payments", number).date()),
        "DocNumber": str(6000 + number),
        "PayType": pay,
        "TotalAmt": Decimal(100 + dice.below(100_000)).scaleb(-2),
        "Line": [],
    }
    if pay == "CreditCard":
        made["CreditCardPayment"] = {"CCAccountRef": lists.account_ref(lists.CARD)}
    else:
        account = lists.account_ref(lists.CHECKING)
        made["CheckPayment"] = {"BankAccountRef": account, "PrintStatus": "NeedToPrint"}
    if number >= books.count("bills"):
        return made
    _, whose, billed = _bought(books, "bills", number)
    now = _settled(books, number, billed.total)
    lines = [{"Amount": now.paid, "LinkedTxn": [linked("bills", "Bill", number)]}]
    if now.credit:
        credit = linked("vendor_credits", "VendorCredit", number)
        lines.append({"Amount": now.credit, "LinkedTxn": [credit]})
    return made | whose | {"TotalAmt": now.money, "Line": lines}


def purchase(books: Books, number: int) -> Record:
    dice = books.dice("purchases", number)
    account = dice.pick(lists.money_accounts(books.count("accounts")))
    is_card = lists.account_entry(account)[1] == "Credit Card"
    made = books.stem("purchases", number) | {
        "AccountRef": lists.account_ref(account),
        "PaymentType": "CreditCard" if is_card else dice.pick(("Cash", "Check")),
        "Credit": is_card and dice.chance(10),
        "TxnDate": on(day_of(books, "purchases", number, dice)),
        "CurrencyRef": lists.currency(books.currency),
        **sums(books, dice, "purchase").fields(),
    }
    if dice.chance(85):
        made["EntityRef"] = party_ref(books, "vendors", dice.below(1 << 30)) | {"type": "Vendor"}
    if dice.chance(60):
        made["DocNumber"] = str(5000 + number)
    if dice.chance(30):
        made["PrivateNote"] = f"Receipt {dice.below(10_000):04}"
    return made | placed(books, dice)


def _bought(books: Books, dataset: Dataset, number: int) -> tuple[Dice, Record, Sums]:
    """With whose it is: the vendor, and the currency."""
    dice = books.dice(dataset, number)
    vendor = party_ref(books, "vendors", dice.below(1 << 30))
    return dice, {"VendorRef": vendor, **currency_of(books, dice)}, sums(books, dice, "purchase")


def _settled(books: Books, number: int, total: Decimal) -> Settled:
    def credited() -> Decimal:
        return _bought(books, "vendor_credits", number)[2].total

    return settled(books, number, total, by="bill_payments", credits="vendor_credits", credited=credited)


def _pay_type(books: Books, number: int) -> str:
    return "CreditCard" if books.dice("pay types", number).chance(25) else "Check"


def _paid_by(books: Books, number: int) -> Record:
    return linked("bill_payments", _LINK[_pay_type(books, number)], number)
