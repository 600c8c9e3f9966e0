"""What the books of every provider share: records that follow from a seed, and the edits laid over them.

ledger     what a company's records follow from
kinds      what a dataset is: how its records are made, found and stamped
shelf      which records a question wants, in which order; only those of the page are made
edits      changes by the control API, which take the clock's time
values     fields of records, and numbers that JSON can hold
"""
