"""What documents refer to: accounts, contacts, tax rates, tracking, payment methods and terms."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import strawberry

from tieline.ledger.reading.repository import LedgerRecord
from tieline_gateway.graphql.ledger.shapes import shown

EXTERNAL_ID = "The provider's own id for it; unique within the organisation's records of this kind."
ACTIVE = "Whether it is in use: not archived, voided or merged away."
STATUS = "The provider's own word."
UPDATED_AT = "When it was last changed at the provider, where the provider tells."


@strawberry.type(description="One account of the chart of accounts.")
class Account:
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    code: str | None
    name: str | None
    type: str | None = strawberry.field(description="The provider's own word.")
    classification: str | None = strawberry.field(
        description="The side of the ledger: ASSET, EQUITY, EXPENSE, LIABILITY, REVENUE."
    )
    description: str | None
    currency: str | None = strawberry.field(description="Null: the organisation's.")
    tax_code: str | None = strawberry.field(description="The `code` of the tax rate that goes with it.")
    bank_account_type: str | None
    bank_account_number: str | None
    system_role: str | None = strawberry.field(description="Set where the provider itself posts to it.")
    takes_payments: bool | None
    status: str | None = strawberry.field(description=STATUS)
    active: bool = strawberry.field(description=ACTIVE)
    updated_at: datetime | None = strawberry.field(description=UPDATED_AT)

    @classmethod
    def of(cls, record: LedgerRecord) -> Account:
        return shown(cls, record)


@strawberry.type(description="Where a contact is.")
class Address:
    type: str | None = strawberry.field(description="The provider's own word, such as POBOX.")
    lines: list[str]
    city: str | None
    region: str | None
    postal_code: str | None
    country: str | None = strawberry.field(description="As somebody typed it.")


@strawberry.type(description="How a contact is called.")
class Phone:
    type: str | None = strawberry.field(description="The provider's own word, such as MOBILE.")
    number: str | None


@strawberry.type(description="A supplier, a customer, both, or neither yet.")
class Contact:
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    code: str | None
    name: str | None
    first_name: str | None
    last_name: str | None
    email: str | None
    website: str | None
    tax_number: str | None
    registration_number: str | None
    currency: str | None = strawberry.field(description="Null: the organisation's.")
    is_supplier: bool | None
    is_customer: bool | None
    purchase_account_code: str | None
    purchase_tax_code: str | None
    sales_account_code: str | None
    sales_tax_code: str | None
    addresses: list[Address]
    phones: list[Phone]
    merged_into_id: str | None = strawberry.field(
        description="The `externalId` of the contact that took its place."
    )
    status: str | None = strawberry.field(description=STATUS)
    active: bool = strawberry.field(description=ACTIVE)
    updated_at: datetime | None = strawberry.field(description=UPDATED_AT)

    @classmethod
    def of(cls, record: LedgerRecord) -> Contact:
        return shown(cls, record)


@strawberry.type(description="A part of a tax rate.")
class TaxComponent:
    name: str | None
    percent: Decimal | None = strawberry.field(description='As in "20" for 20 %.')
    is_compound: bool | None
    is_recoverable: bool | None


@strawberry.type(description="A rate of tax.")
class TaxRate:
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    code: str | None = strawberry.field(description="What lines and accounts name it by.")
    name: str | None
    percent: Decimal | None = strawberry.field(description='What is charged in the end, as in "20" for 20 %.')
    applies_to: list[str] = strawberry.field(
        description="Sides of the ledger, as `classification` of an account."
    )
    report_code: str | None
    components: list[TaxComponent]
    status: str | None = strawberry.field(description=STATUS)
    active: bool = strawberry.field(description=ACTIVE)
    updated_at: datetime | None = strawberry.field(description=UPDATED_AT)

    @classmethod
    def of(cls, record: LedgerRecord) -> TaxRate:
        return shown(cls, record)


@strawberry.type(description="A value that a tracking category may take.")
class TrackingOption:
    external_id: str | None = strawberry.field(description="The provider's own id for it.")
    name: str | None
    status: str | None = strawberry.field(description=STATUS)
    active: bool | None = strawberry.field(description=ACTIVE)


@strawberry.type(description="A dimension beside the chart of accounts, such as a region or a department.")
class TrackingCategory:
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    name: str | None
    options: list[TrackingOption]
    status: str | None = strawberry.field(description=STATUS)
    active: bool = strawberry.field(description=ACTIVE)
    updated_at: datetime | None = strawberry.field(description=UPDATED_AT)

    @classmethod
    def of(cls, record: LedgerRecord) -> TrackingCategory:
        return shown(cls, record)


@strawberry.type(
    description="One value of a dimension, where the provider keeps each by itself and not as an option of a category."
)
class TrackingValue:
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    category: str | None = strawberry.field(
        description="The dimension, as the `category` of what a line is tracked by: Class or Department."
    )
    name: str | None
    parent_id: str | None = strawberry.field(description="The `externalId` of the value above it.")
    status: str | None = strawberry.field(description=STATUS)
    active: bool = strawberry.field(description=ACTIVE)
    updated_at: datetime | None = strawberry.field(description=UPDATED_AT)

    @classmethod
    def of(cls, record: LedgerRecord) -> TrackingValue:
        return shown(cls, record)


@strawberry.type(description="How somebody pays, such as by cheque.")
class PaymentMethod:
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    name: str | None
    type: str | None = strawberry.field(description="The provider's own word.")
    status: str | None = strawberry.field(description=STATUS)
    active: bool = strawberry.field(description=ACTIVE)
    updated_at: datetime | None = strawberry.field(description=UPDATED_AT)

    @classmethod
    def of(cls, record: LedgerRecord) -> PaymentMethod:
        return shown(cls, record)


@strawberry.type(
    description="When a document falls due: so many days after its date, or on a day of the month."
)
class PaymentTerm:
    external_id: str = strawberry.field(description=EXTERNAL_ID)
    name: str | None
    due_days: int | None
    due_day_of_month: int | None
    discount_percent: Decimal | None = strawberry.field(description="What who pays early takes off.")
    discount_days: int | None = strawberry.field(description="Within how many days that is early.")
    status: str | None = strawberry.field(description=STATUS)
    active: bool = strawberry.field(description=ACTIVE)
    updated_at: datetime | None = strawberry.field(description=UPDATED_AT)

    @classmethod
    def of(cls, record: LedgerRecord) -> PaymentTerm:
        return shown(cls, record)
