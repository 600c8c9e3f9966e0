"""The SQL of activity: added with what was done, never changed, read the latest first, forgotten by age."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tieline.activity.kinds import Entry
from tieline.database import Scope, current
from tieline.errors import CursorInvalid
from tieline.events.place import FEED
from tieline.ids import ApiKeyId, ClientId, PersonId, PracticeId
from tieline.pages import Keyset, Page, encode_cursor, page_of


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyUsed:
    """The API key that something was done with."""

    id: ApiKeyId
    name: str
    prefix: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Activity:
    """Something that was done. By a service where there is no person; `key` None: it was done without one."""

    at: datetime
    kind: str
    person_id: PersonId | None
    key: KeyUsed | None
    client_id: ClientId | None
    subject_id: UUID | None
    details: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Doer:
    """A person, by a key or not, or the key of a service."""

    person_id: PersonId | None
    api_key_id: ApiKeyId | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ActivityQuery:
    """What a list shows; a filter that is None or empty leaves all. From `since` on, and before `until`."""

    person_id: PersonId | None = None
    client_id: ClientId | None = None
    api_key_id: ApiKeyId | None = None
    kinds: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None


_INSERT = """
INSERT INTO activity (practice_id, at, correlation_id, person_id, api_key_id, kind, client_id, subject_id, details)
SELECT $1, $2, $3, $4::uuid, $5::uuid, e.kind, e.client_id, e.subject_id, e.details::jsonb
  FROM unnest($6::text[], $7::uuid[], $8::uuid[], $9::text[]) WITH ORDINALITY
       AS e (kind, client_id, subject_id, details, nth)
 ORDER BY e.nth
"""
_PAGE = f"""
SELECT {FEED},
       (SELECT count(*) FROM activity AS a WHERE a.practice_id = $1 AND {{condition}}) AS total, page.*,
       used.key_name, used.key_prefix
  FROM feed
  LEFT JOIN LATERAL (
       SELECT a.position, a.at, a.kind, a.person_id, a.api_key_id, a.client_id, a.subject_id,
              a.details::text AS details
         FROM activity AS a WHERE a.practice_id = $1 AND {{condition}} AND {{after}}
        ORDER BY a.at DESC, a.position DESC LIMIT {{limit}}) AS page ON true
  LEFT JOIN LATERAL (
       SELECT k.name AS key_name, k.prefix AS key_prefix FROM api_key AS k
        WHERE k.practice_id = $1 AND k.id = page.api_key_id LIMIT 1) AS used ON true
 ORDER BY page.at DESC, page.position DESC
"""
_KNOWS_CLIENT = """
SELECT EXISTS (SELECT FROM client WHERE practice_id = $1 AND id = $2)
    OR EXISTS (SELECT FROM activity WHERE practice_id = $1 AND client_id = $2)
"""


async def insert_activity(
    scope: Scope, doer: Doer, done: Sequence[Entry], *, at: datetime, correlation_id: str
) -> None:
    """Write down what somebody did in one unit of work with one statement, in its order."""
    await scope.run(
        _INSERT,
        scope.practice_id,
        at,
        correlation_id,
        doer.person_id,
        doer.api_key_id,
        [entry.kind for entry in done],
        [entry.client_id for entry in done],
        [entry.subject_id for entry in done],
        [json.dumps(entry.details) for entry in done],
    )


class ActivityRepository:
    """What was done in one practice."""

    def __init__(self, practice_id: PracticeId) -> None:
        self._practice_id = practice_id

    @classmethod
    def of(cls, practice_id: PracticeId) -> ActivityRepository:
        return cls(practice_id)

    async def page(
        self, query: ActivityQuery, *, after: Keyset | None, first: int, listed: str
    ) -> Page[Activity]:
        """One page, the total and the event cursor, in one statement and so of one moment. Raises CursorInvalid."""
        arguments: list[object] = [self._practice_id]
        condition = _condition(query, arguments)
        place = _after(after, arguments)
        arguments.append(first + 1)
        sql = _PAGE.format(condition=condition, after=place, limit=f"${len(arguments)}")
        rows = await current().rows(sql, *arguments)
        return page_of(
            rows, _activity, lambda row: _cursor(listed, row), first=first, after=after, id="position"
        )

    async def knows_client(self, client_id: ClientId) -> bool:
        """Whether the practice has this client, or had it and something was done to it."""
        return bool(await current().value(_KNOWS_CLIENT, self._practice_id, client_id))


async def prune(*, before: datetime, limit: int) -> int:
    """Forget a batch of what was done before an instant. System scope."""
    count: int = await current().value(
        """
        WITH old AS (SELECT position FROM activity WHERE at < $1
                      ORDER BY at, position LIMIT $2 FOR UPDATE SKIP LOCKED),
             gone AS (DELETE FROM activity USING old WHERE activity.position = old.position RETURNING 1)
        SELECT count(*) FROM gone
        """,
        before,
        limit,
    )
    return count


def _condition(query: ActivityQuery, arguments: list[object]) -> str:
    """The filters as SQL, their values added to the arguments."""
    wanted: dict[str, object] = {
        "a.person_id = {}::uuid": query.person_id,
        "a.client_id = {}::uuid": query.client_id,
        "a.api_key_id = {}::uuid": query.api_key_id,
        "a.kind = ANY ({}::text[])": sorted(query.kinds) or None,
        "a.at >= {}::timestamptz": query.since,
        "a.at < {}::timestamptz": query.until,
    }
    conditions = ["true"]
    for condition, value in wanted.items():
        if value is not None:
            arguments.append(value)
            conditions.append(condition.format(f"${len(arguments)}"))
    return " AND ".join(conditions)


def _after(after: Keyset | None, arguments: list[object]) -> str:
    """Below a cursor's instant and position, which stands where other lists have an id. Raises CursorInvalid."""
    if after is None:
        return "true"
    try:
        at = datetime.fromisoformat(after.key).astimezone(UTC)
    except (ValueError, OverflowError) as broken:
        raise CursorInvalid from broken
    if after.id.int >= 2**63:
        raise CursorInvalid
    arguments += [at, after.id.int]
    return f"(a.at, a.position) < (${len(arguments) - 1}::timestamptz, ${len(arguments)}::bigint)"


def _cursor(listed: str, row: Any) -> str:
    key = row["at"].astimezone(UTC).isoformat()
    return encode_cursor(listed, Keyset(key=key, id=UUID(int=row["position"])))


def _activity(row: Any) -> Activity:
    return Activity(
        at=row["at"],
        kind=row["kind"],
        person_id=row["person_id"],
        key=_key_used(row),
        client_id=row["client_id"],
        subject_id=row["subject_id"],
        details=json.loads(row["details"]),
    )


def _key_used(row: Any) -> KeyUsed | None:
    if row["key_name"] is None:
        return None
    return KeyUsed(id=row["api_key_id"], name=row["key_name"], prefix=row["key_prefix"])
