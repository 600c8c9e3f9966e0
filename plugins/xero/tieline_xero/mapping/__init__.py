"""Xero's records as canonical ones: pure, one module for each kind of noun, and total.

    lists        organisation, accounts, tax rates, tracking categories
    contacts     suppliers and customers
    documents    invoices, bills and bank transactions
    sorting      any element of an answer: a Record, one that is gone, or one set aside with a sentence

Fields that are not named in here are not kept, least of all Organisation's `APIKey`.
"""

from tieline_xero.mapping.sorting import (
    ACCOUNTS,
    BANK_TRANSACTIONS,
    CONTACTS,
    INVOICES,
    ORGANISATION,
    TAX_RATES,
    TRACKING_CATEGORIES,
    Noun,
    Sorted,
    sorted_out,
)

__all__ = [
    "ACCOUNTS",
    "BANK_TRANSACTIONS",
    "CONTACTS",
    "INVOICES",
    "ORGANISATION",
    "TAX_RATES",
    "TRACKING_CATEGORIES",
    "Noun",
    "Sorted",
    "sorted_out",
]
