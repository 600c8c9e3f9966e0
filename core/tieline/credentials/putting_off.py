"""Letting go while a provider has trouble: tried again at growing pauses, for a week, and then given up aloud."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tieline import clock
from tieline.errors import ProviderError, QuotaSpent, Throttled, TielineError
from tieline.ids import PracticeId
from tieline.log import fields_of, get_logger
from tieline.principal import Principal
from tieline.work import Actor, Again, retrying, unit_of_work

_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(hours=1)
_AT_MOST = timedelta(days=7)

log = get_logger(__name__)


def is_given_up(
    event: str, error: ProviderError, trouble_since: datetime | None, whose: Mapping[str, str]
) -> bool:
    """Whether the trouble has lasted too long; then this event tells the operator."""
    if trouble_since is None or trouble_since + _AT_MOST > clock.now():
        return False
    log.error(event, **whose, **fields_of(error))
    return True


@retrying
async def put_off(
    practice_id: PracticeId,
    actor: Actor,
    error: ProviderError,
    trouble_since: datetime | None,
    whose: Mapping[str, str],
) -> Again | None:
    """Try again when the provider says, else after as long again as the trouble has lasted, an hour at most.

    `whose` are the job's arguments, and in their order its key. From the first time on it knows since when there is
    trouble.
    """
    now = clock.now()
    log.warning("credential.not_let_go", actor=actor.name, **whose, **fields_of(error))
    due_at = now + pause_after(error, now - (trouble_since or now), at=now)
    if trouble_since is not None:
        return Again(due_at)
    arguments: dict[str, Any] = {
        **whose,
        "practice_id": str(practice_id),
        "trouble_since": now.isoformat(),
    }
    async with unit_of_work(Principal.machine(practice_id)) as work:
        work.enqueue(actor, key=":".join(whose.values()), due_at=due_at, **arguments)
    return None


def pause_after(error: TielineError, so_far: timedelta, *, at: datetime) -> timedelta:
    """How long to wait after this trouble, which has lasted for so long."""
    if isinstance(error, QuotaSpent):
        return max(error.resume_at - at, _FIRST_PAUSE)
    if isinstance(error, Throttled) and error.retry_after is not None:
        return max(error.retry_after, _FIRST_PAUSE)
    return min(max(so_far, _FIRST_PAUSE), _LONGEST_PAUSE)
