"""When somebody looks what a credential reaches: daily, by a job that goes on by itself, or at once by another.

Each has a key of its own, so that neither takes the other's place: the daily one may be amid its tries.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tieline.credentials.actors import check_reach
from tieline.ids import CredentialId, PracticeId
from tieline.work import Work

Place = Mapping[str, str | bool]
"""Where a look that has begun goes on; arguments of the job."""


def look_daily(
    work: Work,
    practice_id: PracticeId,
    credential_id: CredentialId,
    *,
    due_at: datetime,
    place: Place | None = None,
) -> None:
    """From then on."""
    _look(work, practice_id, credential_id, key=str(credential_id), due_at=due_at, **place or {})


def look_at_once(
    work: Work,
    practice_id: PracticeId,
    credential_id: CredentialId,
    *,
    due_at: datetime,
    place: Place | None = None,
) -> None:
    """The same once, for somebody who waits for it."""
    key = f"{credential_id}:at_once"
    _look(work, practice_id, credential_id, key=key, due_at=due_at, at_once=True, **place or {})


def _look(work: Work, practice_id: PracticeId, credential_id: CredentialId, **job: Any) -> None:
    work.enqueue(check_reach, practice_id=str(practice_id), credential_id=str(credential_id), **job)
