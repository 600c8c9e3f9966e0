"""The SQL of events: read strictly behind every transaction that is still open, so that none is skipped."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tieline.database import Scope, current
from tieline.errors import CursorExpired
from tieline.events.kinds import Event
from tieline.events.place import FEED
from tieline.ids import ClientId
from tieline.pages import InvalidToken, pack_event_cursor, unpack
from tieline.principal import Principal
from tieline.visibility import visible_client


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class EventCursor:
    """Everything up to and including (xid, position) has been seen; `epoch` names the feed it belongs to."""

    epoch: UUID
    xid: int
    position: int

    def encode(self) -> str:
        return pack_event_cursor(self.epoch, self.xid, self.position)

    @classmethod
    def decode(cls, text: str) -> EventCursor:
        """Raises CursorExpired: a client recovers from any cursor it cannot use in the same way."""
        try:
            epoch, xid, position = unpack(text, str, int, int)
            return cls(epoch=UUID(epoch), xid=xid, position=position)
        except (InvalidToken, ValueError) as broken:
            raise CursorExpired from broken


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """An event as it was written. `cursor` is also its identity: delivery is at least once."""

    cursor: EventCursor
    kind: str
    client_id: ClientId | None
    payload: dict[str, Any]
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Events after a cursor, and the cursor to go on from, which moves on past what the caller may not see.

    `held_back`: the practice has more, committed but behind a transaction of somebody's that is still open.
    `ahead`: the cursor is one that the feed has not come to, such as nobody was told.
    """

    events: tuple[Recorded, ...]
    cursor: EventCursor
    more: bool
    held_back: bool = False
    ahead: bool = False


_INSERT = """
INSERT INTO event (practice_id, kind, client_id, payload, at, correlation_id)
SELECT $1, e.kind, e.client_id, e.payload::jsonb, $2, $3
  FROM unnest($4::text[], $5::uuid[], $6::text[]) WITH ORDINALITY AS e (kind, client_id, payload, nth)
 ORDER BY e.nth
"""
# One statement, so that the feed's state and the rows are of one moment.
_AFTER = f"""
SELECT {FEED}, feed.pruned_below::text::bigint AS pruned_below,
       EXISTS (SELECT 1 FROM event AS h
                WHERE h.practice_id = $1 AND h.xid >= pg_snapshot_xmin(pg_current_snapshot())) AS held_back,
       e.xid::text::bigint AS event_xid, e.position, e.kind, e.client_id, e.payload::text AS payload, e.at
  FROM feed
  LEFT JOIN LATERAL (
       SELECT e.* FROM event AS e
        WHERE e.practice_id = $1
          AND (e.xid, e.position) > ($2::text::xid8, $3::bigint)
          AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
          AND {{visible}}
        ORDER BY e.xid, e.position
        LIMIT $4) AS e ON true
 ORDER BY e.xid, e.position
"""


async def insert_events(scope: Scope, events: Sequence[Event], *, at: datetime, correlation_id: str) -> None:
    """Write the events of one unit of work with one statement, in their order."""
    await scope.run(
        _INSERT,
        scope.practice_id,
        at,
        correlation_id,
        [event.kind for event in events],
        [event.client_id for event in events],
        [json.dumps(event.payload()) for event in events],
    )


async def read_after(principal: Principal, after: EventCursor, *, limit: int, was_end: bool) -> Batch:
    """Events this caller may see, after a cursor, causes before effects. Raises CursorExpired.

    Where that `was_end`, it does not matter what was deleted: so little may happen that a quiet practice's place stands
    before the last event that another has lost.
    """
    sql = _AFTER.format(visible=visible_client(principal, "e.client_id", "$5"))
    arguments = [principal.practice_id, str(after.xid), after.position, limit]
    if not principal.sees_all_clients:
        arguments.append(principal.person_id)
    rows = await current().rows(sql, *arguments)
    feed = rows[0]
    if after.epoch != feed["epoch"] or (after.xid < feed["pruned_below"] and not was_end):
        raise CursorExpired
    events = tuple(_recorded(row) for row in rows if row["event_xid"] is not None)
    if len(events) == limit:
        return Batch(events=events, cursor=events[-1].cursor, more=True)
    # All up to there has been read, whether visible to the caller or not.
    reached = EventCursor(epoch=after.epoch, xid=feed["reached"], position=0)
    cursor = max(after, reached)
    return Batch(
        events=events, cursor=cursor, more=False, held_back=feed["held_back"], ahead=cursor > reached
    )


async def prune(*, before: datetime, limit: int) -> int:
    """Delete a batch of events recorded before an instant, and remember how far back cursors still reach."""
    count: int = await current().value(
        """
        WITH old AS (SELECT position FROM event WHERE at < $1
                      ORDER BY at, position LIMIT $2 FOR UPDATE SKIP LOCKED),
             gone AS (DELETE FROM event USING old WHERE event.position = old.position RETURNING event.xid),
             last AS (SELECT max(xid::text::bigint) AS xid FROM gone),
             mark AS (UPDATE feed SET pruned_below = greatest(pruned_below, (last.xid + 1)::text::xid8)
                        FROM last WHERE last.xid IS NOT NULL)
        SELECT count(*) FROM gone
        """,
        before,
        limit,
    )
    return count


def _recorded(row: Any) -> Recorded:
    return Recorded(
        cursor=EventCursor(epoch=row["epoch"], xid=row["event_xid"], position=row["position"]),
        kind=row["kind"],
        client_id=row["client_id"],
        payload=json.loads(row["payload"]),
        at=row["at"],
    )
