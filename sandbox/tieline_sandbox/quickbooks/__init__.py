"""QuickBooks Online, pretended: all of Intuit's hosts under one address, `/quickbooks`, with their paths unchanged.

model          apps, people, companies, grants, tokens: plain records
grants         the rules of consent and tokens, without HTTP
authorize      the consent page, and the link that preselects a company
tokens         the token and revocation endpoints
identity       discovery, keys, who the bearer of a token is
access         who may call what: bearer tokens and the company of each
accounting     company info, queries, changes and single records over HTTP; `books` makes the records
faults         Intuit's ways to say no: JSON in two envelopes, XML
limits         calls at once, per second and per minute of a company; reads per month of an app
"""
