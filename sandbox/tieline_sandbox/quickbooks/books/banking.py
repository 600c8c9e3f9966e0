"""Money on its way through the accounts: deposits, transfers and journal entries."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

from tieline_sandbox.books.values import Record
from tieline_sandbox.quickbooks.books import items, lists
from tieline_sandbox.quickbooks.books.ledger import Books
from tieline_sandbox.quickbooks.books.lines import CENT, ZERO
from tieline_sandbox.quickbooks.books.parties import party_ref
from tieline_sandbox.quickbooks.books.sales import payment
from tieline_sandbox.quickbooks.books.transactions import day_of, linked, placed
from tieline_sandbox.quickbooks.wire import on
from tieline_sandbox.seeds import Dice

_TOGETHER = 2


def deposit(books: Books, number: int) -> Record:
    """Of the payments that have their turn, and of money that nobody was billed for; some of it kept as cash."""
    dice = books.dice("deposits", number)
    turn = range(_TOGETHER * number, _TOGETHER * (number + 1))
    lines = [_gathered(books, each) for each in turn if each < books.count("payments")]
    if not lines or dice.chance(20):
        lines.append(_earned(books, dice))
    total = sum((line["Amount"] for line in lines), ZERO)
    made = books.stem("deposits", number) | {
        "DepositToAccountRef": lists.account_ref(lists.CHECKING),
        "TxnDate": on(books.updated_at("deposits", number).date()),
        "CurrencyRef": lists.currency(books.currency),
        "Line": [{"Id": str(place), "LineNum": place, **line} for place, line in enumerate(lines, 1)],
    }
    if number % 4 == 1:
        kept = (total / 10).quantize(CENT, ROUND_DOWN)
        account = lists.account_ref(lists.SAVINGS)
        made["CashBack"] = {"AccountRef": account, "Amount": kept, "Memo": "Petty cash"}
        total -= kept
    return made | {"TotalAmt": total} | placed(books, dice)


def _gathered(books: Books, number: int) -> Record:
    paid = payment(books, number)
    entity = paid["CustomerRef"] | {"type": "CUSTOMER"}
    return {
        "Amount": paid["TotalAmt"],
        "LinkedTxn": [linked("payments", "Payment", number) | {"TxnLineId": "0"}],
        "DepositLineDetail": {"Entity": entity, "PaymentMethodRef": paid["PaymentMethodRef"]},
    }


def _earned(books: Books, dice: Dice) -> Record:
    account = lists.account_ref(lists.INTEREST)
    detail: Record = {"AccountRef": account}
    if books.count("classes") and dice.chance(40):
        detail["ClassRef"] = lists.class_ref(dice.below(books.count("classes")))
    amount = Decimal(100 + dice.below(20_000)).scaleb(-2)
    kind = "DepositLineDetail"
    return {"Description": "Interest", "Amount": amount, "DetailType": kind, kind: detail}


def transfer(books: Books, number: int) -> Record:
    dice = books.dice("transfers", number)
    ends = (lists.CHECKING, dice.pick((lists.SAVINGS, lists.CARD)))
    first, second = ends if dice.chance(70) else ends[::-1]
    made = books.stem("transfers", number) | {
        "FromAccountRef": lists.account_ref(first),
        "ToAccountRef": lists.account_ref(second),
        "Amount": Decimal(1_000 + dice.below(500_000)).scaleb(-2),
        "TxnDate": on(day_of(books, "transfers", number, dice)),
        "CurrencyRef": lists.currency(books.currency),
    }
    return made | ({"PrivateNote": f"Statement {dice.below(12) + 1}"} if dice.chance(50) else {})


def journal_entry(books: Books, number: int) -> Record:
    """Some expenses, against one account; debits and credits balance."""
    dice = books.dice("journal_entries", number)
    debits = [Decimal(100 + dice.below(90_000)).scaleb(-2) for _ in range(1 + dice.below(3))]
    expenses = [items.account_ref(books, "purchase", dice.below(1 << 30)) for _ in debits]
    sides = [("Debit", amount, account) for amount, account in zip(debits, expenses, strict=True)]
    sides.append(("Credit", sum(debits, ZERO), lists.account_ref(lists.CHECKING)))
    lines = [_posted(books, dice, place, *side) for place, side in enumerate(sides)]
    return books.stem("journal_entries", number) | {
        "DocNumber": f"JE-{1 + number}",
        "TxnDate": on(day_of(books, "journal_entries", number, dice)),
        "CurrencyRef": lists.currency(books.currency),
        "PrivateNote": f"Accruals {1 + number}",
        "Adjustment": dice.chance(20),
        "Line": lines,
        "TxnTaxDetail": {},
    }


def _posted(books: Books, dice: Dice, place: int, side: str, amount: Decimal, account: Record) -> Record:
    kind = "JournalEntryLineDetail"
    detail: Record = {"PostingType": side, "AccountRef": account, **placed(books, dice)}
    if books.count("classes") and dice.chance(40):
        detail["ClassRef"] = lists.class_ref(dice.below(books.count("classes")))
    if side == "Debit" and dice.chance(30):
        vendor = party_ref(books, "vendors", dice.below(1 << 30))
        detail["Entity"] = {"Type": "Vendor", "EntityRef": vendor}
    named = {"Id": str(place), "Description": "Accrual", "Amount": amount}
    return {**named, "DetailType": kind, kind: detail}
