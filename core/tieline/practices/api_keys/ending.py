"""How keys end: told to whoever holds a line open by them, and kept as what somebody did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tieline.activity.kinds import ApiKeyRevoked
from tieline.ids import ApiKeyId, PersonId
from tieline.practices.api_keys.repository import KeyRepository
from tieline.practices.authority import TOPIC, change_authority
from tieline.practices.repository import KeyRecord, PracticeRepository
from tieline.work import Work


@dataclass(frozen=True, kw_only=True, slots=True)
class HandedOver:
    """What becomes of keys that somebody made for others, and whose secrets it may have kept.

    `revoked` acted as other people, and have ended; `remaining` work on, for what runs by them would stop.
    """

    revoked: tuple[KeyRecord, ...] = ()
    remaining: tuple[KeyRecord, ...] = ()


async def end_keys(work: Work, practice: PracticeRepository, keys: Sequence[KeyRecord]) -> None:
    """Under the practice's lock."""
    if not keys:
        return
    await practice.revoke_keys([key.id for key in keys], at=work.now)
    await change_authority(
        work, practice.practice_id, {key.person_id for key in keys if key.person_id is not None}
    )
    for key in keys:
        work.hint(TOPIC, key.id)
        work.did(ApiKeyRevoked(api_key_id=key.id, person_id=key.person_id))


async def end_keys_known_to(
    work: Work,
    practice: PracticeRepository,
    person_id: PersonId,
    *,
    calling: ApiKeyId | None,
    with_services: bool = False,
) -> HandedOver:
    """End what this person made that acts as others, and what was made with that; of services only where it is asked.

    The key that the caller comes by stays: without it there might be nobody left who comes in.
    """
    known = await KeyRepository.of(practice.practice_id).known_to(person_id, at=work.now)
    ends = [key for key in known if key.id != calling and (with_services or key.person_id is not None)]
    await end_keys(work, practice, ends)
    ended = {key.id for key in ends}
    remaining = tuple(key for key in known if key.id not in ended)
    return HandedOver(revoked=as_ended(ends, work.now), remaining=remaining)


def as_ended(keys: Sequence[KeyRecord], at: datetime) -> tuple[KeyRecord, ...]:
    return tuple(replace(key, revoked_at=at) for key in keys)
