"""What moves money within the organisation: transfers between its accounts, and journals."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import strawberry

from tieline.ledger.reading.repository import LedgerRecord
from tieline_gateway.graphql.ledger.lists import EXTERNAL_ID, STATUS, UPDATED_AT
from tieline_gateway.graphql.ledger.parts import (
    COUNTS,
    CURRENCY,
    CURRENCY_RATE,
    TAX_BASIS,
    AccountRef,
    ContactRef,
    Tracked,
)
from tieline_gateway.graphql.ledger.shapes import shown_in_currency


@strawberry.type(description="Money moved from one of the organisation's accounts to another.")
class BankTransfer:
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    from_account: AccountRef | None
    to_account: AccountRef | None
    reference: str | None
    dated_on: date | None
    currency: str | None = strawberry.field(description=CURRENCY)
    currency_rate: Decimal | None = strawberry.field(description=CURRENCY_RATE)
    amount: Decimal | None = strawberry.field(description="What left the first account.")
    has_attachments: bool | None
    status: str | None = strawberry.field(description=STATUS)
    active: bool = strawberry.field(description=COUNTS)
    updated_at: datetime | None = strawberry.field(description=UPDATED_AT)

    @classmethod
    def of(cls, record: LedgerRecord) -> BankTransfer:
        return shown_in_currency(cls, record)


@strawberry.type(description="A line of a journal.")
class JournalLine:
    external_id: str | None = strawberry.field(description="The provider's own id for it.")
    description: str | None
    amount: Decimal | None = strawberry.field(
        description="A debit where it is positive, a credit where it is negative; before tax."
    )
    tax_code: str | None = strawberry.field(description="The `code` of its tax rate.")
    tax_amount: Decimal | None
    account_id: str | None = strawberry.field(description="The `externalId` of its account.")
    account_code: str | None
    contact: ContactRef | None
    tracking: list[Tracked]


@strawberry.type(description="A journal that somebody entered by hand; its lines add up to nothing.")
class Journal:
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    number: str | None
    narration: str | None
    dated_on: date | None
    reverses_on: date | None = strawberry.field(description="When its opposite is posted by itself.")
    currency: str | None = strawberry.field(description=CURRENCY)
    currency_rate: Decimal | None = strawberry.field(description=CURRENCY_RATE)
    tax_basis: str | None = strawberry.field(description=TAX_BASIS)
    is_adjustment: bool | None
    has_attachments: bool | None
    status: str | None = strawberry.field(description=STATUS)
    active: bool = strawberry.field(description=COUNTS)
    lines: list[JournalLine]
    updated_at: datetime | None = strawberry.field(description=UPDATED_AT)

    @classmethod
    def of(cls, record: LedgerRecord) -> Journal:
        return shown_in_currency(cls, record)
