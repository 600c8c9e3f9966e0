"""Xero, pretended: all of its hosts under one address, `/xero`, with their paths unchanged.

model          apps, people, organisations, consents, tokens, connections: plain records
grants         the rules of consent, tokens and connections, without HTTP
authorize      the consent page and what follows from it; `pages` draws it
tokens         the token and revocation endpoints; `signing` makes the JWTs
connections    which organisations a person gave to an app
access         who may call what: bearer tokens, tenants, scopes
accounting     the books over HTTP; `books` makes their records
limits         calls per minute, per day and at once
"""
