"""A company's books: made from its seed when somebody reads them, with later edits laid over.

ledger          ids and times of records, without the records
lists           accounts, classes, departments, terms, payment methods
taxes           tax codes, rates and agencies of a country
items           what is bought and sold by name
parties         vendors and customers
lines           lines of documents, with their tax and sums
transactions    what all transactions say alike
sales           invoices, credit memos, sales receipts, payments
purchases       bills, vendor credits, purchases, bill payments
banking         deposits, transfers, journal entries
kinds           one entry per dataset: its entity, its ids, what it can be asked by
statements      the query language
reading         answers to queries, to change data capture, and single records
"""
