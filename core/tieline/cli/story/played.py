"""The providers that the sandbox plays, each with its own words: where it is steered, and how its books are shelved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """One provider at the sandbox. `slug` is our name for it, `name` the people's.

    `control` is where its part of the control API begins, `app` what its portal is told of the demo's app. A person
    chooses by the field `one`; `many` are listed, each with its `id`. `shelves` says which of its datasets make up
    one of ours, `totals` are the fields that hold the amount of a document, or else of a movement of money.
    """

    slug: str
    name: str
    control: str
    app: Mapping[str, Any]
    one: str
    many: str
    id: str
    shelves: Mapping[str, tuple[str, ...]]
    totals: tuple[str, ...]


XERO = Played(
    slug="xero",
    name="Xero",
    control="",
    app=MappingProxyType({"bulk_consent": True, "tier": "starter"}),
    one="organisation",
    many="organisations",
    id="tenant_id",
    shelves=MappingProxyType(
        {
            "accounts": ("accounts",),
            "contacts": ("contacts",),
            "tax_rates": ("tax_rates",),
            "tracking_categories": ("tracking_categories",),
            "items": ("items",),
            "currencies": ("currencies",),
            "branding_themes": ("branding_themes",),
            "journals": ("manual_journals",),
            "invoices": ("invoices",),
            "credit_notes": ("credit_notes",),
            "bank_transactions": ("bank_transactions",),
            "payments": ("payments",),
            "advances": ("prepayments", "overpayments"),
            "bank_transfers": ("bank_transfers",),
        }
    ),
    totals=("Total", "Amount"),
)
QUICKBOOKS = Played(
    slug="quickbooks",
    name="QuickBooks Online",
    control="/quickbooks",
    app=MappingProxyType({}),
    one="company",
    many="companies",
    id="realm_id",
    shelves=MappingProxyType(
        {
            "accounts": ("accounts",),
            "contacts": ("vendors", "customers"),
            "tax_rates": ("tax_codes",),
            "tax_agencies": ("tax_agencies",),
            "classes": ("classes",),
            "departments": ("departments",),
            "items": ("items",),
            "payment_methods": ("payment_methods",),
            "terms": ("terms",),
            "journals": ("journal_entries",),
            "invoices": ("invoices", "bills"),
            "credit_notes": ("credit_memos", "vendor_credits"),
            "sales_receipts": ("sales_receipts",),
            "bank_transactions": ("purchases",),
            "deposits": ("deposits",),
            "payments": ("payments", "bill_payments"),
            "bank_transfers": ("transfers",),
        }
    ),
    totals=("TotalAmt", "Amount"),
)
EVERY = {played.slug: played for played in (XERO, QUICKBOOKS)}
