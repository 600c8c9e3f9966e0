"""Journals that somebody entered by hand: two to four lines that add up to nothing."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from tieline_sandbox.books.values import Record
from tieline_sandbox.seeds import Dice
from tieline_sandbox.xero.books import charts
from tieline_sandbox.xero.books.ledger import Ledger
from tieline_sandbox.xero.books.sums import NO_TAX, ZERO
from tieline_sandbox.xero.wire import ms_date, twin

_NARRATIONS = ("Depreciation", "Accrued wages", "Prepaid rent", "Correction of a coding", "Year-end stock")
_STATUSES = (*("POSTED",) * 15, "DRAFT", "DRAFT", "VOIDED", "DELETED", "ARCHIVED")


def manual_journal(ledger: Ledger, number: int) -> Record:
    dice = ledger.dice("manual_journals", number)
    updated = ledger.updated_at("manual_journals", number)
    on = updated.date() - timedelta(days=dice.below(20))
    return {
        "ManualJournalID": ledger.id_of("manual_journals", number),
        "Narration": f"{dice.pick(_NARRATIONS)} {number + 1}",
        "Status": dice.pick(_STATUSES),
        "Date": ms_date(on),
        "DateString": twin(on),
        "LineAmountTypes": NO_TAX,
        "ShowOnCashBasisReports": True,
        "HasAttachments": False,
        "UpdatedDateUTC": ms_date(updated),
        "JournalLines": _lines(ledger, dice),
    }


def _lines(ledger: Ledger, dice: Dice) -> list[Record]:
    parts = [Decimal(1_000 + dice.below(500_000)).scaleb(-2) for _ in range(1 + dice.below(3))]
    return [_line(ledger, dice, amount) for amount in (*parts, -sum(parts, ZERO))]


def _line(ledger: Ledger, dice: Dice, amount: Decimal) -> Record:
    """Accounts of banks, debtors and creditors take no journals."""
    made: Record = {
        "LineAmount": amount,
        "Description": "By hand",
        "TaxType": "NONE",
        "TaxAmount": ZERO,
        "Tracking": [],
        "IsBlank": False,
    }
    fitting = charts.accounts_for("purchase", ledger.count("accounts"))
    if fitting:
        account = dice.pick(fitting)
        code, id_ = charts.account_entry(account)[0], ledger.id_of("accounts", account)
        made |= {"AccountCode": code, "AccountID": id_}
    if ledger.count("tracking_categories") and dice.chance(40):
        made["Tracking"] = [charts.tracked(ledger, 0, dice.below(100))]
    return made
