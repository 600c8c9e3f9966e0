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

_SETTINGS, _INVOICES, _PAYMENTS = "accounting.settings", "accounting.invoices", "accounting.payments"
_BANKING = "accounting.banktransactions"
ATTACHMENTS = "{id}/Attachments"  # of whichever record
ENDPOINT_SCOPES = {
    **dict.fromkeys(
        ("Organisation", "Accounts", "TaxRates", "TrackingCategories", "BrandingThemes", "Currencies"),
        (_SETTINGS,),
    ),
    "Contacts": ("accounting.contacts",),
    "Items": (_SETTINGS, _INVOICES),
    **dict.fromkeys(("Invoices", "CreditNotes"), (_INVOICES,)),
    **dict.fromkeys(("Payments", "Prepayments", "Overpayments"), (_PAYMENTS,)),
    **dict.fromkeys(("BankTransactions", "BankTransfers"), (_BANKING,)),
    "ManualJournals": ("accounting.manualjournals",),
    ATTACHMENTS: ("accounting.attachments",),
}
"""Any one of its scopes opens an endpoint."""


def allows_reading(scopes: frozenset[str], resource: str) -> bool:
    """Whether a token with these scopes may read this endpoint."""
    return any(scope in scopes or f"{scope}.read" in scopes for scope in ENDPOINT_SCOPES[resource])
