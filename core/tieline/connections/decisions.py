"""What becomes of one row of a connect: pure, so that every outcome can be read off a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tieline.clients.repository import Client
from tieline.connections.organisations.repository import Organisation
from tieline.connections.repository import Connection
from tieline.connections.states import Reason
from tieline.errors import (
    ConsentOver,
    ConsentTooNarrow,
    DifferentOrganisation,
    Forbidden,
    NamedTwice,
    NotFound,
    NotInThisLogin,
    OrganisationInUse,
    Refused,
)
from tieline.ids import ClientId, CredentialId, OrganisationId
from tieline.plugins import Product


class Step(StrEnum):
    """What connecting a row takes: a new connection, one in the place of another, the same one anew, or nothing."""

    NEW = "NEW"
    REPLACE = "REPLACE"
    RESUME = "RESUME"
    KEEP = "KEEP"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One row: connect this client to this organisation."""

    client_id: ClientId
    organisation_id: OrganisationId


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """How a sign-in reaches an organisation; `covers`: its consent is enough for the product in question."""

    credential_id: CredentialId
    covers: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What is known when rows are decided, all of one moment and locked.

    `clients` are those the caller sees, of the rows and of those whom the organisations serve; `organisations` are
    those of the practice, `seen` those of them whose names the caller may know; `current` are the clients'
    connections of the product; `consented` is all that the sign-in's consents were for; `over` is what it would reach,
    had the consent not run out.
    """

    product: Product
    clients: Mapping[ClientId, Client]
    forbids: Callable[[Client], Forbidden | None]
    organisations: Mapping[OrganisationId, Organisation]
    seen: frozenset[OrganisationId]
    reached: Mapping[OrganisationId, Reach]
    consented: frozenset[OrganisationId]
    over: frozenset[OrganisationId]
    current: Mapping[ClientId, Connection]


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """The row is good: what it takes, through which credential, and the connection that stands there now."""

    step: Step
    credential_id: CredentialId
    standing: Connection | None = None


def decide_all(rows: Sequence[Asked], facts: Facts) -> Iterator[Decided | Refused]:
    """One answer a row, in their order; a good row stands against those after it, one that was refused does not."""
    clients: set[ClientId] = set()
    served: dict[OrganisationId, ClientId] = {}
    for row in rows:
        earlier = served.get(row.organisation_id)
        if row.client_id in clients:
            yield NamedTwice("connects the same client", field="clientId")
        elif earlier is not None:
            yield in_use(row.organisation_id, earlier, facts, field="organisationId")
        else:
            decided = decide(row, facts)
            if isinstance(decided, Decided):
                clients.add(row.client_id)
                served[row.organisation_id] = row.client_id
            yield decided


def decide(row: Asked, facts: Facts, *, moves: bool = False) -> Decided | Refused:
    """What becomes of a row that no earlier one stands against; `moves`: leaving another organisation is meant."""
    refusal = _refused_client(row, facts) or _refused_organisation(row, facts)
    if refusal is not None:
        return refusal
    reach = facts.reached[row.organisation_id]
    standing = facts.current.get(row.client_id)
    if standing is None:
        return Decided(step=Step.NEW, credential_id=reach.credential_id)
    if standing.organisation_id == row.organisation_id:
        step = Step.KEEP if standing.reason is None else Step.RESUME
        return Decided(step=step, credential_id=reach.credential_id, standing=standing)
    if moves or standing.reason is Reason.DISCONNECTED:
        return Decided(step=Step.REPLACE, credential_id=reach.credential_id, standing=standing)
    return DifferentOrganisation(standing.organisation_name, field="organisationId")


def refused_reach(organisation_id: OrganisationId, facts: Facts, *, field: str) -> Refused | None:
    """Why a sign-in is no good for an organisation, if it is not; `field` is what named the organisation."""
    reach, name = facts.reached.get(organisation_id), _named(organisation_id, facts) or "this organisation"
    if organisation_id in facts.over:
        return ConsentOver(name, field=field)
    if reach is None:
        return NotInThisLogin(name, field=field)
    if not reach.covers:
        return ConsentTooNarrow(facts.product, field="signInId")
    return None


def in_use(organisation_id: OrganisationId, by: ClientId, facts: Facts, *, field: str) -> OrganisationInUse:
    """Names the client only to those who may see it, as it does the organisation; `field` is what named that."""
    client = facts.clients.get(by)
    return OrganisationInUse(
        _named(organisation_id, facts) or "This organisation",
        client.name if client is not None else None,
        field=field,
    )


def _refused_client(row: Asked, facts: Facts) -> Refused | None:
    client = facts.clients.get(row.client_id)
    if client is None:
        return NotFound("client", row.client_id, field="clientId")
    forbidden = facts.forbids(client)
    if forbidden is not None:
        forbidden.field = "clientId"
    return forbidden


def _refused_organisation(row: Asked, facts: Facts) -> Refused | None:
    organisation = facts.organisations.get(row.organisation_id)
    if organisation is None:
        return NotFound("organisation", row.organisation_id, field="organisationId")
    refusal = refused_reach(row.organisation_id, facts, field="organisationId")
    if refusal is not None:
        return refusal
    if organisation.client_id is not None and organisation.client_id != row.client_id:
        return in_use(row.organisation_id, organisation.client_id, facts, field="organisationId")
    return None


def _named(organisation_id: OrganisationId, facts: Facts) -> str | None:
    return facts.organisations[organisation_id].name if organisation_id in facts.seen else None
