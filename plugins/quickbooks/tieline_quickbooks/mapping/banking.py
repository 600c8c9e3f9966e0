"""Money that moves through the company's own accounts: purchases paid at once, deposits, transfers.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/purchase
https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/deposit
https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/transfer
"""

from __future__ import annotations

from dataclasses import replace

from tieline.canonical import AccountRef, BankTransaction, BankTransfer, ContactRef, Direction, Line
from tieline_quickbooks.mapping.contacts import contact_ref
from tieline_quickbooks.mapping.exact import less, opposite
from tieline_quickbooks.mapping.lines import lines_of
from tieline_quickbooks.mapping.transactions import (
    account_ref,
    allocations,
    basis_of,
    has_attachments,
    has_effect,
    rate_of,
    status_of,
    tax_of,
)
from tieline_quickbooks.wire import Entry, amount, day, flag, part, parts, ref, text


def purchase(id: str, entry: Entry) -> BankTransaction:
    """Money spent by cash, cheque or card; `Credit` is a refund of it."""
    return _transaction(
        id,
        entry,
        type=text(entry, "PaymentType"),
        direction=Direction.IN if flag(entry, "Credit") else Direction.OUT,
        contact=contact_ref(entry, "EntityRef"),
        account=account_ref(entry, "AccountRef"),
    )


def deposit(id: str, entry: Entry) -> BankTransaction:
    """Payments that were gathered, and other money. What of it was kept as cash is a line that takes away."""
    made = _transaction(
        id,
        entry,
        type="Deposit",
        direction=Direction.IN,
        contact=_depositor(entry),
        account=account_ref(entry, "DepositToAccountRef"),
    )
    return replace(made, lines=(*made.lines, *_kept(entry)), allocations=allocations(entry))


def transfer(id: str, entry: Entry) -> BankTransfer:
    moved = amount(entry, "Amount")
    return BankTransfer(
        id=id,
        from_account=account_ref(entry, "FromAccountRef"),
        to_account=account_ref(entry, "ToAccountRef"),
        reference=text(entry, "DocNumber") or text(entry, "PrivateNote"),
        dated_on=day(entry, "TxnDate"),
        currency=ref(entry, "CurrencyRef"),
        currency_rate=rate_of(entry),
        amount=moved,
        has_attachments=has_attachments(entry),
        status=status_of(entry),
        active=has_effect(entry, moved),
    )


def _transaction(
    id: str,
    entry: Entry,
    *,
    type: str | None,
    direction: Direction,
    contact: ContactRef | None,
    account: AccountRef | None,
) -> BankTransaction:
    total, tax = amount(entry, "TotalAmt"), tax_of(entry)
    return BankTransaction(
        id=id,
        type=type,
        direction=direction,
        reference=text(entry, "DocNumber"),
        contact=contact,
        bank_account=account,
        dated_on=day(entry, "TxnDate"),
        currency=ref(entry, "CurrencyRef"),
        currency_rate=rate_of(entry),
        tax_basis=basis_of(entry),
        subtotal=less(total, tax),
        tax=tax,
        total=total,
        is_reconciled=False,
        has_attachments=has_attachments(entry),
        status=status_of(entry),
        active=has_effect(entry, total),
        lines=lines_of(entry),
    )


def _depositor(entry: Entry) -> ContactRef | None:
    """Whom all lines are from; None where they are from several."""
    details = (part(line, "DepositLineDetail") or {} for line in parts(entry, "Line"))
    named = {contact_ref(detail, "Entity") for detail in details}
    return named.pop() if len(named) == 1 else None


def _kept(entry: Entry) -> tuple[Line, ...]:
    kept = part(entry, "CashBack") or {}
    cash = amount(kept, "Amount")
    if not cash:
        return ()
    return (
        Line(
            id=None,
            description=text(kept, "Memo"),
            quantity=None,
            unit_amount=None,
            discount_percent=None,
            discount_amount=None,
            amount=opposite(cash),
            tax_code=None,
            tax_amount=None,
            account_id=ref(kept, "AccountRef"),
            account_code=None,
            item_code=None,
            tracking=(),
        ),
    )
