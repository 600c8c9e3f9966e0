"""What becomes of one connection that is to hang on the caller's sign-in: pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tieline.clients.repository import Client
from tieline.connections.repository import Connection
from tieline.connections.states import MENDS_ITSELF, Reason
from tieline.credentials.repository import Credential
from tieline.errors import (
    AnotherChosen,
    ConsentOver,
    ConsentTooNarrow,
    DifferentOrganisation,
    DisconnectedOnPurpose,
    Forbidden,
    NamedTwice,
    NotFound,
    NotInThisLogin,
    Refused,
)
from tieline.ids import ClientId, ConnectionId, OrganisationId, PersonId
from tieline.plugins import Product
from tieline.sign_ins.states import Failure, sentence_of


class Outcome(StrEnum):
    """What became of a row; where nothing was tried, a refusal's code."""

    RECONNECTED = "RECONNECTED"
    TO_BE_CHECKED = "TO_BE_CHECKED"
    REASSIGNED = "REASSIGNED"
    ALREADY_YOURS = "ALREADY_YOURS"
    DISCONNECTED = DisconnectedOnPurpose.code
    NOT_IN_THIS_LOGIN = NotInThisLogin.code
    DIFFERENT_ORGANISATION = DifferentOrganisation.code
    CONSENT_EXPIRED = ConsentOver.code
    SCOPE_MISSING = ConsentTooNarrow.code
    NOT_FOUND = NotFound.code
    FORBIDDEN = Forbidden.code
    NAMED_TWICE = NamedTwice.code


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What is known when rows are decided, all of one moment and locked.

    `clients` are those the caller sees; `reached` is what the caller's sign-in reaches, through credentials that work,
    `over` what it would reach, had the consent not run out. `misled` are the organisations that somebody was to consent
    to in it, and did not: another one was chosen.
    """

    person_id: PersonId | None
    clients: Mapping[ClientId, Client]
    forbids: Callable[[Client], Forbidden | None]
    standing: Mapping[ConnectionId, Connection]
    reached: Mapping[OrganisationId, Credential]
    over: frozenset[OrganisationId]
    misled: frozenset[OrganisationId]
    covers: Callable[[Credential, Product], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """The connection may hang on this credential; that may be its own, handed to the caller or mended."""

    connection: Connection
    credential: Credential

    @property
    def is_to_be_checked(self) -> bool:
        """Whether only the books themselves tell if it works: that a login lists them says nothing."""
        return self.connection.reason in MENDS_ITSELF

    @property
    def is_written(self) -> bool:
        """Whether the connection itself changes, and not only who is shown for its credential."""
        is_mended = self.connection.reason is not None and not self.is_to_be_checked
        return is_mended or self.connection.credential_id != self.credential.id


@dataclass(frozen=True, kw_only=True, slots=True)
class Left:
    """The connection stays as it is: it is the caller's already, or refused.

    `connection` is None where the caller may not see it.
    """

    connection: Connection | None
    refusal: Refused | None = None

    @property
    def outcome(self) -> Outcome:
        return Outcome.ALREADY_YOURS if self.refusal is None else Outcome(self.refusal.code)


def mend(connection: Connection, facts: Facts) -> Move | Left | None:
    """What `reconnectAll` makes of a connection that was broken; None when it is so no more, or out of sight."""
    standing = facts.standing.get(connection.id)
    if standing is None or standing.ended_at is not None:
        return None
    if standing.reason is None or standing.reason is Reason.DISCONNECTED:
        return None
    client = facts.clients.get(standing.client_id)
    if client is None:
        return None
    forbidden = facts.forbids(client)
    return left(forbidden, standing) if forbidden is not None else _reach(standing, facts)


def reassign_all(ids: Sequence[ConnectionId], facts: Facts) -> Iterator[Move | Left]:
    """One answer a row, in their order."""
    named: set[ConnectionId] = set()
    for connection_id in ids:
        if connection_id in named:
            yield left(
                NamedTwice("names the same connection", field="connectionIds"),
                _seen(connection_id, facts),
            )
        else:
            yield _reassign(connection_id, facts)
        named.add(connection_id)


def left(refusal: Refused, connection: Connection | None) -> Left:
    return Left(connection=connection, refusal=refusal)


def _reassign(connection_id: ConnectionId, facts: Facts) -> Move | Left:
    standing = _seen(connection_id, facts)
    if standing is None or standing.ended_at is not None:
        return left(NotFound("connection", connection_id, field="connectionIds"), None)
    forbidden = facts.forbids(facts.clients[standing.client_id])
    if forbidden is not None:
        return left(forbidden, standing)
    if standing.reason is Reason.DISCONNECTED:
        return left(DisconnectedOnPurpose(field="connectionIds"), standing)
    found = _reach(standing, facts)
    if isinstance(found, Move) and not found.is_written and found.credential.person_id == facts.person_id:
        return Left(connection=standing)
    return found


def _seen(connection_id: ConnectionId, facts: Facts) -> Connection | None:
    """The connection, unless its client went out of the caller's sight before it was locked."""
    standing = facts.standing.get(connection_id)
    return standing if standing is not None and standing.client_id in facts.clients else None


def _reach(standing: Connection, facts: Facts) -> Move | Left:
    credential = facts.reached.get(standing.organisation_id)
    if credential is None:
        return _unreached(standing, facts)
    if not facts.covers(credential, standing.product):
        return left(ConsentTooNarrow(standing.product, field="signInId"), standing)
    return Move(connection=standing, credential=credential)


def _unreached(standing: Connection, facts: Facts) -> Left:
    if standing.organisation_id in facts.over:
        return left(ConsentOver(standing.organisation_name, field="signInId"), standing)
    if standing.organisation_id in facts.misled:
        why = sentence_of(Failure.DIFFERENT_ORGANISATION)
        return left(AnotherChosen(why, field="signInId"), standing)
    return left(NotInThisLogin(standing.organisation_name, field="signInId"), standing)
