"""Xero's endpoints as they are read: which have pages, and what must be said to get everything.

https://developer.xero.com/documentation/api/accounting/requests-and-responses
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tieline.errors import AccessLost, ProviderError, ScopeMissing
from tieline_xero.mapping import NOUNS, Noun

IN_ORDER = "UpdatedDateUTC ASC"


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """`changed` is the field by which the latest change of a page is known.

    `is_in_order`: its pages can be asked for in the order of changes; else that would spoil them, and none is known.
    `needs` is what somebody may lack who can read all the rest, which shows by one of the errors in `closed_by`.
    """

    noun: Noun
    path: str
    is_paged: bool = False
    is_in_order: bool = True
    changed: str = "UpdatedDateUTC"
    params: Mapping[str, str | int | bool] = field(default_factory=dict)
    needs: str | None = None
    closed_by: tuple[type[ProviderError], ...] = (ScopeMissing,)


_FOUR_DECIMALS: Mapping[str, int] = {"unitdp": 4}
_ARCHIVED_TOO: Mapping[str, bool] = {"includeArchived": True}
_PAYMENTS = "the scope accounting.payments.read"
_JOURNALS = "the scope accounting.manualjournals.read, and a user who may see reports"
_DELETED_TOO: Mapping[str, bool] = {"includeDeleted": True}


def _of(name: str, **more: Any) -> Endpoint:
    noun = NOUNS[name]
    return Endpoint(**{"noun": noun, "path": noun.collection, **more})


ENDPOINTS: Mapping[str, Endpoint] = {
    "organisation": _of("organisation", path="Organisation"),
    "accounts": _of("accounts"),
    "tax_rates": _of("tax_rates"),
    "tracking_categories": _of("tracking_categories", params=_ARCHIVED_TOO),
    "contacts": _of("contacts", is_paged=True, params=_ARCHIVED_TOO),
    "items": _of("items", params=_FOUR_DECIMALS),
    "currencies": _of("currencies"),
    "branding_themes": _of("branding_themes"),
    "invoices": _of("invoices", is_paged=True, params={**_FOUR_DECIMALS, **_ARCHIVED_TOO}),
    "credit_notes": _of("credit_notes", is_paged=True, params=_FOUR_DECIMALS),
    "payments": _of("payments", is_paged=True, needs=_PAYMENTS),
    "prepayments": _of("prepayments", is_paged=True, params=_FOUR_DECIMALS, needs=_PAYMENTS),
    "overpayments": _of("overpayments", is_paged=True, params=_FOUR_DECIMALS, needs=_PAYMENTS),
    "bank_transactions": _of("bank_transactions", is_paged=True, params=_FOUR_DECIMALS),
    "bank_transfers": _of("bank_transfers", params=_DELETED_TOO, changed="CreatedDateUTC"),
    "journals": _of(
        "journals",
        is_paged=True,
        is_in_order=False,
        needs=_JOURNALS,
        closed_by=(ScopeMissing, AccessLost),
    ),
}
"""By the name of the feed."""
