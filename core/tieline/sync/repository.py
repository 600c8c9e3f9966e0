"""The SQL of sync runs: at most one of an organisation is live, so asking again adds to it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tieline.database import current
from tieline.ids import CredentialId, OrganisationId, PersonId, PracticeId, RunId, new_id
from tieline.sync.runs import PARTIAL, WHOLE, Run, RunState, Trigger
from tieline.sync.standing import FeedState, Standing, dump_feeds, load_feeds
from tieline.work.actor import Lane

__all__ = [
    "Run",
    "RunRepository",
    "RunState",
    "Trigger",
    "WantedRun",
    "cancel_runs",
    "live_runs",
    "narrow_runs",
    "queue_runs",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class WantedRun:
    """Feeds of an organisation that are to be read through a credential, in this order."""

    organisation_id: OrganisationId
    credential_id: CredentialId
    feeds: tuple[str, ...]


COLUMNS = (
    "r.id, r.organisation_id, r.credential_id, r.feeds, r.trigger, r.state, r.lane, r.progress::text AS progress, "
    "r.limit_name, r.resume_at, r.reason, r.message, r.requested_by, r.created_at, r.changed_at, r.started_at, "
    "r.finished_at, (SELECT o.client_id FROM organisation AS o WHERE o.practice_id = r.practice_id "
    "AND o.id = r.organisation_id) AS client_id"
)
_STANDING = (
    "r.id, r.organisation_id, r.credential_id, r.state, r.trigger, r.lane, r.feeds, r.progress::text AS progress, "
    "r.limit_name, r.resume_at, r.reason, r.message, r.still_slices, r.trouble_since, r.told_limit, r.told_wait, "
    "r.started_at, r.finished_at"
)
_PARTIAL = sorted(each.value for each in PARTIAL)
_WHOLE = sorted(each.value for each in WHOLE)
_LIVE = "state IN ('QUEUED', 'RUNNING', 'PAUSED')"
# What was never read to its end is long, whoever asks for it. Settings that change and what comes by itself are one run
# that no longer shows that somebody asked, where that was a service: the lane does.
_QUEUE = f"""
INSERT INTO sync_run AS r
       (id, practice_id, organisation_id, credential_id, feeds, trigger, state, lane, requested_by, created_at,
        changed_at, progress)
SELECT w.id, $1, w.organisation_id, w.credential_id,
       ARRAY (SELECT jsonb_array_elements_text(w.feeds::jsonb)), $6::varchar, 'QUEUED',
       CASE WHEN w.organisation_id = ANY (ARRAY (
                 SELECT o.id FROM organisation AS o
                  WHERE o.practice_id = $1 AND o.id = ANY ($3::uuid[]) AND o.last_synced_at IS NULL))
            THEN 'FIRST' ELSE $9 END, $7, $8, $8,
       CASE WHEN $6::varchar = 'WEBHOOK' THEN (
            SELECT jsonb_object_agg(t.feed, jsonb_build_object('touched', true))
              FROM jsonb_array_elements_text(w.feeds::jsonb) AS t (feed)) ELSE jsonb_build_object() END
  FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[]) AS w (id, organisation_id, credential_id, feeds)
 ORDER BY w.organisation_id
    ON CONFLICT (practice_id, organisation_id) WHERE {_LIVE}
    DO UPDATE SET credential_id = excluded.credential_id, changed_at = excluded.changed_at,
                  trigger = CASE WHEN r.trigger = ANY ($10::text[])
                                   OR r.lane = 'BACKGROUND' AND r.trigger <> ALL ($11::text[])
                                      AND excluded.trigger = ANY ($11::text[])
                                   OR r.trigger = 'SCHEDULE' AND excluded.trigger <> ALL ($10::text[])
                                 THEN excluded.trigger ELSE r.trigger END,
                  requested_by = coalesce(r.requested_by, excluded.requested_by),
                  lane = CASE WHEN excluded.lane = 'INTERACTIVE'
                                OR r.trigger = 'SETTINGS' AND excluded.trigger IN ('SCHEDULE', 'WEBHOOK')
                                OR r.trigger = 'SCHEDULE' AND excluded.trigger = 'SETTINGS'
                              THEN 'INTERACTIVE' ELSE r.lane END,
                  feeds = r.feeds || ARRAY (SELECT n.feed FROM unnest(excluded.feeds) WITH ORDINALITY AS n (feed, nth)
                                             WHERE n.feed <> ALL (r.feeds) ORDER BY n.nth)
RETURNING {COLUMNS}
"""
_CANCEL = f"""
UPDATE sync_run AS r SET state = 'CANCELLED', reason = $3, changed_at = $4, finished_at = $4, message = NULL,
                         limit_name = NULL, resume_at = NULL
  FROM (SELECT id FROM sync_run WHERE practice_id = $1 AND organisation_id = ANY ($2::uuid[]) AND {_LIVE}
         ORDER BY organisation_id FOR NO KEY UPDATE) AS live
 WHERE r.practice_id = $1 AND r.id = live.id
RETURNING {COLUMNS}
"""
_NARROW = f"""
UPDATE sync_run AS r SET credential_id = w.credential_id, changed_at = $5,
                         feeds = ARRAY (SELECT jsonb_array_elements_text(w.feeds::jsonb))
  FROM (SELECT id, organisation_id FROM sync_run
         WHERE practice_id = $1 AND organisation_id = ANY ($2::uuid[]) AND {_LIVE}
         ORDER BY organisation_id FOR NO KEY UPDATE) AS live,
       unnest($2::uuid[], $3::uuid[], $4::text[]) AS w (organisation_id, credential_id, feeds)
 WHERE r.practice_id = $1 AND r.id = live.id AND w.organisation_id = live.organisation_id
RETURNING {COLUMNS}
"""
_SAVE = """
UPDATE sync_run SET state = $3, feeds = $4, progress = $5::jsonb, limit_name = $6, resume_at = $7, reason = $8,
       message = $9, still_slices = $10, trouble_since = $11, started_at = $12, finished_at = $13, changed_at = $14,
       told_limit = $15, told_wait = $16
 WHERE practice_id = $1 AND id = $2
"""
_FAILURES = """
SELECT count(*) FROM sync_run AS r
 WHERE r.practice_id = $1 AND r.organisation_id = $2 AND r.state = 'FAILED'
   AND r.trigger <> ALL ($3::text[]) AND r.created_at > coalesce(
       (SELECT max(s.created_at) FROM sync_run AS s
         WHERE s.practice_id = $1 AND s.organisation_id = $2 AND s.state = 'SUCCEEDED'
           AND s.trigger <> ALL ($3::text[])), '-infinity')
"""


class RunRepository:
    """Runs of one practice, for those who work them. Their organisation is locked first, in some mode."""

    def __init__(self, practice_id: PracticeId) -> None:
        self.practice_id = practice_id

    @classmethod
    def of(cls, practice_id: PracticeId) -> RunRepository:
        return cls(practice_id)

    async def organisation_of(self, run_id: RunId) -> OrganisationId | None:
        found: OrganisationId | None = await current().value(
            "SELECT organisation_id FROM sync_run WHERE practice_id = $1 AND id = $2",
            self.practice_id,
            run_id,
        )
        return found

    async def keep_organisation(self, organisation_id: OrganisationId) -> bool:
        """Whether the organisation is there; then nobody who locks it to change it comes in between."""
        found = await current().value(
            "SELECT true FROM organisation WHERE practice_id = $1 AND id = $2 FOR KEY SHARE",
            self.practice_id,
            organisation_id,
        )
        return found is not None

    async def lock(self, run_id: RunId) -> Standing | None:
        """Where a live run stands, locked until the transaction ends; None once it is over."""
        row = await current().row(
            f"SELECT {_STANDING} FROM sync_run AS r WHERE r.practice_id = $1 AND r.id = $2 AND r.{_LIVE} "
            "FOR NO KEY UPDATE",
            self.practice_id,
            run_id,
        )
        return _standing(row) if row else None

    async def put(self, standing: Standing, *, at: datetime) -> None:
        """Write where a locked run stands now."""
        await current().run(
            _SAVE,
            self.practice_id,
            standing.id,
            standing.state.value,
            list(standing.wanted),
            dump_feeds(standing.feeds),
            standing.limit_name,
            standing.resume_at,
            standing.reason,
            standing.message,
            standing.still_slices,
            standing.trouble_since,
            standing.started_at,
            standing.finished_at,
            at,
            standing.told_limit,
            standing.told_wait,
        )

    async def failures_in_a_row(self, organisation_id: OrganisationId) -> int:
        """How many of the organisation's runs have failed since one succeeded, not counting those of some feeds."""
        number: int = await current().value(_FAILURES, self.practice_id, organisation_id, _PARTIAL)
        return number


async def queue_runs(
    practice_id: PracticeId,
    wanted: Iterable[WantedRun],
    *,
    trigger: Trigger,
    person_id: PersonId | None,
    at: datetime,
    lane: Lane = Lane.BACKGROUND,
) -> list[Run]:
    """See to it that each organisation has a live run that reads these feeds, through this credential from now on.

    Asked for again, the run that is live gets the feeds it lacks, and the lane INTERACTIVE if that is asked for; one
    of some feeds, or that was due by itself, becomes what it is asked for, and what a webhook asked for still reads
    what was touched. What changed settings ask for has the lane INTERACTIVE once it is one with what comes by itself.
    In the background it becomes one that leaves nothing out, where that is asked for. The
    organisations are locked; one that was never read to its end has the lane FIRST.
    """
    merged = _merged(wanted)
    if not merged:
        return []
    rows = await current().rows(
        _QUEUE,
        practice_id,
        [new_id() for _ in merged],
        [run.organisation_id for run in merged],
        [run.credential_id for run in merged],
        [json.dumps(run.feeds) for run in merged],
        trigger.value,
        person_id,
        at,
        lane.value,
        _PARTIAL,
        _WHOLE,
    )
    return [run_of(row) for row in rows]


async def cancel_runs(
    practice_id: PracticeId,
    *,
    organisation_ids: Collection[OrganisationId],
    reason: str,
    at: datetime,
) -> list[Run]:
    """End the live runs of these locked organisations, with a reason of at most 32 characters."""
    rows = await current().rows(_CANCEL, practice_id, list(organisation_ids), reason, at)
    return [run_of(row) for row in rows]


async def narrow_runs(practice_id: PracticeId, wanted: Collection[WantedRun], *, at: datetime) -> list[Run]:
    """Have the live runs of these locked organisations read these feeds and no others, through this credential."""
    rows = await current().rows(
        _NARROW,
        practice_id,
        [run.organisation_id for run in wanted],
        [run.credential_id for run in wanted],
        [json.dumps(run.feeds) for run in wanted],
        at,
    )
    return [run_of(row) for row in rows]


async def live_runs(practice_id: PracticeId, organisation_ids: Collection[OrganisationId]) -> list[Run]:
    """The live runs of these organisations."""
    rows = await current().rows(
        f"SELECT {COLUMNS} FROM sync_run AS r WHERE r.practice_id = $1 AND r.organisation_id = ANY ($2::uuid[]) "
        f"AND r.{_LIVE}",
        practice_id,
        list(organisation_ids),
    )
    return [run_of(row) for row in rows]


async def set_next_syncs(
    practice_id: PracticeId, due: Mapping[OrganisationId, datetime], *, only_sooner: bool = False
) -> None:
    """When each of these locked organisations is due next; `only_sooner` puts nothing off."""
    await current().run(
        "UPDATE organisation AS o SET next_sync_at = CASE WHEN $4 THEN least(o.next_sync_at, n.at) ELSE n.at END "
        "FROM unnest($2::uuid[], $3::timestamptz[]) AS n (id, at) WHERE o.practice_id = $1 AND o.id = n.id",
        practice_id,
        list(due),
        list(due.values()),
        only_sooner,
    )


async def set_synced(practice_id: PracticeId, organisation_id: OrganisationId, *, at: datetime) -> None:
    """The locked organisation's books are read to their end as of now."""
    await current().run(
        "UPDATE organisation SET last_synced_at = $3 WHERE practice_id = $1 AND id = $2",
        practice_id,
        organisation_id,
        at,
    )


def run_of(row: Any) -> Run:
    """The record of a row that holds `COLUMNS`."""
    state, feeds = RunState(row["state"]), load_feeds(row["progress"])
    is_paused = state is RunState.PAUSED
    return Run(
        id=row["id"],
        organisation_id=row["organisation_id"],
        client_id=row["client_id"],
        credential_id=row["credential_id"],
        state=state,
        trigger=Trigger(row["trigger"]),
        lane=Lane(row["lane"]),
        limit_name=row["limit_name"] if is_paused else None,
        resume_at=row["resume_at"] if is_paused else None,
        reason=row["reason"],
        message=row["message"],
        feeds=tuple((feeds.get(name) or FeedState()).shown(name) for name in row["feeds"]),
        requested_by=row["requested_by"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
    )


def _standing(row: Any) -> Standing:
    fields = dict(row)
    progress, wanted = fields.pop("progress"), fields.pop("feeds")
    return Standing(
        **{
            **fields,
            "state": RunState(row["state"]),
            "trigger": Trigger(row["trigger"]),
            "lane": Lane(row["lane"]),
            "feeds": load_feeds(progress),
        },
        wanted=tuple(wanted),
    )


def _merged(wanted: Iterable[WantedRun]) -> list[WantedRun]:
    """One for each organisation: the feeds of all, the credential of the last."""
    merged: dict[OrganisationId, WantedRun] = {}
    for run in wanted:
        before = merged[run.organisation_id].feeds if run.organisation_id in merged else ()
        merged[run.organisation_id] = WantedRun(
            organisation_id=run.organisation_id,
            credential_id=run.credential_id,
            feeds=tuple(dict.fromkeys((*before, *run.feeds))),
        )
    return list(merged.values())
