"""Money that moved at the bank without an invoice: spent, received, and moved between the organisation's accounts."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from tieline_sandbox.books.values import Record
from tieline_sandbox.seeds import Dice
from tieline_sandbox.xero.books import charts
from tieline_sandbox.xero.books.contacts import party
from tieline_sandbox.xero.books.invoices import side_of
from tieline_sandbox.xero.books.ledger import Ledger
from tieline_sandbox.xero.books.sums import sums_of
from tieline_sandbox.xero.wire import ms_date, twin


def bank_transaction_head(ledger: Ledger, number: int) -> Record:
    return _head(ledger.dice("bank_transactions", number))


def _head(dice: Dice) -> Record:
    return {
        "Type": "SPEND" if dice.chance(65) else "RECEIVE",
        "Status": "DELETED" if dice.chance(5) else "AUTHORISED",
        "IsReconciled": dice.chance(70),
    }


def bank_transaction(ledger: Ledger, number: int) -> Record:
    dice = ledger.dice("bank_transactions", number)
    head = _head(dice)
    side = side_of(head["Type"])
    updated = ledger.updated_at("bank_transactions", number)
    on = updated.date() - timedelta(days=dice.below(5))
    account = dice.pick(charts.bank_accounts(ledger.count("accounts")))
    sums = sums_of(ledger, dice, "bank_transactions", number, side)
    return {
        **head,
        "BankTransactionID": ledger.id_of("bank_transactions", number),
        "BankAccount": _account(ledger, account),
        "Contact": party(ledger, side, dice.below(1 << 30)),
        "Date": ms_date(on),
        "DateString": twin(on),
        "Reference": f"Card {dice.below(10_000):04}" if dice.chance(60) else "",
        **sums.fields(),
        "UpdatedDateUTC": ms_date(updated),
        "CurrencyCode": ledger.currency,
        "HasAttachments": False,
    }


def bank_transfer(ledger: Ledger, number: int) -> Record:
    """It tells when it was made, and not when it was changed."""
    dice = ledger.dice("bank_transfers", number)
    accounts = charts.bank_accounts(ledger.count("accounts"))
    first = dice.below(len(accounts))
    second = (first + 1 + dice.below(max(1, len(accounts) - 1))) % len(accounts)
    made = ledger.updated_at("bank_transfers", number)
    on = made.date() - timedelta(days=dice.below(5))
    return {
        "BankTransferID": ledger.id_of("bank_transfers", number),
        "CreatedDateUTC": ms_date(made),
        "CreatedDateUTCString": f"{made:%Y-%m-%dT%H:%M:%S}",
        "Date": ms_date(on),
        "DateString": twin(on),
        "Status": "DELETED" if dice.chance(12) else "AUTHORISED",
        "FromBankAccount": _account(ledger, accounts[first]),
        "ToBankAccount": _account(ledger, accounts[second]),
        "Amount": Decimal(1_000 + dice.below(2_000_000)).scaleb(-2),
        "FromBankTransactionID": ledger.id_of("bank transfers from", number),
        "ToBankTransactionID": ledger.id_of("bank transfers to", number),
        "FromIsReconciled": dice.chance(70),
        "ToIsReconciled": dice.chance(70),
        "Reference": f"Move {dice.below(10_000):04}" if dice.chance(60) else "",
        "CurrencyRate": Decimal(1),
        "HasAttachments": False,
    }


def _account(ledger: Ledger, number: int) -> Record:
    code, _, name = charts.account_entry(number)
    return {"AccountID": ledger.id_of("accounts", number), "Code": code, "Name": name}
