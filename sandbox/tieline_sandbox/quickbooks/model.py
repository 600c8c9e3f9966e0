"""Intuit's records as the sandbox keeps them: plain and frozen; a change puts a new one in the old one's place."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from tieline_sandbox.books.kinds import Edit
from tieline_sandbox.people import by_id_or_email

Dataset = Literal[
    "accounts",
    "vendors",
    "customers",
    "classes",
    "departments",
    "tax_codes",
    "tax_rates",
    "tax_agencies",
    "items",
    "payment_methods",
    "terms",
    "bills",
    "vendor_credits",
    "bill_payments",
    "purchases",
    "invoices",
    "credit_memos",
    "sales_receipts",
    "payments",
    "deposits",
    "transfers",
    "journal_entries",
]


@dataclass(frozen=True, kw_only=True)
class App:
    """An app in the developer portal. `second_consent` and `parallel_refresh` settle what is not documented:
    what becomes of a company's older grants, or of a consent where another person has one; and of a grant that is
    refreshed twice at once. `hard_life_days` is how long a grant that begins now lives at most; nothing moves its end.
    `verifier_token` signs what is posted to `webhook_url`.
    """

    client_id: str
    secret: str
    redirect_uris: tuple[str, ...] = ()
    second_consent: Literal["REPLACES", "KEEPS", "REFUSED"] = "REPLACES"
    parallel_refresh: Literal["FINE", "REVOKES"] = "FINE"
    hard_life_days: int = 5 * 365
    webhook_url: str | None = None
    verifier_token: str = ""


@dataclass(frozen=True, kw_only=True)
class User:
    """A person with a login; `companies` are the realm ids of those that the person may connect."""

    id: str
    email: str
    given_name: str
    family_name: str
    companies: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Company:
    """`records` says how many of each dataset its books hold to begin with; `seed` says which.

    A company that is `suspended` (its subscription lapsed) answers every call with 6190.
    """

    realm_id: str
    seed: str
    name: str
    legal_name: str
    created_at: datetime
    updated_at: datetime
    country: str = "US"
    currency: str = "USD"
    timezone: str = "America/Los_Angeles"
    fiscal_year_start_month: str = "January"
    tax_number: str | None = None
    email: str | None = None
    closing_date: date | None = None
    suspended: bool = False
    records: dict[Dataset, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Code:
    """An authorization code; `grant_id` is what it was exchanged for."""

    code: str
    client_id: str
    user_id: str
    realm_id: str
    redirect_uri: str
    scopes: frozenset[str]
    issued_at: datetime
    challenge: str | None = None
    nonce: str | None = None
    grant_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One authorisation: one person's app in one company, with the refresh token that is good now.

    `token_since` is when the token got its value, `extended_at` when it was last exchanged or refreshed.
    """

    id: str
    client_id: str
    user_id: str
    realm_id: str
    scopes: frozenset[str]
    auth_time: datetime
    hard_expires_at: datetime
    refresh_token: str
    token_since: datetime
    extended_at: datetime
    is_live: bool = True


@dataclass(frozen=True, kw_only=True)
class AccessToken:
    """Opaque to apps; good for an hour while its grant lives."""

    token: str
    grant_id: str
    expires_at: datetime


@dataclass(kw_only=True)
class QuickBooksState:
    """All there is. Edits are by realm id, dataset and record id."""

    apps: dict[str, App] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    companies: dict[str, Company] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    access_tokens: dict[str, AccessToken] = field(default_factory=dict)
    edits: dict[str, dict[str, dict[str, Edit]]] = field(default_factory=dict)

    def person(self, name: str) -> User | None:
        """By id or by e-mail address."""
        return by_id_or_email(self.users, name)

    def holder(self, refresh_token: str) -> Grant | None:
        """The live grant whose refresh token this is now."""
        live = (grant for grant in self.grants.values() if grant.is_live)
        return next((grant for grant in live if grant.refresh_token == refresh_token), None)

    def grant_of(self, access_token: str) -> Grant | None:
        """The grant that an access token was given out for, whether or not either is still good."""
        found = self.access_tokens.get(access_token)
        return self.grants.get(found.grant_id) if found else None
