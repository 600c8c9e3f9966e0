"""Which of Xero's granular scopes each product needs.

https://developer.xero.com/documentation/guides/oauth2/scopes (README.md gives the reason for each).
"""

from __future__ import annotations

from collections.abc import Mapping

from tieline.plugins import Product

BASE = ("openid", "profile", "email", "offline_access")

_LEDGER = (
    "accounting.settings",
    "accounting.contacts",
    "accounting.invoices",
    "accounting.payments",
    "accounting.banktransactions",
    "accounting.manualjournals",
    "accounting.attachments",
)
_READ_ONLY_IN_BOOKKEEPING = frozenset({"accounting.settings", "accounting.payments"})

PRODUCTS: Mapping[Product, tuple[str, ...]] = {
    Product.BOOKKEEPING: tuple(
        f"{scope}.read" if scope in _READ_ONLY_IN_BOOKKEEPING else scope for scope in _LEDGER
    ),
    Product.DATA_HEALTH: tuple(f"{scope}.read" for scope in _LEDGER),
}
WIDER: Mapping[str, tuple[str, ...]] = {f"{scope}.read": (scope,) for scope in _LEDGER}
