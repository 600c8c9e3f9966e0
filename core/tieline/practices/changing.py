"""What is changed of a practice itself: by its admins its name and the life of consents, by the operator its plan."""

from __future__ import annotations

from dataclasses import dataclass

from tieline.activity.kinds import PracticeChanged
from tieline.errors import Invalid
from tieline.ids import PracticeId
from tieline.inputs import read_all
from tieline.names import clean_name
from tieline.practices.authority import hold_practice
from tieline.practices.plan import Plan
from tieline.practices.repository import Practice, PracticeRepository
from tieline.principal import Principal
from tieline.work import retrying, unit_of_work

MAX_CONSENT_DAYS = 3_650


@dataclass(frozen=True, kw_only=True, slots=True)
class PracticeChange:
    """What is to be otherwise. A `name` of None leaves it; consents are left unless `sets_consent_life`."""

    name: str | None = None
    sets_consent_life: bool = False
    consent_life_days: int | None = None


@retrying
async def update_practice(principal: Principal, change: PracticeChange) -> Practice:
    """Raises Forbidden, Invalid and SeveralInvalid; the same again changes nothing."""
    principal.require_admin()
    name = _checked_name(change)
    async with unit_of_work(principal) as work:
        practice = await hold_practice(work, principal)
        standing = await practice.get()
        changed: list[str] = []
        if name is not None and name != standing.name:
            await practice.rename(name)
            changed.append("name")
        if change.sets_consent_life and change.consent_life_days != standing.consent_life_days:
            await practice.set_consent_life(change.consent_life_days)
            changed.append("consentLifeDays")
        if not changed:
            return standing

        now = await practice.get()
        work.did(
            PracticeChanged(
                practice_id=now.id, changed=tuple(changed), consent_life_days=now.consent_life_days
            )
        )
    return now


def _checked_name(change: PracticeChange) -> str | None:
    """The name as it is kept, None for none. Raises Invalid, and SeveralInvalid where both do not fit."""
    name, _ = read_all(
        lambda: None if change.name is None else clean_name(change.name, field="name"),
        lambda: check_consent_life(change.consent_life_days, field="consentLifeDays"),
    )
    return name


@retrying
async def set_plan(practice_id: PracticeId, plan: Plan) -> None:
    """For the operator. Teams that clients have stay with them; without ADVANCED no other one is assigned."""
    async with unit_of_work(Principal.machine(practice_id)):
        await PracticeRepository.of(practice_id).set_plan(plan)


def check_consent_life(days: int | None, *, field: str) -> None:
    """Raises Invalid (less than a day, more than ten years): the sweeps of all practices reckon with it."""
    if days is not None and not 0 < days <= MAX_CONSENT_DAYS:
        raise Invalid(f"A consent lasts 1 to {MAX_CONSENT_DAYS} days, or it does not run out.", field=field)
