"""The scopes an app may ask for, and which one each endpoint of the books wants.

Apps made since March 2026 get granular scopes only: https://developer.xero.com/faq/granular-scopes.
"""

from __future__ import annotations

IDENTITY = frozenset({"openid", "profile", "email", "offline_access"})
_READ_AND_WRITE = frozenset(
    {
        "accounting.attachments",
        "accounting.banktransactions",
        "accounting.contacts",
        "accounting.invoices",
        "accounting.manualjournals",
        "accounting.payments",
        "accounting.settings",
    }
)
_READ_ONLY = frozenset({"accounting.budgets.read"}) | {
    f"accounting.reports.{report}.read"
    for report in (
        *("aged", "balancesheet", "banksummary", "budgetsummary", "executivesummary"),
        *("profitandloss", "taxreports", "trialbalance"),
    )
}
GRANULAR = IDENTITY | _READ_AND_WRITE | {f"{scope}.read" for scope in _READ_AND_WRITE} | _READ_ONLY

ENDPOINT_SCOPES = {
    "Organisation": "accounting.settings",
    "Accounts": "accounting.settings",
    "TaxRates": "accounting.settings",
    "TrackingCategories": "accounting.settings",
    "Contacts": "accounting.contacts",
    "Invoices": "accounting.invoices",
    "BankTransactions": "accounting.banktransactions",
}


def allows_reading(scopes: frozenset[str], resource: str) -> bool:
    """Whether a token with these scopes may read this endpoint."""
    needed = ENDPOINT_SCOPES[resource]
    return needed in scopes or f"{needed}.read" in scopes
