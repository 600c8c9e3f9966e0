"""What the books say of themselves: organisation, preferences, items, currencies, branding themes, tax agencies."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import strawberry

from tieline.ledger.reading.repository import LedgerRecord
from tieline_gateway.graphql.ledger.lists import ACTIVE, EXTERNAL_ID, STATUS, UPDATED_AT
from tieline_gateway.graphql.ledger.shapes import shown, shown_in_currency


@strawberry.type(description="How an item is sold, or bought. The price is in the organisation's currency.")
class LedgerItemSide:
    description: str | None
    unit_price: Decimal | None
    account_id: str | None = strawberry.field(description="The `externalId` of its account.")
    account_code: str | None
    tax_code: str | None = strawberry.field(description="The `code` of its tax rate.")


@strawberry.type(description="What is bought or sold by name.")
class LedgerItem:
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    code: str | None = strawberry.field(
        description="Lines without an `itemId` name it by this, as `itemCode`."
    )
    name: str | None
    type: str | None = strawberry.field(description="The provider's own word.")
    sale: LedgerItemSide | None = strawberry.field(description="Null: it is not sold.")
    purchase: LedgerItemSide | None = strawberry.field(description="Null: it is not bought.")
    is_tracked: bool | None = strawberry.field(description="Whether the provider counts how many there are.")
    quantity: Decimal | None
    stock_account_id: str | None = strawberry.field(description="The `externalId` of the stock's account.")
    stock_account_code: str | None
    parent_id: str | None = strawberry.field(description="The `externalId` of the item above it.")
    status: str | None = strawberry.field(description=STATUS)
    active: bool = strawberry.field(description=ACTIVE)
    updated_at: datetime | None = strawberry.field(description=UPDATED_AT)

    @classmethod
    def of(cls, record: LedgerRecord) -> LedgerItem:
        return shown(cls, record)


@strawberry.type(description="A currency that documents may be in.")
class Currency:
    external_id: str = strawberry.field(description="Its code, by ISO 4217.")
    name: str | None
    status: str | None = strawberry.field(description=STATUS)
    active: bool = strawberry.field(description=ACTIVE)
    updated_at: datetime | None = strawberry.field(description=UPDATED_AT)

    @classmethod
    def of(cls, record: LedgerRecord) -> Currency:
        return shown(cls, record)


@strawberry.type(description="How an invoice looks when it is printed.")
class BrandingTheme:
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    name: str | None
    position: int | None = strawberry.field(description="The lowest is the default.")
    status: str | None = strawberry.field(description=STATUS)
    active: bool = strawberry.field(description=ACTIVE)
    updated_at: datetime | None = strawberry.field(description=UPDATED_AT)

    @classmethod
    def of(cls, record: LedgerRecord) -> BrandingTheme:
        return shown(cls, record)


@strawberry.type(description="Whom taxes are declared to.")
class TaxAgency:
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    name: str | None
    registration_number: str | None = strawberry.field(description="The organisation's, with this agency.")
    tracks_sales: bool | None
    tracks_purchases: bool | None
    status: str | None = strawberry.field(description=STATUS)
    active: bool = strawberry.field(description=ACTIVE)
    updated_at: datetime | None = strawberry.field(description=UPDATED_AT)

    @classmethod
    def of(cls, record: LedgerRecord) -> TaxAgency:
        return shown(cls, record)


@strawberry.type(description="The organisation as its books have it.")
class LedgerOrganisation:
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    name: str | None
    legal_name: str | None
    country: str | None = strawberry.field(description="ISO 3166 alpha-2, such as GB.")
    currency: str | None = strawberry.field(description="ISO 4217, such as GBP.")
    tax_number: str | None
    registration_number: str | None
    timezone: str | None = strawberry.field(description="The provider's own word.")
    year_end_day: int | None = strawberry.field(description="Of the month that its year ends in.")
    year_end_month: int | None = strawberry.field(description="1 to 12.")
    locked_until: date | None = strawberry.field(
        description="The last day that nobody but advisers may post to."
    )
    closed_until: date | None = strawberry.field(description="The last day that nobody at all may post to.")
    edition: str | None = strawberry.field(description="The provider's own word for what was bought of it.")
    is_demo: bool | None
    status: str | None = strawberry.field(description=STATUS)
    active: bool
    updated_at: datetime | None = strawberry.field(description=UPDATED_AT)

    @classmethod
    def of(cls, record: LedgerRecord) -> LedgerOrganisation:
        return shown(cls, record)


@strawberry.type(
    description="How the organisation's books are set up, as far as whoever posts to them has to know."
)
class LedgerPreferences:
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    currency: str | None = strawberry.field(description="ISO 4217: the organisation's own.")
    is_multi_currency: bool | None
    uses_tax: bool | None
    tracks_classes: bool | None
    tracks_classes_by_line: bool | None
    tracks_departments: bool | None
    numbers_documents_by_hand: bool | None
    warns_of_double_numbers: bool | None
    term_id: str | None = strawberry.field(description="The `externalId` of the term that is the default.")
    status: str | None = strawberry.field(description=STATUS)
    active: bool
    updated_at: datetime | None = strawberry.field(description=UPDATED_AT)

    @classmethod
    def of(cls, record: LedgerRecord) -> LedgerPreferences:
        return shown_in_currency(cls, record)
