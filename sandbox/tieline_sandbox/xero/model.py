"""Xero's records as the sandbox keeps them: plain and frozen; a change puts a new one in the old one's place."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from tieline_sandbox.books.kinds import Edit
from tieline_sandbox.people import by_id_or_email

Dataset = Literal[
    "accounts",
    "tax_rates",
    "tracking_categories",
    "contacts",
    "currencies",
    "branding_themes",
    "items",
    "invoices",
    "credit_notes",
    "payments",
    "prepayments",
    "overpayments",
    "bank_transactions",
    "bank_transfers",
    "manual_journals",
]


@dataclass(frozen=True, kw_only=True)
class App:
    """An app in the developer portal. `webhook_key` signs what is posted to `webhook_url`.

    `new_consent_kills_old_pair` and `reconnecting_keeps_auth_event` settle what the documentation leaves open.
    """

    client_id: str
    secret: str
    provider: Literal["xero"] = "xero"
    redirect_uris: tuple[str, ...] = ()
    bulk_consent: bool = False
    tier: Literal["starter", "core", "plus", "advanced", "enterprise"] = "core"
    new_consent_kills_old_pair: bool = True
    reconnecting_keeps_auth_event: bool = False
    webhook_url: str | None = None
    webhook_key: str = ""


@dataclass(frozen=True, kw_only=True)
class User:
    """A person with a login; `organisations` are the tenant ids of those that the person may connect."""

    id: str
    email: str
    given_name: str
    family_name: str
    organisations: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """`records` says how many of each dataset its books hold to begin with; `seed` says which.

    A tenant of another type than ORGANISATION is listed among the connections and has no books. `journal_order`, in
    which manual journals come unasked, settles what the documentation leaves open.
    """

    tenant_id: str
    seed: str
    name: str
    legal_name: str
    created_at: datetime
    tenant_type: str = "ORGANISATION"
    country: str = "GB"
    currency: str = "GBP"
    version: str = "UK"
    timezone: str = "GMTSTANDARDTIME"
    short_code: str = ""
    status: str = "ACTIVE"
    organisation_class: str = "GROW"
    edition: str = "BUSINESS"
    organisation_type: str = "COMPANY"
    is_demo_company: bool = False
    pays_tax: bool = True
    tax_number: str | None = None
    registration_number: str | None = None
    financial_year_end_day: int = 31
    financial_year_end_month: int = 3
    period_lock_date: date | None = None
    end_of_year_lock_date: date | None = None
    journal_order: Literal["CHANGED", "CREATED"] = "CHANGED"
    records: dict[Dataset, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a person has allowed an app so far. Consents add to it; only revoking takes away."""

    user_id: str
    client_id: str
    scopes: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Code:
    """An authorization code, from consent until it is tried once."""

    code: str
    client_id: str
    user_id: str
    redirect_uri: str
    scopes: frozenset[str]
    auth_event_id: str
    issued_at: datetime
    challenge: str | None = None
    nonce: str | None = None


@dataclass(frozen=True, kw_only=True)
class Session:
    """What a code was exchanged for: the life of one pair of tokens through all its refreshes."""

    id: str
    client_id: str
    user_id: str
    scopes: frozenset[str]
    auth_event_id: str
    auth_time: datetime


@dataclass(frozen=True, kw_only=True)
class RefreshToken:
    """`replaced_at` is when it was first exchanged for another."""

    token: str
    session_id: str
    issued_at: datetime
    replaced_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Connection:
    """A person's organisation at an app. It keeps its id when it is disconnected and connected again."""

    id: str
    client_id: str
    user_id: str
    tenant_id: str
    auth_event_id: str
    created_at: datetime
    updated_at: datetime
    is_connected: bool = True


@dataclass(kw_only=True)
class XeroState:
    """All there is. Connections are by `connection_key`, edits by tenant id, dataset and record id."""

    signing_key: dict[str, str]
    apps: dict[str, App] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    organisations: dict[str, Organisation] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)
    connections: dict[str, Connection] = field(default_factory=dict)
    edits: dict[str, dict[str, dict[str, Edit]]] = field(default_factory=dict)

    def person(self, name: str) -> User | None:
        """By id or by e-mail address."""
        return by_id_or_email(self.users, name)

    def connections_of(self, client_id: str, user_id: str) -> list[Connection]:
        """The live ones of one person at one app, oldest first."""
        return [
            connection
            for connection in self.connections.values()
            if (connection.client_id, connection.user_id) == (client_id, user_id) and connection.is_connected
        ]


def connection_key(client_id: str, user_id: str, tenant_id: str) -> str:
    return f"{client_id} {user_id} {tenant_id}"
