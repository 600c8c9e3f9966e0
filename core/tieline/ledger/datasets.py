"""What a ledger's records are kept under: one dataset for each kind of record."""

from __future__ import annotations

from enum import StrEnum


class Dataset(StrEnum):
    """The datasets that are listed, by the names that plugins give their records."""

    ACCOUNTS = "accounts"
    CONTACTS = "contacts"
    TAX_RATES = "tax_rates"
    TRACKING_CATEGORIES = "tracking_categories"
    CLASSES = "classes"
    DEPARTMENTS = "departments"
    PAYMENT_METHODS = "payment_methods"
    TERMS = "terms"
    INVOICES = "invoices"
    BILLS = "bills"
    BANK_TRANSACTIONS = "bank_transactions"
    PAYMENTS = "payments"


class LedgerDocumentKind(StrEnum):
    """What is listed together as documents."""

    INVOICE = "INVOICE"
    BILL = "BILL"
    BANK_TRANSACTION = "BANK_TRANSACTION"


DATASET_OF = {
    LedgerDocumentKind.INVOICE: Dataset.INVOICES,
    LedgerDocumentKind.BILL: Dataset.BILLS,
    LedgerDocumentKind.BANK_TRANSACTION: Dataset.BANK_TRANSACTIONS,
}
KIND_OF = {dataset: kind for kind, dataset in DATASET_OF.items()}
DATED = frozenset({*KIND_OF, Dataset.PAYMENTS})
"""What has a day, and is listed with the newest first; the others go by name."""
