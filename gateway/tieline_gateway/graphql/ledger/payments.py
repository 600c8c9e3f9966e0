"""Payments, and which documents each of them settles."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import strawberry

from tieline.ledger.reading.repository import LedgerRecord
from tieline_gateway.graphql.ledger.documents import CURRENCY, CURRENCY_RATE, AccountRef, ContactRef
from tieline_gateway.graphql.ledger.lists import EXTERNAL_ID, STATUS, UPDATED_AT
from tieline_gateway.graphql.ledger.shapes import shown_in_currency


@strawberry.type(description="What of a payment settles which document.")
class Allocation:
    document_id: str | None = strawberry.field(
        description="The `externalId` of an invoice or a bill, where `type` says so."
    )
    type: str | None = strawberry.field(description="The provider's own word for the kind of document.")
    amount: Decimal | None


@strawberry.type(description="Money that settles documents.")
class Payment:
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    direction: str | None = strawberry.field(description="IN: a customer paid. OUT: a supplier was paid.")
    reference: str | None
    contact: ContactRef | None
    bank_account: AccountRef | None = strawberry.field(description="Where the money went, or came from.")
    method_id: str | None = strawberry.field(description="The `externalId` of the payment method.")
    dated_on: date | None
    currency: str | None = strawberry.field(description=CURRENCY)
    currency_rate: Decimal | None = strawberry.field(description=CURRENCY_RATE)
    total: Decimal | None
    unallocated: Decimal | None = strawberry.field(description="What settles nothing yet.")
    allocations: list[Allocation]
    status: str | None = strawberry.field(description=STATUS)
    active: bool = strawberry.field(description="Whether it counts: not voided or deleted.")
    updated_at: datetime | None = strawberry.field(description=UPDATED_AT)

    @classmethod
    def of(cls, record: LedgerRecord) -> Payment:
        return shown_in_currency(cls, record)
