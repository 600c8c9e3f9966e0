"""Payments of every kind as one type, and which documents each of them settles."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import strawberry

from tieline.ledger.datasets import PAYMENTS, PaymentKind
from tieline.ledger.reading.repository import LedgerRecord
from tieline_gateway.graphql.ledger.lists import EXTERNAL_ID, STATUS, UPDATED_AT
from tieline_gateway.graphql.ledger.parts import (
    COUNTS,
    CURRENCY,
    CURRENCY_RATE,
    TAX_BASIS,
    AccountRef,
    Allocation,
    ContactRef,
    LedgerLine,
)
from tieline_gateway.graphql.ledger.shapes import shown_in_currency

strawberry.enum(
    PaymentKind,
    description="PAYMENT: what settles documents, to suppliers too where the provider has but one kind. BILL_PAYMENT: "
    "what settles bills. PREPAYMENT: paid before there was a document. OVERPAYMENT: paid beyond it.",
)


@strawberry.type(
    description="Money that settles documents, or is still to settle some. Fields of other kinds are null, and so is "
    "what the provider does not tell."
)
class Payment:
    kind: PaymentKind
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    type: str | None = strawberry.field(description="The provider's own word for what kind of payment it is.")
    direction: str | None = strawberry.field(
        description="IN: money came in, as when a customer pays. OUT: it went out."
    )
    reference: str | None
    contact: ContactRef | None
    bank_account: AccountRef | None = strawberry.field(description="Where the money went, or came from.")
    method_id: str | None = strawberry.field(description="The `externalId` of the payment method.")
    dated_on: date | None
    currency: str | None = strawberry.field(description=CURRENCY)
    currency_rate: Decimal | None = strawberry.field(description=CURRENCY_RATE)
    tax_basis: str | None = strawberry.field(description=f"Of pre- and overpayments. {TAX_BASIS}")
    subtotal: Decimal | None = strawberry.field(description="Of pre- and overpayments: before tax.")
    tax: Decimal | None = strawberry.field(description="Of pre- and overpayments.")
    total: Decimal | None
    unallocated: Decimal | None = strawberry.field(description="What settles nothing yet.")
    allocations: list[Allocation]
    has_attachments: bool | None
    lines: list[LedgerLine] = strawberry.field(description="Of pre- and overpayments.")
    status: str | None = strawberry.field(description=STATUS)
    active: bool = strawberry.field(description=COUNTS)
    updated_at: datetime | None = strawberry.field(description=UPDATED_AT)

    @classmethod
    def of(cls, record: LedgerRecord) -> Payment:
        return shown_in_currency(cls, record, kind=PAYMENTS[record.dataset])
