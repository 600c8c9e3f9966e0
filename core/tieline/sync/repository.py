"""The SQL of sync runs: at most one of an organisation is live, so asking again adds to it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from tieline.database import current
from tieline.ids import CredentialId, OrganisationId, PersonId, PracticeId, RunId, new_id


class Trigger(StrEnum):
    """Why a run was asked for."""

    CONNECT = "CONNECT"
    RECONNECT = "RECONNECT"
    RESTORED = "RESTORED"


class RunState(StrEnum):
    """How far a run is; the first, second and fourth are live."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    PAUSED = "PAUSED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, kw_only=True, slots=True)
class WantedRun:
    """Feeds of an organisation that are to be read through a credential, in this order."""

    organisation_id: OrganisationId
    credential_id: CredentialId
    feeds: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One bringing up to date of one organisation."""

    id: RunId
    organisation_id: OrganisationId
    credential_id: CredentialId
    feeds: tuple[str, ...]
    trigger: str
    state: RunState
    reason: str | None
    requested_by: PersonId | None
    created_at: datetime
    changed_at: datetime


_COLUMNS = (
    "r.id, r.organisation_id, r.credential_id, r.feeds, r.trigger, r.state, r.reason, r.requested_by, "
    "r.created_at, r.changed_at"
)
_LIVE = "state IN ('QUEUED', 'RUNNING', 'PAUSED')"
_QUEUE = f"""
INSERT INTO sync_run AS r
       (id, practice_id, organisation_id, credential_id, feeds, trigger, state, requested_by, created_at, changed_at)
SELECT w.id, $1, w.organisation_id, w.credential_id,
       ARRAY (SELECT jsonb_array_elements_text(w.feeds::jsonb)), $6, 'QUEUED', $7, $8, $8
  FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[]) AS w (id, organisation_id, credential_id, feeds)
 ORDER BY w.organisation_id
    ON CONFLICT (practice_id, organisation_id) WHERE {_LIVE}
    DO UPDATE SET credential_id = excluded.credential_id, changed_at = excluded.changed_at,
                  feeds = r.feeds || ARRAY (SELECT n.feed FROM unnest(excluded.feeds) WITH ORDINALITY AS n (feed, nth)
                                             WHERE n.feed <> ALL (r.feeds) ORDER BY n.nth)
RETURNING {_COLUMNS}
"""
_CANCEL = f"""
UPDATE sync_run AS r SET state = 'CANCELLED', reason = $3, changed_at = $4
  FROM (SELECT id FROM sync_run WHERE practice_id = $1 AND {{which}} AND {_LIVE} ORDER BY id FOR NO KEY UPDATE) AS live
 WHERE r.id = live.id
RETURNING {_COLUMNS}
"""


async def queue_runs(
    practice_id: PracticeId,
    wanted: Iterable[WantedRun],
    *,
    trigger: Trigger,
    person_id: PersonId | None,
    at: datetime,
) -> list[Run]:
    """See to it that each organisation has a live run that reads these feeds, through this credential from now on.

    Asked for again, the run that is live gets the feeds it lacks. The organisations are locked.
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
    )
    return [_run(row) for row in rows]


async def cancel_runs(
    practice_id: PracticeId,
    *,
    organisation_ids: Collection[OrganisationId] | None = None,
    credential_id: CredentialId | None = None,
    reason: str,
    at: datetime,
) -> list[Run]:
    """End the live runs of these organisations, or else of this credential, with a reason of at most 32 characters."""
    if organisation_ids is not None:
        which, argument = "organisation_id = ANY ($2::uuid[])", list(organisation_ids)
        rows = await current().rows(_CANCEL.format(which=which), practice_id, argument, reason, at)
    else:
        which = "credential_id = $2"
        rows = await current().rows(_CANCEL.format(which=which), practice_id, credential_id, reason, at)
    return [_run(row) for row in rows]


async def live_runs(practice_id: PracticeId, organisation_ids: Collection[OrganisationId]) -> list[Run]:
    """The live run of each of these organisations that has one."""
    rows = await current().rows(
        f"SELECT {_COLUMNS} FROM sync_run AS r WHERE r.practice_id = $1 AND r.organisation_id = ANY ($2::uuid[]) "
        f"AND r.{_LIVE}",
        practice_id,
        list(organisation_ids),
    )
    return [_run(row) for row in rows]


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


def _run(row: Any) -> Run:
    return Run(
        id=row["id"],
        organisation_id=row["organisation_id"],
        credential_id=row["credential_id"],
        feeds=tuple(row["feeds"]),
        trigger=row["trigger"],
        state=RunState(row["state"]),
        reason=row["reason"],
        requested_by=row["requested_by"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
    )
