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
    one of ours, `total` is the field that holds a document's amount.
    """

    slug: str
    name: str
    control: str
    app: Mapping[str, Any]
    one: str
    many: str
    id: str
    shelves: Mapping[str, tuple[str, ...]]
    total: str


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
            "invoices": ("invoices",),
            "bank_transactions": ("bank_transactions",),
        }
    ),
    total="Total",
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
            "invoices": ("invoices", "bills"),
            "bank_transactions": ("purchases",),
        }
    ),
    total="TotalAmt",
)
EVERY = {played.slug: played for played in (XERO, QUICKBOOKS)}
