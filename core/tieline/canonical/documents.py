"""What was bought, sold, paid and received: invoices, bills, bank transactions and payments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class DocumentKind(StrEnum):
    """INVOICE is what the organisation sends, BILL what it gets."""

    INVOICE = "INVOICE"
    BILL = "BILL"


class TaxBasis(StrEnum):
    """Whether the amounts of lines hold their tax."""

    EXCLUSIVE = "EXCLUSIVE"
    INCLUSIVE = "INCLUSIVE"
    NO_TAX = "NO_TAX"


class Direction(StrEnum):
    """IN raises the bank's balance, OUT lowers it; amounts are positive either way."""

    IN = "IN"
    OUT = "OUT"


@dataclass(frozen=True, kw_only=True, slots=True)
class ContactRef:
    id: str | None
    name: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountRef:
    id: str | None
    code: str | None
    name: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Tracked:
    """The option that a line has in a tracking category."""

    category_id: str | None
    category: str | None
    option_id: str | None
    option: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """`amount` is what the line adds before tax, or with it where the document's basis is INCLUSIVE."""

    id: str | None
    description: str | None
    quantity: Decimal | None
    unit_amount: Decimal | None
    discount_percent: Decimal | None
    discount_amount: Decimal | None
    amount: Decimal | None
    tax_code: str | None
    tax_amount: Decimal | None
    account_id: str | None
    account_code: str | None
    item_code: str | None
    tracking: tuple[Tracked, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """An invoice or a bill. `number` of a bill is its supplier's, and need not be unique.

    `currency_rate` is how much of the document's currency one unit of the organisation's buys. `tax_basis` is a
    `TaxBasis`, or the provider's word where it has another.
    """

    id: str
    kind: DocumentKind
    number: str | None
    reference: str | None
    contact: ContactRef | None
    dated_on: date | None
    due_on: date | None
    paid_on: date | None
    currency: str | None
    currency_rate: Decimal | None
    tax_basis: str | None
    subtotal: Decimal | None
    tax: Decimal | None
    total: Decimal | None
    paid: Decimal | None
    credited: Decimal | None
    due: Decimal | None
    has_attachments: bool
    status: str | None
    active: bool
    lines: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class BankTransaction:
    """Money spent or received without an invoice. `type` is the provider's word, `direction` what we make of it."""

    id: str
    type: str | None
    direction: Direction | None
    reference: str | None
    contact: ContactRef | None
    bank_account: AccountRef | None
    dated_on: date | None
    currency: str | None
    currency_rate: Decimal | None
    tax_basis: str | None
    subtotal: Decimal | None
    tax: Decimal | None
    total: Decimal | None
    is_reconciled: bool
    has_attachments: bool
    status: str | None
    active: bool
    lines: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Allocation:
    """What of a payment settles which document; `type` is the provider's word for the kind of document."""

    document_id: str | None
    type: str | None
    amount: Decimal | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Payment:
    """Money that settles documents; `unallocated` is what is left of it. IN is what customers pay."""

    id: str
    direction: Direction | None
    reference: str | None
    contact: ContactRef | None
    bank_account: AccountRef | None
    method_id: str | None
    dated_on: date | None
    currency: str | None
    currency_rate: Decimal | None
    total: Decimal | None
    unallocated: Decimal | None
    allocations: tuple[Allocation, ...]
    status: str | None
    active: bool
