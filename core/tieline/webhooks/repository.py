"""The SQL of webhooks: events that were taken down once, feeds that wait to be read."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from tieline.database import current
from tieline.ids import AppId, OrganisationId, PracticeId

# Those who make a run of what was touched hold the organisation, so nothing is touched in between.
_CONCERNED = """
SELECT o.id, o.external_id FROM organisation AS o
 WHERE o.practice_id = $1 AND o.provider = $2 AND o.environment = $3 AND o.external_id = ANY ($4::text[])
   AND o.client_id IS NOT NULL
 ORDER BY o.id FOR KEY SHARE
"""
_TAKE_DOWN = """
INSERT INTO webhook_event (practice_id, provider_app_id, key, received_at)
SELECT $1, $2, told.key, $4 FROM unnest($3::bytea[]) AS told (key) ORDER BY told.key
    ON CONFLICT DO NOTHING
RETURNING key
"""
_TOUCH = """
INSERT INTO webhook_touch (practice_id, organisation_id, feed, touched_at)
SELECT $1, t.organisation_id, t.feed, $4 FROM unnest($2::uuid[], $3::text[]) AS t (organisation_id, feed)
 ORDER BY t.organisation_id, t.feed
    ON CONFLICT DO NOTHING
"""
_PRUNE = """
WITH old AS (
     SELECT practice_id, provider_app_id, key FROM webhook_event
      WHERE received_at < $1 ORDER BY received_at LIMIT $2 FOR UPDATE SKIP LOCKED)
DELETE FROM webhook_event AS e USING old
 WHERE e.practice_id = old.practice_id AND e.provider_app_id = old.provider_app_id AND e.key = old.key
"""


class WebhookRepository:
    """What was told to one practice."""

    def __init__(self, practice_id: PracticeId) -> None:
        self.practice_id = practice_id

    @classmethod
    def of(cls, practice_id: PracticeId) -> WebhookRepository:
        return cls(practice_id)

    async def concerned(
        self, provider: str, environment: str, external_ids: Collection[str]
    ) -> dict[str, OrganisationId]:
        """Of these organisations those that serve a client, by the provider's id; nobody locks them meanwhile."""
        rows = await current().rows(_CONCERNED, self.practice_id, provider, environment, sorted(external_ids))
        return {row["external_id"]: row["id"] for row in rows}

    async def take_down(self, app_id: AppId, keys: Collection[bytes], *, at: datetime) -> frozenset[bytes]:
        """Remember these events: those that were not known before."""
        rows = await current().rows(_TAKE_DOWN, self.practice_id, app_id, sorted(keys), at)
        return frozenset(row["key"] for row in rows)

    async def touch(self, touched: Collection[tuple[OrganisationId, str]], *, at: datetime) -> None:
        """These feeds of organisations wait to be read."""
        organisations, feeds = [each for each, _ in touched], [feed for _, feed in touched]
        await current().run(_TOUCH, self.practice_id, organisations, feeds, at)

    async def touched(self, organisation_id: OrganisationId) -> frozenset[str]:
        """The feeds of the locked organisation that wait to be read."""
        rows = await current().rows(
            "SELECT feed FROM webhook_touch WHERE practice_id = $1 AND organisation_id = $2",
            self.practice_id,
            organisation_id,
        )
        return frozenset(row["feed"] for row in rows)

    async def touched_organisations(self) -> list[OrganisationId]:
        """Those of which some feed waits to be read."""
        rows = await current().rows(
            "SELECT DISTINCT organisation_id FROM webhook_touch WHERE practice_id = $1", self.practice_id
        )
        return [row["organisation_id"] for row in rows]

    async def forget_touched(self, organisation_id: OrganisationId) -> None:
        await current().run(
            "DELETE FROM webhook_touch WHERE practice_id = $1 AND organisation_id = $2",
            self.practice_id,
            organisation_id,
        )

    async def served(self, provider: str) -> int:
        """How many organisations of the provider serve a client: those that share the app's limits."""
        number: int = await current().value(
            "SELECT count(*) FROM organisation WHERE practice_id = $1 AND provider = $2 AND client_id IS NOT NULL",
            self.practice_id,
            provider,
        )
        return number

    async def last_sync(self, organisation_id: OrganisationId, *, trigger: str) -> datetime | None:
        """When the last run of the organisation was asked for that has this trigger."""
        at: datetime | None = await current().value(
            "SELECT created_at FROM sync_run WHERE practice_id = $1 AND organisation_id = $2 AND trigger = $3 "
            "ORDER BY created_at DESC LIMIT 1",
            self.practice_id,
            organisation_id,
            trigger,
        )
        return at


async def prune_events(*, before: datetime, limit: int) -> int:
    """Forget a batch of what was told before an instant; how many. System scope."""
    return await current().run(_PRUNE, before, limit)
