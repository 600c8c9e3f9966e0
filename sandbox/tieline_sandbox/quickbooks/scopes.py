"""The scopes an app may ask for; those of other products need a partner's tier."""

from __future__ import annotations

ACCOUNTING = "com.intuit.quickbooks.accounting"
IDENTITY = frozenset({"openid", "profile", "email", "phone", "address"})
KNOWN = IDENTITY | {ACCOUNTING, "com.intuit.quickbooks.payment"}
