"""What was bought, sold, credited, paid, received, moved and journalled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class DocumentKind(StrEnum):
    """INVOICE, CREDIT_NOTE and SALES_RECEIPT are what the organisation sends, the others what it gets.

    A SALES_RECEIPT is paid at once.
    """

    INVOICE = "INVOICE"
    BILL = "BILL"
    CREDIT_NOTE = "CREDIT_NOTE"
    SUPPLIER_CREDIT_NOTE = "SUPPLIER_CREDIT_NOTE"
    SALES_RECEIPT = "SALES_RECEIPT"


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
    """`amount` is what the line adds before tax, or with it where the document's basis is INCLUSIVE.

    `item_id` is the item's where the provider names it by id.
    """

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
    item_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Allocation:
    """What of a payment or credit settles which document; `type` is the provider's word for the kind of document."""

    document_id: str | None
    type: str | None
    amount: Decimal | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """An invoice, a bill, a credit note or a sales receipt. What a supplier numbered need not be unique.

    `currency_rate` is how much of the document's currency one unit of the organisation's buys. `tax_basis` is a
    `TaxBasis`, or the provider's word where it has another. `due` of a credit note is what is left of the credit, and
    `allocations` are what the rest settled. `bank_account` and `method_id` are a sales receipt's: where the money is,
    and how it came.
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
    allocations: tuple[Allocation, ...]
    bank_account: AccountRef | None = None
    method_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class BankTransaction:
    """Money spent or received without an invoice. `type` is the provider's word, `direction` what we make of it.

    `allocations` are the payments and receipts that a deposit brings to the bank; they stand among its lines, too.
    """

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
    allocations: tuple[Allocation, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Payment:
    """Money that settles documents; `unallocated` is what is left of it. IN is what customers pay.

    `type` is the provider's word. Where credit settles documents along with the money, it stands among `allocations`.
    """

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
    type: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Advance:
    """Money paid ahead, before there was a document (a prepayment) or beyond it (an overpayment).

    `unallocated` is what has settled nothing yet. IN is what customers paid.
    """

    id: str
    direction: Direction | None
    reference: str | None
    contact: ContactRef | None
    dated_on: date | None
    currency: str | None
    currency_rate: Decimal | None
    tax_basis: str | None
    subtotal: Decimal | None
    tax: Decimal | None
    total: Decimal | None
    unallocated: Decimal | None
    allocations: tuple[Allocation, ...]
    has_attachments: bool
    status: str | None
    active: bool
    lines: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class BankTransfer:
    """Money moved from one of the organisation's accounts to another; `amount` is what left the first."""

    id: str
    from_account: AccountRef | None
    to_account: AccountRef | None
    reference: str | None
    dated_on: date | None
    currency: str | None
    currency_rate: Decimal | None
    amount: Decimal | None
    has_attachments: bool
    status: str | None
    active: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalLine:
    """`amount` is a debit where it is positive, a credit where it is negative; before tax."""

    id: str | None
    description: str | None
    amount: Decimal | None
    tax_code: str | None
    tax_amount: Decimal | None
    account_id: str | None
    account_code: str | None
    contact: ContactRef | None
    tracking: tuple[Tracked, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Journal:
    """A journal that somebody entered by hand. `reverses_on` is the day its opposite is posted by itself."""

    id: str
    number: str | None
    narration: str | None
    dated_on: date | None
    reverses_on: date | None
    currency: str | None
    currency_rate: Decimal | None
    tax_basis: str | None
    is_adjustment: bool
    has_attachments: bool
    status: str | None
    active: bool
    lines: tuple[JournalLine, ...]
