"""What several kinds of documents have in them: references, lines, what they settle."""

from __future__ import annotations

from decimal import Decimal

import strawberry

CURRENCY = "ISO 4217: what all its amounts are in. The organisation's, where it names none."
CURRENCY_RATE = "How much of this currency one unit of the organisation's buys."
TAX_BASIS = (
    "Whether the amounts of lines hold their tax: EXCLUSIVE, INCLUSIVE, NO_TAX, or another word of the "
    "provider's."
)
COUNTS = "Whether it counts: not voided or deleted."


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
    item_id: str | None = strawberry.field(
        description="The `externalId` of its item, where the provider names it by that."
    )
    item_code: str | None = strawberry.field(
        description="The `code` of its item, or its name, as the provider has it."
    )
    tracking: list[Tracked]


@strawberry.type(description="What of a payment, a credit note or a deposit belongs to which document.")
class Allocation:
    document_id: str | None = strawberry.field(
        description="The `externalId` of an invoice, a bill or another document, as `type` says."
    )
    type: str | None = strawberry.field(description="The provider's own word for the kind of document.")
    amount: Decimal | None
