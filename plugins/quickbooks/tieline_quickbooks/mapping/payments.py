"""What customers paid, and what vendors were paid, with what that settles.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/payment
https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/billpayment
"""

from __future__ import annotations

from decimal import Decimal

from tieline.canonical import AccountRef, Direction, Payment
from tieline_quickbooks.mapping.contacts import contact_ref
from tieline_quickbooks.mapping.transactions import (
    account_ref,
    allocations,
    has_effect,
    rate_of,
    status_of,
)
from tieline_quickbooks.wire import Entry, amount, day, part, ref, text

_FROM = (("CheckPayment", "BankAccountRef"), ("CreditCardPayment", "CCAccountRef"))


def payment(id: str, entry: Entry) -> Payment:
    return _payment(
        id,
        entry,
        "Customer",
        reference=text(entry, "PaymentRefNum"),
        account=account_ref(entry, "DepositToAccountRef"),
        unallocated=amount(entry, "UnappliedAmt"),
    )


def bill_payment(id: str, entry: Entry) -> Payment:
    """By cheque or card. How much of it is left, nobody tells."""
    accounts = (account_ref(part(entry, kind) or {}, field) for kind, field in _FROM)
    return _payment(
        id,
        entry,
        "Vendor",
        reference=text(entry, "DocNumber"),
        account=next((account for account in accounts if account), None),
        unallocated=None,
    )


def _payment(
    id: str,
    entry: Entry,
    contact: str,
    *,
    reference: str | None,
    account: AccountRef | None,
    unallocated: Decimal | None,
) -> Payment:
    total = amount(entry, "TotalAmt")
    return Payment(
        id=id,
        direction=Direction.IN if contact == "Customer" else Direction.OUT,
        type=text(entry, "PayType"),
        reference=reference,
        contact=contact_ref(entry, f"{contact}Ref", contact),
        bank_account=account,
        method_id=ref(entry, "PaymentMethodRef"),
        dated_on=day(entry, "TxnDate"),
        currency=ref(entry, "CurrencyRef"),
        currency_rate=rate_of(entry),
        total=total,
        unallocated=unallocated,
        allocations=allocations(entry),
        status=status_of(entry),
        active=has_effect(entry, total),
    )
