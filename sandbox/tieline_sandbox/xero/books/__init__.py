"""An organisation's books: made from its seed when somebody reads them, with later edits laid over.

ledger          ids of records, without the records
charts          the chart of accounts, tax rates and tracking categories
contacts        who the organisation trades with
documents       lines, taxes and sums of invoices and bank transactions
kinds           one entry per dataset: its endpoint, its fields, its statuses
filters         `where` and `order`
conditions      what a request wants records to be like
reading         the questions of an HTTP request, and the form of the records in the answer
"""
