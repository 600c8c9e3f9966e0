"""The SQL of feeds' cursors: what to ask a feed of an organisation for next, and its latest snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tieline.database import current
from tieline.ids import OrganisationId, PracticeId
from tieline.plugins import Feed, FeedKind


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedPlace:
    """`cursor` is what was stored with the latest page. `generation` is the latest snapshot's, finished or not."""

    cursor: str | None = None
    generation: int = 0


_STORE = """
INSERT INTO feed_cursor AS f (practice_id, organisation_id, feed, cursor, generation, full_read_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (practice_id, organisation_id, feed)
    DO UPDATE SET cursor = excluded.cursor, generation = excluded.generation, updated_at = excluded.updated_at,
                  full_read_at = coalesce(CASE WHEN $8 THEN f.full_read_at END, excluded.full_read_at, f.full_read_at)
"""


class FeedRepository:
    """The feeds of one practice's organisations."""

    def __init__(self, practice_id: PracticeId) -> None:
        self.practice_id = practice_id

    @classmethod
    def of(cls, practice_id: PracticeId) -> FeedRepository:
        return cls(practice_id)

    async def places(self, organisation_id: OrganisationId) -> dict[str, FeedPlace]:
        """Where each feed that was ever read stands."""
        rows = await current().rows(
            "SELECT feed, cursor, generation FROM feed_cursor WHERE practice_id = $1 AND organisation_id = $2",
            self.practice_id,
            organisation_id,
        )
        return {row["feed"]: FeedPlace(cursor=row["cursor"], generation=row["generation"]) for row in rows}

    async def store(
        self, organisation_id: OrganisationId, feed: Feed, place: FeedPlace, *, is_over: bool, at: datetime
    ) -> None:
        """Keep where the feed stands; `is_over`: its reading has come to its end.

        Everything was read by every snapshot, and by the first reading of changes.
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
