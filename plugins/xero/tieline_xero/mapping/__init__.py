"""Xero's records as canonical ones: pure, one module for each kind of noun, and total.

    lists        organisation, accounts, tax rates, tracking categories
    settings     currencies and branding themes
    contacts     suppliers and customers
    items        what is bought or sold by name
    documents    invoices, bills and credit notes
    payments     payments, prepayments and overpayments
    banking      bank transactions and transfers
    journals     manual journals
    parts        what several of these have in them
    sorting      any element of an answer: a Record, one that is gone, or one set aside with a sentence
    nouns        where each kind stands in an answer, and what it is known by

Fields that are not named in here are not kept, least of all Organisation's `APIKey`.
"""

from tieline_xero.mapping.nouns import NOUNS
from tieline_xero.mapping.sorting import Noun, Sorted, sorted_out

__all__ = ["NOUNS", "Noun", "Sorted", "sorted_out"]
