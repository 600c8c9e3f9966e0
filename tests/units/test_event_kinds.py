"""The kinds of events as front ends see them: none is missing, and each says what it means."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import graphql
import pytest

from tieline.events.kinds import Event, SyncFailed, SyncPaused, kinds
from tieline.events.repository import EventCursor, Recorded
from tieline.ids import ClientId, OrganisationId, RunId, new_id
from tieline_gateway.graphql.events.kinds import ConnectionEventKind, kind_of
from tieline_gateway.graphql.events.types import ConnectionEvent
from tieline_gateway.graphql.kinds import OTHER
from tieline_gateway.graphql.schema import print_schema


def recorded(event: Event) -> Recorded:
    """As it comes back from the database."""
    return Recorded(
        cursor=EventCursor(epoch=uuid4(), xid=7, position=8),
        kind=event.kind,
        client_id=event.client_id,
        payload=event.payload(),
        at=datetime(2031, 5, 4, tzinfo=UTC),
    )


def test_every_kind_stands_in_the_schema_with_a_sentence() -> None:
    enum = graphql.build_schema(print_schema()).type_map["ConnectionEventKind"]

    assert isinstance(enum, graphql.GraphQLEnumType)
    assert list(enum.values) == [*kinds(), OTHER]
    assert all((value.description or "").endswith(".") for value in enum.values.values())


def test_no_two_kinds_share_a_name_and_each_is_written_by_its_own_class() -> None:
    written = [kind for kind in _all(Event) if "kind" in vars(kind)]

    assert {kind.kind for kind in written} == set(kinds())
    assert len({kind.__name__ for kind in written}) == len(kinds())


def _all(event: type[Event]) -> list[type[Event]]:
    return [event, *(narrower for below in event.__subclasses__() for narrower in _all(below))]


@pytest.mark.parametrize("kind", [*kinds(), "CLIENT_KNIGHTED"])
def test_what_is_not_known_is_other(kind: str) -> None:
    expected = kind if kind in kinds() else OTHER

    assert kind_of(kind) is ConnectionEventKind[expected]


def test_an_event_of_a_sync_tells_its_run_why_and_until_when() -> None:
    client_id, organisation_id, run_id = ClientId(new_id()), OrganisationId(new_id()), RunId(new_id())
    until = "2031-05-05T00:00:00+00:00"

    paused = ConnectionEvent.of(
        recorded(
            SyncPaused(
                client_id=client_id,
                organisation_id=organisation_id,
                run_id=run_id,
                limit="day",
                resume_at=until,
            )
        )
    )
    failed = ConnectionEvent.of(
        recorded(
            SyncFailed(
                client_id=client_id, organisation_id=organisation_id, run_id=run_id, reason="ACCESS_LOST"
            )
        )
    )

    assert (paused.sync_run_id, paused.connection_id, paused.organisation_key) == (
        str(run_id),
        None,
        organisation_id,
    )
    assert paused.limit is not None
    assert (paused.limit.name, paused.resume_at) == ("day", datetime(2031, 5, 5, tzinfo=UTC))
    assert (failed.sync_reason, failed.reason) == ("ACCESS_LOST", None)
    assert (failed.limit, failed.resume_at) == (None, None)
