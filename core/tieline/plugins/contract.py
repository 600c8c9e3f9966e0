"""What a provider is to Tieline: data about it, and the few things only it can know.

    Provider ── info    slug, products, feeds
             ── oauth   endpoints, scopes, lives, how to authenticate and revoke: data, no I/O
             ── limits(tier)                 how much an app may ask, as data
             ── classify(response)           what an answer means
             ── remaining(response)          what an answer says is left of the limits
             ── subject(grant)               who consented
             ── organisations(session)       what a credential reaches
             ── organisation(session)        one organisation's details
             ── release(session, id)         let one organisation go
             ── pull(session, feed, cursor)  the records of a feed, page by page

The core owns tokens, limits, retries, storage and scheduling.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import httpx

from tieline.errors import Invalid
from tieline.plugins.connection_settings import ConnectionSetting
from tieline.plugins.faults import Fault
from tieline.plugins.limits import Limit, Remaining
from tieline.plugins.pull import Page
from tieline.plugins.settings import Setting
from tieline.vault import Secret

if TYPE_CHECKING:
    from tieline.plugins.session import Session

CONTRACT_VERSION = 1


class Product(StrEnum):
    """What a practice uses a connection for."""

    BOOKKEEPING = "BOOKKEEPING"
    DATA_HEALTH = "DATA_HEALTH"


class FeedKind(StrEnum):
    """CHANGES asks for what changed since; SNAPSHOT reads everything each time."""

    CHANGES = "CHANGES"
    SNAPSHOT = "SNAPSHOT"


@dataclass(frozen=True, kw_only=True, slots=True)
class Feed:
    """A stream of records that is read in one go; it may fill several datasets.

    `whole_every`: how often a feed of CHANGES is read with no cursor, where its provider does not tell of changes that
    cannot wait as long as others do.
    """

    name: str
    datasets: tuple[str, ...]
    kind: FeedKind
    every: timedelta
    whole_every: timedelta | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderInfo:
    """`contract_version` is the number the plugin was written for, as a literal of its own.

    `bulk_consent`: one consent may reach several organisations. `guided_queue`: a person can be led through
    one consent after another. The feeds of a product come in the order in which they are first read. `tiers` are
    the provider's plans for apps where limits depend on them, the one to start with first. A provider with `settings`
    has a method `settled(values)`: itself, with the values that the operator gave, each by its setting's name.
    `connection_settings` are what a practice may settle about each of its connections.
    """

    slug: str
    name: str
    contract_version: int
    products: tuple[Product, ...]
    bulk_consent: bool
    guided_queue: bool
    feeds: Mapping[Product, tuple[Feed, ...]]
    tiers: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()
    connection_settings: tuple[ConnectionSetting, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoints:
    """Where a provider is spoken to; `api` is the base of every call's path.

    `issuer` is what the provider calls itself as an `iss` (RFC 9207): whoever comes back with another is refused.
    `reconnect_authorize` is where an organisation is preselected for a consent anew; `{client_id}` and `{organisation}`
    in it stand for the app's client id and the provider's id of the organisation. `userinfo` is where OpenID Connect
    tells who signed in, for providers whose tokens do not. `reference_header` is the header in which an answer bears
    the name that the provider's support asks for.
    """

    authorize: str
    token: str
    revocation: str
    api: str
    issuer: str | None = None
    reconnect_authorize: str | None = None
    userinfo: str | None = None
    reference_header: str | None = None

    def moved_to(self, base_url: str) -> Endpoints:
        """The same paths under another base, `scheme://host[:port][/prefix]`. Raises Invalid."""
        base = urlsplit(base_url)
        if base.scheme not in {"http", "https"} or not base.hostname or base.query or base.fragment:
            raise Invalid(
                "A provider's address has the form scheme://host[:port][/prefix], and nothing more."
            )
        named = (each.name for each in fields(self) if each.name != "reference_header")
        addresses = {name: address for name in named if (address := getattr(self, name)) is not None}
        return replace(self, **{name: _moved(address, base_url) for name, address in addresses.items()})


class ClientAuthentication(StrEnum):
    """How the app proves itself to the token endpoint (RFC 6749, 2.3.1)."""

    BASIC = "BASIC"
    BODY = "BODY"


class RevocationForm(StrEnum):
    """How the token to revoke is sent: `token=…` as a form, or `{"token": "…"}`; the app proves itself by Basic."""

    FORM = "FORM"
    JSON = "JSON"


@dataclass(frozen=True, kw_only=True, slots=True)
class OAuth:
    """How a provider is asked for consent and tokens, as data.

    `sandbox_endpoints` are the provider's own sandbox, where it has one. `wider` names, for a scope, the scopes
    that include it. `rotation_grace` is how long a refresh token may be sent again after its answer was lost.
    `extra` goes to the authorization endpoint with every consent, `token_headers` with every call of the token
    endpoint. `hard_expiry_field` is where its answer says after how many seconds a refresh token dies, renewed or not.
    `lapse_is_proof`: that a subscription lapsed is told only to tokens that open the organisation.
    """

    endpoints: Endpoints
    base_scopes: tuple[str, ...]
    product_scopes: Mapping[Product, tuple[str, ...]]
    client_authentication: ClientAuthentication
    revocation: RevocationForm
    access_life: timedelta
    refresh_life: timedelta
    rotation_grace: timedelta
    sandbox_endpoints: Endpoints | None = None
    token_headers: Mapping[str, str] = field(default_factory=dict)
    hard_expiry_field: str | None = None
    wider: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict)
    lapse_is_proof: bool = False

    def scopes_for(self, products: Iterable[Product]) -> tuple[str, ...]:
        """What to ask for: the base first, then what the products need; each sorted, none twice."""
        base = set(self.base_scopes)
        needed = {scope for product in products for scope in self.product_scopes.get(product, ())}
        return (*sorted(base), *sorted(needed - base))

    def covers(self, granted: Collection[str], product: Product) -> bool:
        """Whether the granted scopes, or wider ones, are all that the product needs."""
        needed = self.product_scopes.get(product)
        return needed is not None and all(
            scope in granted or any(wide in granted for wide in self.wider.get(scope, ())) for scope in needed
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenSet:
    """What the token endpoint gave; lives count from the moment of the answer.

    Nothing extends `refresh_hard_expires_in`; None where the provider did not say.
    """

    access: Secret
    refresh: Secret | None
    id_token: Secret | None
    expires_in: timedelta
    refresh_expires_in: timedelta | None
    scopes: frozenset[str]
    refresh_hard_expires_in: timedelta | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """What a consent brought: the tokens, and the callback's query parameters without `code` and `state`.

    `claims` is what `Endpoints.userinfo` says of who signed in; nothing where it did not answer.
    """

    tokens: TokenSet
    parameters: Mapping[str, str]
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """What was granted: `id` stays the same for the same user (or company), consent after consent.

    `login` is the provider's own name for who signed in; `consent` is its mark of this very consent.
    """

    id: str
    login: str | None
    consent: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Consent:
    """A consent to look for: the `Subject.consent` that marks it, where there is one, and when it came back to us."""

    mark: str | None
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """An organisation that a credential reaches; `consented`: it is part of the consent asked about."""

    external_id: str
    name: str
    consented: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class OrganisationDetails:
    """`country` is ISO 3166 alpha-2, `currency` ISO 4217; `timezone` is in the provider's own words."""

    name: str
    legal_name: str | None
    country: str | None
    currency: str | None
    tax_number: str | None
    registration_number: str | None
    timezone: str | None


class Provider(Protocol):
    """One accounting system. Its methods keep no state: everything comes with the arguments."""

    @property
    def info(self) -> ProviderInfo: ...

    @property
    def oauth(self) -> OAuth: ...

    def limits(self, tier: str | None) -> Sequence[Limit]:
        """What the provider allows an app of this tier; where it is None or unknown, the least of all tiers."""
        ...

    def remaining(self, response: httpx.Response) -> Sequence[Remaining]:
        """What the answer says is left of limits; nothing where it does not say. Never raises."""
        ...

    def classify(self, response: httpx.Response) -> Fault | None:
        """What the answer means; None when it is what was asked for. Never raises, whatever the body is."""
        ...

    def subject(self, grant: Grant) -> Subject:
        """Who consented. Raises ProviderBroken when the grant does not say."""
        ...

    async def organisations(self, session: Session, consent: Consent | None) -> Sequence[Reached]:
        """All that the credential reaches now, and what the consent brought; that may be a day ago.

        Nothing where the consent itself was taken back; then a person has to sign in again.
        """
        ...

    async def organisation(self, session: Session) -> OrganisationDetails:
        """The details of the organisation the session is bound to."""
        ...

    async def release(self, session: Session, external_id: str) -> None:
        """Let go of one organisation at the provider; harmless when it is gone already."""
        ...

    def pull(self, session: Session, feed: Feed, cursor: str | None) -> AsyncIterator[Page]:
        """The feed of the session's organisation from the cursor on; everything where it is None.

        A page is asked for when it is wanted, and the cursor of each is enough to go on in another process.
        Ends after the page that is `last`. Raises what the session raises, and ProviderBroken.
        """
        ...


def _moved(address: str, base_url: str) -> str:
    parts = urlsplit(address)
    return base_url.rstrip("/") + urlunsplit(("", "", parts.path, parts.query, ""))
