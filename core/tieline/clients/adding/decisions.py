"""What becomes of one row of clients to be added: pure, so that every outcome can be read off a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tieline.connections.decisions import Facts, in_use, refused_reach
from tieline.connections.states import differs
from tieline.errors import DuplicateClient, Invalid, NotFound, OwnBooks, PlanTooSmall, Refused
from tieline.ids import ClientId, CredentialId, OrganisationId, TeamId
from tieline.names import clean_name, match_key
from tieline.practices.plan import Plan


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """One row: a client for this organisation, by the ledger's name where it has none.

    `client_id` is the id that the client is going to have.
    """

    client_id: ClientId
    organisation_id: OrganisationId
    name: str | None = None
    team_id: TeamId | None = None
    even_if_duplicate: bool = False
    even_if_own_books: bool = False

    @property
    def is_named(self) -> bool:
        """Whether a person said the name; an empty one is none, as forms send it."""
        return self.name is not None and bool(self.name.strip())


@dataclass(frozen=True, kw_only=True, slots=True)
class Namesake:
    """A client that is there; `is_seen`: by the caller, who may be told of it."""

    client_id: ClientId
    name: str
    is_seen: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class AddingFacts:
    """What is known when rows are decided, all of one moment and locked.

    `connecting` is what rows of a connect are decided by; `served` are the organisations that a client, seen by the
    caller, is connected to for the product; `named` holds the practice's clients by what their names match by.
    """

    connecting: Facts
    served: Mapping[OrganisationId, ClientId]
    named: Mapping[str, Namesake]
    teams: frozenset[TeamId]
    practice_name: str
    plan: Plan


@dataclass(frozen=True, kw_only=True, slots=True)
class Addition:
    """The row is good: the client is made, with this name, and connected through this credential."""

    name: str
    credential_id: CredentialId


@dataclass(frozen=True, kw_only=True, slots=True)
class Unchanged:
    """Nothing is made: the client is there already, or the row is refused, perhaps because this one is in its way."""

    client_id: ClientId | None = None
    refusal: Refused | None = None


def decide_all(rows: Sequence[Wanted], facts: AddingFacts) -> Iterator[Addition | Unchanged]:
    """One answer a row, in their order, as if each row came after those before it had been carried out."""
    served, named = dict(facts.served), dict(facts.named)
    facts = replace(facts, served=served, named=named)
    for row in rows:
        decided = decide(row, facts)
        if isinstance(decided, Addition):
            served[row.organisation_id] = row.client_id
            made = Namesake(client_id=row.client_id, name=decided.name, is_seen=True)
            named.setdefault(match_key(decided.name), made)
        yield decided


def decide(row: Wanted, facts: AddingFacts) -> Addition | Unchanged:
    """What becomes of a row, whatever others there are."""
    connecting = facts.connecting
    organisation = connecting.organisations.get(row.organisation_id)
    if organisation is None:
        return Unchanged(refusal=NotFound("organisation", row.organisation_id, field="organisationId"))
    unreached = refused_reach(row.organisation_id, connecting, field="organisationId")
    if unreached is not None:
        return Unchanged(refusal=unreached)
    if row.organisation_id in facts.served:
        return Unchanged(client_id=facts.served[row.organisation_id])
    if organisation.client_id is not None:
        refusal = in_use(row.organisation_id, organisation.client_id, connecting, field="organisationId")
        return Unchanged(client_id=organisation.client_id, refusal=refusal)
    names = organisation.name, organisation.legal_name
    if not row.even_if_own_books and not differs(facts.practice_name, *names):
        return Unchanged(refusal=OwnBooks(organisation.name, field="organisationId"))
    return _made(row, organisation.name, facts)


def _made(row: Wanted, ledger_name: str, facts: AddingFacts) -> Addition | Unchanged:
    try:
        name = clean_name(row.name if row.name is not None and row.is_named else ledger_name, field="name")
    except Invalid as invalid:
        return Unchanged(refusal=invalid)
    refused_team = _refused_team(row, facts)
    if refused_team is not None:
        return Unchanged(refusal=refused_team)
    namesake = None if row.even_if_duplicate else facts.named.get(match_key(name))
    if namesake is not None:
        refusal = DuplicateClient(name, namesake.name if namesake.is_seen else None, field="name")
        return Unchanged(client_id=namesake.client_id, refusal=refusal)
    return Addition(name=name, credential_id=facts.connecting.reached[row.organisation_id].credential_id)


def _refused_team(row: Wanted, facts: AddingFacts) -> Refused | None:
    if row.team_id is None:
        return None
    if row.team_id not in facts.teams:
        return NotFound("team", row.team_id, field="teamId")
    if facts.plan is not Plan.ADVANCED:
        return PlanTooSmall("Assigning a team", Plan.ADVANCED, field="teamId")
    return None
