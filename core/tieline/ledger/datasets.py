"""What a ledger's records are kept under: one dataset for each kind of record."""

from __future__ import annotations

from enum import StrEnum


class Dataset(StrEnum):
    """The datasets that are shown, by the names that plugins give their records."""

    ORGANISATION = "organisation"
    ACCOUNTS = "accounts"
    CONTACTS = "contacts"
    ITEMS = "items"
    TAX_RATES = "tax_rates"
    TAX_AGENCIES = "tax_agencies"
    TRACKING_CATEGORIES = "tracking_categories"
    CLASSES = "classes"
    DEPARTMENTS = "departments"
    PAYMENT_METHODS = "payment_methods"
    TERMS = "terms"
    CURRENCIES = "currencies"
    BRANDING_THEMES = "branding_themes"
    PREFERENCES = "preferences"
    INVOICES = "invoices"
    BILLS = "bills"
    CREDIT_NOTES = "credit_notes"
    SUPPLIER_CREDIT_NOTES = "supplier_credit_notes"
    SALES_RECEIPTS = "sales_receipts"
    BANK_TRANSACTIONS = "bank_transactions"
    DEPOSITS = "deposits"
    PAYMENTS = "payments"
    BILL_PAYMENTS = "bill_payments"
    PREPAYMENTS = "prepayments"
    OVERPAYMENTS = "overpayments"
    BANK_TRANSFERS = "bank_transfers"
    JOURNALS = "journals"


class LedgerDocumentKind(StrEnum):
    """What is listed together as documents."""

    INVOICE = "INVOICE"
    BILL = "BILL"
    CREDIT_NOTE = "CREDIT_NOTE"
    SUPPLIER_CREDIT_NOTE = "SUPPLIER_CREDIT_NOTE"
    SALES_RECEIPT = "SALES_RECEIPT"
    BANK_TRANSACTION = "BANK_TRANSACTION"
    DEPOSIT = "DEPOSIT"


class PaymentKind(StrEnum):
    """What is listed together as payments."""

    PAYMENT = "PAYMENT"
    BILL_PAYMENT = "BILL_PAYMENT"
    PREPAYMENT = "PREPAYMENT"
    OVERPAYMENT = "OVERPAYMENT"


DATASET_OF: dict[LedgerDocumentKind | PaymentKind, Dataset] = {
    LedgerDocumentKind.INVOICE: Dataset.INVOICES,
    LedgerDocumentKind.BILL: Dataset.BILLS,
    LedgerDocumentKind.CREDIT_NOTE: Dataset.CREDIT_NOTES,
    LedgerDocumentKind.SUPPLIER_CREDIT_NOTE: Dataset.SUPPLIER_CREDIT_NOTES,
    LedgerDocumentKind.SALES_RECEIPT: Dataset.SALES_RECEIPTS,
    LedgerDocumentKind.BANK_TRANSACTION: Dataset.BANK_TRANSACTIONS,
    LedgerDocumentKind.DEPOSIT: Dataset.DEPOSITS,
    PaymentKind.PAYMENT: Dataset.PAYMENTS,
    PaymentKind.BILL_PAYMENT: Dataset.BILL_PAYMENTS,
    PaymentKind.PREPAYMENT: Dataset.PREPAYMENTS,
    PaymentKind.OVERPAYMENT: Dataset.OVERPAYMENTS,
}
DOCUMENTS = {DATASET_OF[kind]: kind for kind in LedgerDocumentKind}
PAYMENTS = {DATASET_OF[kind]: kind for kind in PaymentKind}
DATED = frozenset({*DOCUMENTS, *PAYMENTS, Dataset.BANK_TRANSFERS, Dataset.JOURNALS})
"""What has a day, and is listed with the newest first; the others go by name."""
