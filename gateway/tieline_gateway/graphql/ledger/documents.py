"""Invoices, bills, credit notes, receipts and bank transactions as one type: what a kind does not have is null."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import strawberry

from tieline.ledger.datasets import DOCUMENTS, LedgerDocumentKind
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
    LedgerDocumentKind,
    description="INVOICE: the organisation sends it. BILL: it gets it. CREDIT_NOTE: it sends what lowers an invoice. "
    "SUPPLIER_CREDIT_NOTE: it gets what lowers a bill. SALES_RECEIPT: a sale that is paid at once. "
    "BANK_TRANSACTION: money spent or received without any of these. DEPOSIT: money that was brought to the bank.",
)


@strawberry.type(
    description="An invoice, a bill, a credit note, a receipt or a bank transaction. Fields of other kinds are null, "
    "and so is what the provider does not tell."
)
class LedgerDocument:
    kind: LedgerDocumentKind
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    type: str | None = strawberry.field(
        description="Of bank transactions and deposits: the provider's own word."
    )
    direction: str | None = strawberry.field(
        description="Of bank transactions and deposits: IN raises the bank's balance, OUT lowers it; amounts are "
        "positive."
    )
    number: str | None = strawberry.field(description="A bill's is its supplier's, and need not be unique.")
    reference: str | None
    contact: ContactRef | None
    bank_account: AccountRef | None = strawberry.field(
        description="Of sales receipts, bank transactions and deposits: where the money went, or came from."
    )
    method_id: str | None = strawberry.field(
        description="Of sales receipts: the `externalId` of the payment method."
    )
    dated_on: date | None
    due_on: date | None
    paid_on: date | None = strawberry.field(description="When it was paid in full.")
    currency: str | None = strawberry.field(description=CURRENCY)
    currency_rate: Decimal | None = strawberry.field(description=CURRENCY_RATE)
    tax_basis: str | None = strawberry.field(description=TAX_BASIS)
    subtotal: Decimal | None = strawberry.field(description="Before tax.")
    tax: Decimal | None
    total: Decimal | None
    paid: Decimal | None
    credited: Decimal | None
    due: Decimal | None = strawberry.field(
        description="What is still owed; of a credit note, what is left of it."
    )
    is_reconciled: bool | None
    has_attachments: bool | None
    status: str | None = strawberry.field(description=STATUS)
    active: bool = strawberry.field(description=COUNTS)
    lines: list[LedgerLine]
    allocations: list[Allocation] = strawberry.field(
        description="Of credit notes: what they settled. Of deposits: the payments and receipts that they brought to "
        "the bank; these stand among `lines`, too."
    )
    updated_at: datetime | None = strawberry.field(description=UPDATED_AT)

    @classmethod
    def of(cls, record: LedgerRecord) -> LedgerDocument:
        return shown_in_currency(cls, record, kind=DOCUMENTS[record.dataset])
