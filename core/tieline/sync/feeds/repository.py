"""The SQL of feeds' cursors: what to ask a feed of an organisation for next, and its latest snapshot."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime

from tieline.database import current
from tieline.ids import OrganisationId, PracticeId
from tieline.plugins import Feed, FeedKind


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedPlace:
    """`cursor` is what was stored with the latest page. `generation` is that of the latest reading of everything,
    finished or not.

    `full_read_at` is when a reading of everything last ended, None while one is under way; unless it is None,
    `read_at` is when any reading last did. `full_read_began_at` is when everything was last begun anew: once that has
    ended, nothing is set aside from before. `set_aside_at` is that of the record which has been set aside longest.
    """

    cursor: str | None = None
    generation: int = 0
    read_at: datetime | None = None
    full_read_at: datetime | None = None
    full_read_began_at: datetime | None = None
    set_aside_at: datetime | None = None


_PLACES = """
SELECT f.feed, f.cursor, f.generation, f.updated_at AS read_at, f.full_read_at, f.full_read_began_at,
       (SELECT min(s.at) FROM record_set_aside AS s
         WHERE s.practice_id = f.practice_id AND s.organisation_id = f.organisation_id
           AND s.feed = f.feed) AS set_aside_at
  FROM feed_cursor AS f WHERE f.practice_id = $1 AND f.organisation_id = $2
"""
_STORE = """
INSERT INTO feed_cursor AS f (practice_id, organisation_id, feed, cursor, generation, full_read_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (practice_id, organisation_id, feed)
    DO UPDATE SET cursor = excluded.cursor, generation = excluded.generation,
                  updated_at = CASE WHEN $6::timestamptz IS NULL THEN f.updated_at ELSE excluded.updated_at END,
                  full_read_at = coalesce(CASE WHEN $8 THEN f.full_read_at END, excluded.full_read_at, f.full_read_at)
"""


class FeedRepository:
    """The feeds of one practice's organisations."""

    def __init__(self, practice_id: PracticeId) -> None:
        self.practice_id = practice_id

    @classmethod
    def of(cls, practice_id: PracticeId) -> FeedRepository:
        return cls(practice_id)

    async def places(self, organisation_id: OrganisationId) -> defaultdict[str, FeedPlace]:
        """Where each feed stands."""
        rows = await current().rows(_PLACES, self.practice_id, organisation_id)
        places = [dict(row) for row in rows]
        return defaultdict(FeedPlace, {place.pop("feed"): FeedPlace(**place) for place in places})

    async def begin_anew(
        self, organisation_id: OrganisationId, feed: Feed, place: FeedPlace, *, at: datetime
    ) -> FeedPlace:
        """Have everything of the feed read, as if for the first time: where it stands then."""
        await current().run(
            "UPDATE feed_cursor SET cursor = NULL, full_read_at = NULL, full_read_began_at = $4 "
            "WHERE practice_id = $1 AND organisation_id = $2 AND feed = $3",
            self.practice_id,
            organisation_id,
            feed.name,
            at,
        )
        return replace(place, cursor=None, full_read_at=None, full_read_began_at=at)

    async def store(
        self, organisation_id: OrganisationId, feed: Feed, place: FeedPlace, *, is_over: bool, at: datetime
    ) -> None:
        """Keep where the feed stands; `is_over`: its reading has come to its end.

        Then, and only then, `updated_at` moves. Everything was read by every snapshot, and by a reading of changes that
        began without a cursor.
        """
        await current().run(
            _STORE,
            self.practice_id,
            organisation_id,
            feed.name,
            place.cursor,
            place.generation,
            at if is_over else None,
            at,
            feed.kind is FeedKind.CHANGES,
        )
