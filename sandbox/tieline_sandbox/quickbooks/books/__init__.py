"""A company's books: made from its seed when somebody reads them, with later edits laid over.

ledger          ids and times of records, without the records
lists           accounts, classes, departments, terms, payment methods
taxes           tax codes and rates of a country
parties         vendors and customers
documents       lines, taxes and sums of bills, purchases, invoices and payments
kinds           one entry per dataset: its entity, its ids, what it can be asked by
statements      the query language
reading         answers to queries, to change data capture, and single records
"""
