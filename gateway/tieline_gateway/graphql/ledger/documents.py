"""Invoices, bills and bank transactions as one type: what a kind does not have is null."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import strawberry

from tieline.ledger.datasets import KIND_OF, LedgerDocumentKind
from tieline.ledger.reading.repository import LedgerRecord
from tieline_gateway.graphql.ledger.lists import EXTERNAL_ID, STATUS, UPDATED_AT
from tieline_gateway.graphql.ledger.shapes import shown_in_currency

strawberry.enum(
    LedgerDocumentKind,
    description="INVOICE: the organisation sends it. BILL: it gets it. BANK_TRANSACTION: money spent or received "
    "without either.",
)

CURRENCY = "ISO 4217: what all its amounts are in. The organisation's, where it names none."
CURRENCY_RATE = "How much of this currency one unit of the organisation's buys."


@strawberry.type(description="A contact, as a document names it.")
class ContactRef:
    external_id: str | None = strawberry.field(description="Its `externalId` among the contacts.")
    name: str | None


@strawberry.type(description="An account, as a document names it.")
class AccountRef:
    external_id: str | None = strawberry.field(description="Its `externalId` among the accounts.")
    code: str | None
    name: str | None


@strawberry.type(description="The option that a line has in a tracking category.")
class Tracked:
    category_id: str | None = strawberry.field(description="The category's `externalId`.")
    category: str | None = strawberry.field(description="Its name.")
    option_id: str | None = strawberry.field(
        description="The `externalId` of the option, or of the tracking value."
    )
    option: str | None = strawberry.field(description="Its name.")


@strawberry.type(description="A line of a document; amounts are in the document's currency.")
class LedgerLine:
    external_id: str | None = strawberry.field(description="The provider's own id for it.")
    description: str | None
    quantity: Decimal | None
    unit_amount: Decimal | None
    discount_percent: Decimal | None
    discount_amount: Decimal | None
    amount: Decimal | None = strawberry.field(
        description="What it adds before tax, or with it where the document's `taxBasis` is INCLUSIVE."
    )
    tax_code: str | None = strawberry.field(description="The `code` of its tax rate.")
    tax_amount: Decimal | None
    account_id: str | None = strawberry.field(description="The `externalId` of its account.")
    account_code: str | None
    item_code: str | None
    tracking: list[Tracked]


@strawberry.type(
    description="An invoice, a bill or a bank transaction. Fields of other kinds are null, and so is what the provider "
    "does not tell."
)
class LedgerDocument:
    kind: LedgerDocumentKind
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    type: str | None = strawberry.field(description="Of bank transactions: the provider's own word.")
    direction: str | None = strawberry.field(
        description="Of bank transactions: IN raises the bank's balance, OUT lowers it; amounts are positive."
    )
    number: str | None = strawberry.field(description="A bill's is its supplier's, and need not be unique.")
    reference: str | None
    contact: ContactRef | None
    bank_account: AccountRef | None
    dated_on: date | None
    due_on: date | None
    paid_on: date | None = strawberry.field(description="When it was paid in full.")
    currency: str | None = strawberry.field(description=CURRENCY)
    currency_rate: Decimal | None = strawberry.field(description=CURRENCY_RATE)
    tax_basis: str | None = strawberry.field(
        description="Whether the amounts of lines hold their tax: EXCLUSIVE, INCLUSIVE, NO_TAX, or another word of the "
        "provider's."
    )
    subtotal: Decimal | None = strawberry.field(description="Before tax.")
    tax: Decimal | None
    total: Decimal | None
    paid: Decimal | None
    credited: Decimal | None
    due: Decimal | None
    is_reconciled: bool | None
    has_attachments: bool | None
    status: str | None = strawberry.field(description=STATUS)
    active: bool = strawberry.field(description="Whether it counts: not voided or deleted.")
    lines: list[LedgerLine]
    updated_at: datetime | None = strawberry.field(description=UPDATED_AT)

    @classmethod
    def of(cls, record: LedgerRecord) -> LedgerDocument:
        return shown_in_currency(cls, record, kind=KIND_OF[record.dataset])
