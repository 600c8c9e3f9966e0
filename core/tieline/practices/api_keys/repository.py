"""The SQL of API keys as the API lists and ends them; never their hashes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tieline.database import current
from tieline.errors import CursorInvalid
from tieline.events.place import FEED
from tieline.ids import ApiKeyId, PersonId, PracticeId
from tieline.pages import Keyset, Page, encode_cursor, page_of
from tieline.practices.repository import KeyRecord

_COLUMNS = (
    "k.id, k.name, k.prefix, k.person_id, k.scopes, k.created_at, k.expires_at, k.revoked_at, k.made_by, "
    "k.made_with, k.last_used_at"
)
_PAGE = f"""
SELECT {FEED},
       (SELECT count(*) FROM api_key AS k WHERE k.practice_id = $1 AND {{condition}}) AS total, page.*
  FROM feed
  LEFT JOIN LATERAL (
       SELECT {_COLUMNS} FROM api_key AS k WHERE k.practice_id = $1 AND {{condition}} AND {{after}}
        ORDER BY k.created_at DESC, k.id DESC LIMIT $2) AS page ON true
 ORDER BY page.created_at DESC, page.id DESC
"""
# Those that work of what was made with these, and with that, however far down: also by way of one that has ended.
_DESCENT = f"""
WITH RECURSIVE made AS (
     SELECT k.id FROM api_key AS k WHERE k.practice_id = $1 AND ({{begin}})
      UNION
     SELECT k.id FROM made JOIN api_key AS k ON k.practice_id = $1 AND k.made_with = made.id)
SELECT {_COLUMNS} FROM api_key AS k
 WHERE k.practice_id = $1 AND k.id IN (SELECT id FROM made) AND k.revoked_at IS NULL
   AND (k.expires_at IS NULL OR k.expires_at > $3) AND {{condition}}
 ORDER BY k.id FOR NO KEY UPDATE OF k
"""
_MADE_WITH = _DESCENT.format(begin="k.made_with = $2", condition="true")
_KNOWN_TO = _DESCENT.format(
    begin="k.made_by = $2 OR k.person_id = $2", condition="k.person_id IS DISTINCT FROM $2"
)
_COMES_FROM = """
WITH RECURSIVE above AS (
     SELECT k.made_with FROM api_key AS k WHERE k.practice_id = $1 AND k.id = $2
      UNION
     SELECT k.made_with FROM above JOIN api_key AS k ON k.practice_id = $1 AND k.id = above.made_with)
SELECT EXISTS (SELECT FROM above WHERE above.made_with = $3)
"""
_PRUNE = """
WITH old AS (SELECT k.id FROM api_key AS k WHERE least(k.revoked_at, k.expires_at) < $1
                AND NOT EXISTS (SELECT FROM api_key AS made
                                 WHERE made.practice_id = k.practice_id AND made.made_with = k.id)
              ORDER BY k.id LIMIT $2 FOR UPDATE SKIP LOCKED),
     gone AS (DELETE FROM api_key USING old WHERE api_key.id = old.id RETURNING 1)
SELECT count(*) FROM gone
"""


class KeyRepository:
    """The keys of one practice."""

    def __init__(self, practice_id: PracticeId) -> None:
        self._practice_id = practice_id

    @classmethod
    def of(cls, practice_id: PracticeId) -> KeyRepository:
        return cls(practice_id)

    async def page(
        self, person_id: PersonId | None, *, after: Keyset | None, first: int, listed: str
    ) -> Page[KeyRecord]:
        """This person's, or all, the latest first, of one moment. Raises CursorInvalid."""
        arguments: list[object] = [self._practice_id, first + 1]
        condition = "true"
        if person_id is not None:
            arguments.append(person_id)
            condition = f"k.person_id = ${len(arguments)}::uuid"
        sql = _PAGE.format(condition=condition, after=_after(after, arguments))
        rows = await current().rows(sql, *arguments)
        return page_of(rows, _key, lambda row: _cursor(listed, row), first=first, after=after)

    async def get(self, key_id: ApiKeyId, *, lock: bool = False) -> KeyRecord | None:
        row = await current().row(
            f"SELECT {_COLUMNS} FROM api_key AS k WHERE k.practice_id = $1 AND k.id = $2"
            + (" FOR NO KEY UPDATE OF k" if lock else ""),
            self._practice_id,
            key_id,
        )
        return _key(row) if row else None

    async def made_with(self, key_id: ApiKeyId, *, at: datetime) -> list[KeyRecord]:
        """Those that work and were made with this one, or with one that was, however far down; by id and locked."""
        rows = await current().rows(_MADE_WITH, self._practice_id, key_id, at)
        return [_key(row) for row in rows]

    async def comes_from(self, key_id: ApiKeyId, ancestor: ApiKeyId) -> bool:
        """Whether it was made with that one, or with one that was, however far up."""
        return bool(await current().value(_COMES_FROM, self._practice_id, key_id, ancestor))

    async def known_to(self, person_id: PersonId, *, at: datetime) -> list[KeyRecord]:
        """Those that work, act as others or as services, and whose secret this person may have seen; by id and locked.

        It made them, or they were made with such a one or with its own, however far down.
        """
        rows = await current().rows(_KNOWN_TO, self._practice_id, person_id, at)
        return [_key(row) for row in rows]

    async def count_working(self, person_id: PersonId | None, *, at: datetime) -> int:
        """How many keys of this person work, or of services."""
        count: int = await current().value(
            "SELECT count(*) FROM api_key AS k WHERE k.practice_id = $1 AND k.person_id IS NOT DISTINCT FROM $2::uuid "
            "AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $3)",
            self._practice_id,
            person_id,
            at,
        )
        return count


async def prune(*, before: datetime, limit: int) -> int:
    """Forget a batch of keys that ended before an instant, with which none was made that is kept. System scope."""
    count: int = await current().value(_PRUNE, before, limit)
    return count


def _after(after: Keyset | None, arguments: list[object]) -> str:
    """Below a cursor's instant and id. Raises CursorInvalid."""
    if after is None:
        return "true"
    try:
        at = datetime.fromisoformat(after.key).astimezone(UTC)
    except (ValueError, OverflowError) as broken:
        raise CursorInvalid from broken
    arguments += [at, after.id]
    return f"(k.created_at, k.id) < (${len(arguments) - 1}::timestamptz, ${len(arguments)}::uuid)"


def _cursor(listed: str, row: Any) -> str:
    return encode_cursor(listed, Keyset(key=row["created_at"].astimezone(UTC).isoformat(), id=row["id"]))


def _key(row: Any) -> KeyRecord:
    return KeyRecord(
        id=row["id"],
        name=row["name"],
        prefix=row["prefix"],
        person_id=row["person_id"],
        scopes=None if row["scopes"] is None else tuple(row["scopes"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        made_by=row["made_by"],
        made_with=row["made_with"],
        last_used_at=row["last_used_at"],
    )
