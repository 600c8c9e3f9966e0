"""Intuit's records as canonical ones: pure, one module for each kind of noun, and total.

    company         the company and its preferences
    lists           accounts, classes, departments, terms, payment methods
    items           goods and services
    taxes           tax codes and agencies
    contacts        vendors and customers
    documents       bills, invoices, credits, sales receipts
    payments        what customers paid, and what vendors were paid
    banking         purchases, deposits, transfers
    journals        journal entries
    lines           the lines of documents
    transactions    what all transactions say alike
    countries       countries in two letters
    exact           sums and differences with every digit
    nouns           which of them are read together
    sorting         any element of an answer: a Record, one that is gone, or one set aside with a sentence

Fields that are not named in here are not kept.
"""

from tieline_quickbooks.mapping.company import organisation, preferences
from tieline_quickbooks.mapping.countries import alpha_2
from tieline_quickbooks.mapping.nouns import NOUNS, Noun
from tieline_quickbooks.mapping.sorting import Sorted, sorted_out
from tieline_quickbooks.mapping.taxes import tax_agency, tax_code

__all__ = [
    "NOUNS",
    "Noun",
    "Sorted",
    "alpha_2",
    "organisation",
    "preferences",
    "sorted_out",
    "tax_agency",
    "tax_code",
]
