"""The kinds of events. They keep ids, never names or payloads, so that forgetting a client forgets it here too."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from tieline.ids import ClientId


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happened to one client."""

    kind: ClassVar[str]
    client_id: ClientId

    def payload(self) -> dict[str, Any]:
        """The event's own fields, as JSON."""
        fields = asdict(self)
        del fields["client_id"]
        return fields


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientCreated(Event):
    kind: ClassVar[str] = "CLIENT_CREATED"


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientRenamed(Event):
    kind: ClassVar[str] = "CLIENT_RENAMED"
