"""Money that settles documents: payments, and what was paid ahead of them or beyond them.

https://developer.xero.com/documentation/api/accounting/payments
https://developer.xero.com/documentation/api/accounting/prepayments
https://developer.xero.com/documentation/api/accounting/overpayments
"""

from __future__ import annotations

from tieline.canonical import Advance, Direction, Payment
from tieline_xero.mapping.banking import direction_of
from tieline_xero.mapping.contacts import contact_ref
from tieline_xero.mapping.parts import (
    account_ref,
    allocation,
    allocations,
    basis,
    has_effect,
    lines,
    settled_by,
)
from tieline_xero.wire import Entry, amount, day, flag, text

_DIRECTIONS = {
    "ACCRECPAYMENT": Direction.IN,
    "ACCPAYPAYMENT": Direction.OUT,
    "ARCREDITPAYMENT": Direction.OUT,
    "APCREDITPAYMENT": Direction.IN,
    "ARPREPAYMENTPAYMENT": Direction.OUT,
    "APPREPAYMENTPAYMENT": Direction.IN,
    "AROVERPAYMENTPAYMENT": Direction.OUT,
    "APOVERPAYMENTPAYMENT": Direction.IN,
}
_ADVANCES = {"ARPREPAYMENT": Direction.IN, "APPREPAYMENT": Direction.OUT, "AROVERPAYMENT": Direction.IN}


def payment(id: str, entry: Entry) -> Payment:
    """Each settles one document; what a credit note left is paid back the other way."""
    status, type_ = text(entry, "Status"), text(entry, "PaymentType")
    name, settled = settled_by(entry)
    return Payment(
        id=id,
        type=type_,
        direction=_DIRECTIONS.get((type_ or "").upper()),
        reference=text(entry, "Reference"),
        contact=contact_ref(settled),
        bank_account=account_ref(entry, "Account"),
        method_id=None,
        dated_on=day(entry, "Date"),
        currency=text(settled, "CurrencyCode"),
        currency_rate=amount(entry, "CurrencyRate"),
        total=amount(entry, "Amount"),
        unallocated=None,
        allocations=(allocation(entry),) if name else (),
        status=status,
        active=has_effect(status),
    )


def advance(id: str, entry: Entry) -> Advance:
    type_, status = text(entry, "Type"), text(entry, "Status")
    return Advance(
        id=id,
        direction=direction_of(type_) or _ADVANCES.get((type_ or "").upper()),
        reference=text(entry, "Reference") or text(entry, "InvoiceNumber"),
        contact=contact_ref(entry),
        dated_on=day(entry, "Date"),
        currency=text(entry, "CurrencyCode"),
        currency_rate=amount(entry, "CurrencyRate"),
        tax_basis=basis(entry),
        subtotal=amount(entry, "SubTotal"),
        tax=amount(entry, "TotalTax"),
        total=amount(entry, "Total"),
        unallocated=amount(entry, "RemainingCredit"),
        allocations=allocations(entry),
        has_attachments=flag(entry, "HasAttachments"),
        status=status,
        active=has_effect(status),
        lines=lines(entry),
    )
