"""The ids that an event names in its payload."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from tieline.events.repository import Recorded
from tieline.ids import ClientId, ConnectionId, OrganisationId, RunId
from tieline_gateway.graphql.loaders import Ahead


def connection_of(event: Recorded) -> ConnectionId | None:
    named = _named(event, "connection_id")
    return ConnectionId(named) if named else None


def organisation_of(event: Recorded) -> OrganisationId | None:
    named = _named(event, "organisation_id")
    return OrganisationId(named) if named else None


def run_of(event: Recorded) -> RunId | None:
    named = _named(event, "run_id")
    return RunId(named) if named else None


def ahead_of(events: Sequence[Recorded]) -> Ahead:
    """What these events will ask for when they are sent one after another."""
    clients: set[ClientId | None] = {event.client_id for event in events}
    connections = {connection_of(event) for event in events}
    organisations = {organisation_of(event) for event in events}
    return Ahead(
        clients=[one for one in clients if one is not None],
        connections=[one for one in connections if one is not None],
        organisations=[one for one in organisations if one is not None],
    )


def _named(event: Recorded, field: str) -> UUID | None:
    value = event.payload.get(field)
    return UUID(value) if value else None
