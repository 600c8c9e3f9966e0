"""What becomes of each client that is to be synced: pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tieline.clients.repository import Client
from tieline.connections.repository import Connection
from tieline.connections.states import explanation
from tieline.errors import CannotSync, Forbidden, NamedTwice, NotConnected, NotFound, Refused
from tieline.ids import ClientId

_FIELD = "clientIds"


class Outcome(StrEnum):
    """What became of one client's sync; all but QUEUED and ALREADY_RUNNING began nothing."""

    QUEUED = "QUEUED"
    ALREADY_RUNNING = "ALREADY_RUNNING"
    NOT_CONNECTED = NotConnected.code
    CONNECTION_EXPIRED = CannotSync.code
    NAMED_TWICE = NamedTwice.code
    NOT_FOUND = NotFound.code
    FORBIDDEN = Forbidden.code


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What is known when clients are decided: those that the caller sees, and their current connections.

    `forbids` says why the caller may not sync a client, `knows` whether a provider is installed.
    """

    clients: Mapping[ClientId, Client]
    forbids: Callable[[Client], Forbidden | None]
    connections: Mapping[ClientId, Sequence[Connection]]
    knows: Callable[[str], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class Good:
    """The client is synced through these connections; of those that are `expired` nothing is read."""

    connections: tuple[Connection, ...]
    expired: tuple[Connection, ...]


def decide_all(client_ids: Sequence[ClientId], facts: Facts) -> Iterator[Good | Refused]:
    """One answer for each, in their order. A client is named twice where an earlier naming of it is good."""
    good: set[ClientId] = set()
    for client_id in client_ids:
        if client_id in good:
            yield NamedTwice("syncs the same client", field=_FIELD)
            continue
        became = _decide(client_id, facts)
        if isinstance(became, Good):
            good.add(client_id)
        yield became


def _decide(client_id: ClientId, facts: Facts) -> Good | Refused:
    client = facts.clients.get(client_id)
    if client is None:
        return NotFound("client", client_id, field=_FIELD)
    forbidden = facts.forbids(client)
    if forbidden is not None:
        forbidden.field = _FIELD
        return forbidden
    current = facts.connections.get(client_id, ())
    if not current:
        return NotConnected(client.name, field=_FIELD)

    working = [each for each in current if each.reason is None]
    if not working:
        return CannotSync(explanation(current[0].status, current[0].reason) or "", field=_FIELD)
    known = tuple(each for each in working if facts.knows(each.provider))
    if not known:
        return NotFound("provider", working[0].provider, field=_FIELD)
    return Good(connections=known, expired=tuple(each for each in current if each.reason is not None))
