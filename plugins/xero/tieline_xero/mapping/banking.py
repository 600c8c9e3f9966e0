"""Money at the bank without an invoice: bank transactions, and transfers between the organisation's own accounts.

https://developer.xero.com/documentation/api/accounting/banktransactions
https://developer.xero.com/documentation/api/accounting/banktransfers
"""

from __future__ import annotations

from tieline.canonical import BankTransaction, BankTransfer, Direction
from tieline_xero.mapping.contacts import contact_ref
from tieline_xero.mapping.parts import account_ref, basis, has_effect, lines
from tieline_xero.wire import Entry, amount, day, flag, part, text

_DIRECTIONS = {"RECEIVE": Direction.IN, "SPEND": Direction.OUT}


def bank_transaction(id: str, entry: Entry) -> BankTransaction:
    """Transfers, prepayments and overpayments are types of their own: SPEND-TRANSFER, RECEIVE-PREPAYMENT."""
    type_, status = text(entry, "Type"), text(entry, "Status")
    return BankTransaction(
        id=id,
        type=type_,
        direction=direction_of(type_),
        reference=text(entry, "Reference"),
        contact=contact_ref(entry),
        bank_account=account_ref(entry, "BankAccount"),
        dated_on=day(entry, "Date"),
        currency=text(entry, "CurrencyCode"),
        currency_rate=amount(entry, "CurrencyRate"),
        tax_basis=basis(entry),
        subtotal=amount(entry, "SubTotal"),
        tax=amount(entry, "TotalTax"),
        total=amount(entry, "Total"),
        is_reconciled=flag(entry, "IsReconciled"),
        has_attachments=flag(entry, "HasAttachments"),
        status=status,
        active=has_effect(status),
        lines=lines(entry),
    )


def bank_transfer(id: str, entry: Entry) -> BankTransfer:
    """The amount is in the currency of the account that it left, which Xero names at the account, if at all."""
    status = text(entry, "Status")
    left = part(entry, "FromBankAccount") or {}
    return BankTransfer(
        id=id,
        from_account=account_ref(entry, "FromBankAccount"),
        to_account=account_ref(entry, "ToBankAccount"),
        reference=text(entry, "Reference"),
        dated_on=day(entry, "Date"),
        currency=text(left, "CurrencyCode"),
        currency_rate=amount(entry, "CurrencyRate"),
        amount=amount(entry, "Amount"),
        has_attachments=flag(entry, "HasAttachments"),
        status=status,
        active=has_effect(status),
    )


def direction_of(type: str | None) -> Direction | None:
    return _DIRECTIONS.get((type or "").upper().partition("-")[0])
