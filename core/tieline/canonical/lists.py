"""What documents refer to: the organisation itself, accounts, contacts, items, taxes, dimensions, terms, currencies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

LISTS = frozenset(
    {
        "accounts",
        "branding_themes",
        "classes",
        "contacts",
        "currencies",
        "departments",
        "items",
        "payment_methods",
        "tax_agencies",
        "tax_rates",
        "terms",
        "tracking_categories",
    }
)
"""The datasets that people choose from when they code a document; plugins name their records' datasets so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Organisation:
    """`locked_until` is the last day that nobody but advisers may post to, `closed_until` nobody at all."""

    id: str
    name: str | None
    legal_name: str | None
    country: str | None
    currency: str | None
    tax_number: str | None
    registration_number: str | None
    timezone: str | None
    year_end_day: int | None
    year_end_month: int | None
    locked_until: date | None
    closed_until: date | None
    edition: str | None
    is_demo: bool
    status: str | None
    active: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """One account of the chart. `classification` is the side of the ledger, `type` the provider's finer word.

    `system_role` is set where the provider itself posts to the account.
    """

    id: str
    code: str | None
    name: str | None
    type: str | None
    classification: str | None
    description: str | None
    currency: str | None
    tax_code: str | None
    bank_account_type: str | None
    bank_account_number: str | None
    system_role: str | None
    takes_payments: bool
    status: str | None
    active: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    type: str | None
    lines: tuple[str, ...]
    city: str | None
    region: str | None
    postal_code: str | None
    country: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Phone:
    type: str | None
    number: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Contact:
    """A supplier, a customer, both, or neither yet. `merged_into_id` is the contact that took its place."""

    id: str
    code: str | None
    name: str | None
    first_name: str | None
    last_name: str | None
    email: str | None
    website: str | None
    tax_number: str | None
    registration_number: str | None
    currency: str | None
    is_supplier: bool
    is_customer: bool
    purchase_account_code: str | None
    purchase_tax_code: str | None
    sales_account_code: str | None
    sales_tax_code: str | None
    addresses: tuple[Address, ...]
    phones: tuple[Phone, ...]
    merged_into_id: str | None
    status: str | None
    active: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class TaxComponent:
    """`percent` as in 20 for 20 %."""

    name: str | None
    percent: Decimal | None
    is_compound: bool
    is_recoverable: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class TaxRate:
    """`percent` is what is charged in the end; `applies_to` names sides of the ledger, as `classification` does."""

    id: str
    code: str | None
    name: str | None
    percent: Decimal | None
    applies_to: tuple[str, ...]
    report_code: str | None
    components: tuple[TaxComponent, ...]
    status: str | None
    active: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackingOption:
    id: str | None
    name: str | None
    status: str | None
    active: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackingCategory:
    """A dimension beside the chart, as "Region" or "Department", and the values it may take."""

    id: str
    name: str | None
    options: tuple[TrackingOption, ...]
    status: str | None
    active: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackingValue:
    """One value of a dimension, where the provider keeps each as a record of its own. `category` is the dimension."""

    id: str
    category: str
    name: str | None
    parent_id: str | None
    status: str | None
    active: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """When a document falls due: so many days after its date, or on a day of the month."""

    id: str
    name: str | None
    due_days: int | None
    due_day_of_month: int | None
    discount_percent: Decimal | None
    discount_days: int | None
    status: str | None
    active: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentMethod:
    """How somebody pays, as "Cheque"; `type` is the provider's word."""

    id: str
    name: str | None
    type: str | None
    status: str | None
    active: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Currency:
    """A currency that documents may be in; its id is the ISO 4217 code."""

    id: str
    name: str | None
    status: str | None
    active: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class BrandingTheme:
    """How an invoice looks when it is printed; the first in `position` is the default."""

    id: str
    name: str | None
    position: int | None
    status: str | None
    active: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemSide:
    """How an item is sold, or bought: at which price, to which account, with which tax."""

    description: str | None
    unit_price: Decimal | None
    account_id: str | None
    account_code: str | None
    tax_code: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """What is bought or sold by name. `sale` and `purchase` are None where it is not sold, or not bought.

    `type` is the provider's word; `quantity` is known where stock is tracked.
    """

    id: str
    code: str | None
    name: str | None
    type: str | None
    sale: ItemSide | None
    purchase: ItemSide | None
    is_tracked: bool
    quantity: Decimal | None
    stock_account_id: str | None
    stock_account_code: str | None
    parent_id: str | None
    status: str | None
    active: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class TaxAgency:
    """Whom taxes are declared to."""

    id: str
    name: str | None
    registration_number: str | None
    tracks_sales: bool
    tracks_purchases: bool
    status: str | None
    active: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Preferences:
    """How the organisation's books are set up, as far as whoever posts to them has to know."""

    id: str
    currency: str | None
    is_multi_currency: bool
    uses_tax: bool
    tracks_classes: bool
    tracks_classes_by_line: bool
    tracks_departments: bool
    numbers_documents_by_hand: bool
    warns_of_double_numbers: bool
    term_id: str | None
    status: str | None
    active: bool
