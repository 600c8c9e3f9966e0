"""The kinds of events. They keep ids, never names or payloads, so that forgetting a client forgets it here too."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar
from uuid import UUID

from tieline.ids import ClientId, ConnectionId, OrganisationId


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
    kind: ClassVar[str] = "CLIENT_CREATED"


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientRenamed(Event):
    kind: ClassVar[str] = "CLIENT_RENAMED"


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientDeleted(Event):
    """Hidden from now on; what belongs to it is removed by a job."""

    kind: ClassVar[str] = "CLIENT_DELETED"


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientPurged(Event):
    """Everything of the client is gone; how many rows that were."""

    kind: ClassVar[str] = "CLIENT_PURGED"
    connections: int
    organisations: int


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
class ConnectionExpired(ConnectionEvent):
    """It stopped working; `reason` says why and so what mends it."""

    kind: ClassVar[str] = "CONNECTION_EXPIRED"
    reason: str


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
class ConnectionEnded(ConnectionEvent):
    """Another one took its place, or its client was deleted."""

    kind: ClassVar[str] = "CONNECTION_ENDED"
