"""Giving back and going to a consent page keep out of each other's way, for as whom somebody comes back nobody knows.

At some providers a revocation ends all that its subject has granted to the app, whenever that was. So who gives back
waits while somebody is at the provider or about to be, and who is to be sent there waits for what is being given back
at that moment: mostly for as long as one call takes. What would be given back after it lets them go first.

    decided, and begun ── one transaction ── nobody is sent to this app's consent page
           └── asked at the provider, in time ── an answer ──── ended with what it brings
                                                └── no answer ── it may still come to pass there: the lease lapses

Whoever gives back and was stopped for longer than its lease mostly asks nothing any more.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from tieline.credentials.giving_back.repository import LEASE, GivingBackRepository
from tieline.database import scope
from tieline.errors import BeingGivenBack, ProviderUnavailable
from tieline.ids import AppId, PracticeId, new_id
from tieline.principal import Principal
from tieline.work import retrying, unit_of_work

_HOLD_SECONDS = LEASE.total_seconds() - 10.0
_LEAST_SECONDS = 1.0
_WAIT_SECONDS = 15.0


@dataclass(kw_only=True, slots=True)
class Turn:
    """The time, until the loop's `until`, in which a provider may be asked to take something back.

    `in_doubt`: it was asked and no answer came, so it may still come to pass, and the lease stays until it lapses.
    """

    practice_id: PracticeId
    id: UUID
    until: float
    in_doubt: bool = False

    def seconds(self, provider: str) -> float:
        """What is left of it for a call. Raises ProviderUnavailable when that is nothing: then nothing was sent."""
        left = self.until - asyncio.get_running_loop().time()
        if left < _LEAST_SECONDS:
            raise ProviderUnavailable(provider, sent=False)
        return left

    async def end(self) -> None:
        """With the transaction that is open, unless it is in doubt."""
        if not self.in_doubt:
            await GivingBackRepository.of(self.practice_id).end(self.id)


async def begin(practice_id: PracticeId, app_id: AppId) -> Turn:
    """In the transaction that decides on it and holds the app's subjects."""
    turn = Turn(
        practice_id=practice_id,
        id=new_id(),
        until=asyncio.get_running_loop().time() + _HOLD_SECONDS,
    )
    await GivingBackRepository.of(practice_id).begin(app_id, turn.id)
    return turn


@asynccontextmanager
async def over_with_trouble(turn: Turn) -> AsyncIterator[None]:
    """Whatever trouble comes out of this, nobody is kept waiting for it, unless it is in doubt."""
    try:
        yield
    except Exception:
        await end(turn)
        raise


@retrying
async def end(turn: Turn) -> None:
    """It came to nothing."""
    async with unit_of_work(Principal.machine(turn.practice_id)):
        await turn.end()


async def until_over(practice_id: PracticeId, ids: Collection[UUID]) -> None:
    """Wait for this that is being given back, if anything. Raises BeingGivenBack, a Busy, when that takes long."""
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + _WAIT_SECONDS
    while ids and await _is_one_left(practice_id, ids):
        if loop.time() >= give_up_at:
            raise BeingGivenBack
        await asyncio.sleep(random.uniform(0.05, 0.25))  # noqa: S311 - jitter


async def _is_one_left(practice_id: PracticeId, ids: Collection[UUID]) -> bool:
    async with scope(practice_id):
        return await GivingBackRepository.of(practice_id).is_one_left(ids)
