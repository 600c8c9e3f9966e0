"""The kinds of events. They keep ids, never names or payloads, so that forgetting a client forgets it here too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Protocol, TypedDict
from uuid import UUID

from tieline.ids import ClientId, ConnectionId, OrganisationId, RunId


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happened to one client."""

    kind: ClassVar[str]
    client_id: ClientId

    def payload(self) -> dict[str, Any]:
        """The event's own fields, as JSON: ids as text."""
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "client_id"}
        return {name: str(value) if isinstance(value, UUID) else value for name, value in own.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientCreated(Event):
    """The practice looks after one more."""

    kind: ClassVar[str] = "CLIENT_CREATED"


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientRenamed(Event):
    """It has another name."""

    kind: ClassVar[str] = "CLIENT_RENAMED"


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientChanged(Event):
    """What is known of it changed, other than its name: its team, its code, its details.

    `fields` say of what, by the API's words for it.
    """

    kind: ClassVar[str] = "CLIENT_CHANGED"
    fields: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientDeleted(Event):
    """Hidden from now on; what belongs to it is removed by a job."""

    kind: ClassVar[str] = "CLIENT_DELETED"


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientPurged(Event):
    """Everything of the client is gone.

    `connections` and `organisations` are how many rows that were.
    """

    kind: ClassVar[str] = "CLIENT_PURGED"
    connections: int
    organisations: int


class OfConnection(TypedDict):
    """Whose an event of a connection is, as the arguments of its kind: `ConnectionEnded(**of_connection(ended))`."""

    client_id: ClientId
    connection_id: ConnectionId
    organisation_id: OrganisationId
    product: str


class _Connection(Protocol):
    @property
    def id(self) -> ConnectionId: ...

    @property
    def client_id(self) -> ClientId: ...

    @property
    def organisation_id(self) -> OrganisationId: ...

    @property
    def product(self) -> str: ...


def of_connection(connection: _Connection) -> OfConnection:
    return OfConnection(
        client_id=connection.client_id,
        connection_id=connection.id,
        organisation_id=connection.organisation_id,
        product=connection.product,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionEvent(Event):
    """Something that happened to one connection of a client."""

    connection_id: ConnectionId
    organisation_id: OrganisationId
    product: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionConnected(ConnectionEvent):
    """A new connection, or one that works again after a person reconnected it."""

    kind: ClassVar[str] = "CONNECTION_CONNECTED"


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionRestored(ConnectionEvent):
    """It works again by itself: its credential was signed in anew."""

    kind: ClassVar[str] = "CONNECTION_RESTORED"


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionSettingsChanged(ConnectionEvent):
    """A person settled something about it anew.

    `settings` are the names of what, as its plugin declares them.
    """

    kind: ClassVar[str] = "CONNECTION_SETTINGS_CHANGED"
    settings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionExpired(ConnectionEvent):
    """It stopped working; `reason` says why and so what mends it."""

    kind: ClassVar[str] = "CONNECTION_EXPIRED"
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionWarning(ConnectionEvent):
    """It works, but expires in 30, 7 or 1 days unless somebody reconnects it.

    `reason` is why, `days` the mark that was passed, `expires_at` the instant in ISO 8601.
    """

    kind: ClassVar[str] = "CONNECTION_WARNING"
    reason: str
    days: int
    expires_at: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionDisconnected(ConnectionEvent):
    """A person stopped it."""

    kind: ClassVar[str] = "CONNECTION_DISCONNECTED"


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionMismatchChanged(ConnectionEvent):
    """The names of client and organisation differ now, or agree now."""

    kind: ClassVar[str] = "CONNECTION_MISMATCH_CHANGED"
    mismatch: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionHandedOver(ConnectionEvent):
    """It is integrated by another person now; its organisation is as it was."""

    kind: ClassVar[str] = "CONNECTION_HANDED_OVER"


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionEnded(ConnectionEvent):
    """Another one took its place, or its client was deleted."""

    kind: ClassVar[str] = "CONNECTION_ENDED"


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncEvent(Event):
    """Something that happened to a sync of a client's organisation."""

    organisation_id: OrganisationId
    run_id: RunId


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncSucceeded(SyncEvent):
    """Our copy of the books is up to date."""

    kind: ClassVar[str] = "SYNC_SUCCEEDED"


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncPaused(SyncEvent):
    """A limit of the provider is spent for minutes or longer; it goes on by itself.

    `resume_at` is when, in ISO 8601.
    """

    kind: ClassVar[str] = "SYNC_PAUSED"
    limit: str
    resume_at: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncFailed(SyncEvent):
    """It ended without all of the books; `reason` says why."""

    kind: ClassVar[str] = "SYNC_FAILED"
    reason: str


def kinds() -> dict[str, type[Event]]:
    """Every kind that is written, in the order in which they stand here."""
    return {kind.kind: kind for kind in _below(Event) if "kind" in vars(kind)}


def _below(event: type[Event]) -> Iterator[type[Event]]:
    for narrower in event.__subclasses__():
        yield narrower
        yield from _below(narrower)
