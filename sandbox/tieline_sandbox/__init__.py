"""Tieline's sandbox: a server that pretends to be the providers, written from their documentation alone.

It imports nothing of Tieline's, so that it stays a second opinion on what a provider says.

    app        the ASGI application and what hangs together in it
    gate       what every provider's request passes: log, faults, limits, saved state
    control    the API under `/_control` by which people and tests steer it
    state      what survives a restart; `store` writes it down
    books      what the books of all providers share
    xero       Xero: consent, tokens, connections, the books, the limits
    quickbooks QuickBooks Online: the same, as Intuit does it
"""
