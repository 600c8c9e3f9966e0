"""Intuit's records as canonical ones: pure, one module for each kind of noun, and total.

    lists        the company, accounts, classes, departments, terms, payment methods, tax codes
    contacts     vendors and customers
    documents    bills, invoices, purchases and payments
    countries    countries in two letters
    sorting      any element of an answer: a Record, one that is gone, or one set aside with a sentence

Fields that are not named in here are not kept.
"""

from tieline_quickbooks.mapping.countries import alpha_2
from tieline_quickbooks.mapping.lists import organisation, tax_code
from tieline_quickbooks.mapping.sorting import NOUNS, Noun, Sorted, sorted_out

__all__ = ["NOUNS", "Noun", "Sorted", "alpha_2", "organisation", "sorted_out", "tax_code"]
