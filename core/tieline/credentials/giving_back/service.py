"""Giving back and going to a consent page keep out of each other's way, for as whom somebody comes back nobody knows.

At some providers a revocation ends all that its subject has granted to the app, whenever that was. So who gives back
waits while somebody is at the provider, and who is to be sent there waits while something is given back: mostly for
the moment that one call takes.

    decided, and begun ── one transaction ── nobody is sent to this app's consent page
           └── asked at the provider, in time ── an answer ──── ended with what it brings
                                                └── no answer ── it may still come to pass there: the lease lapses

Whoever gives back and was stopped for longer than its lease asks nothing any more.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from tieline.credentials.giving_back.repository import LEASE, GivingBackRepository
from tieline.errors import BeingGivenBack, ProviderError, ProviderUnavailable
from tieline.ids import AppId, PracticeId, new_id
from tieline.principal import Principal
from tieline.work import retrying, unit_of_work

T = TypeVar("T")

_HOLD_SECONDS = LEASE.total_seconds() - 10.0
_LEAST_SECONDS = 1.0
_WAIT_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """The time, until the loop's `until`, in which a provider may be asked to take something back."""

    practice_id: PracticeId
    id: UUID
    until: float

    def seconds(self, provider: str) -> float:
        """What is left of it for a call. Raises ProviderUnavailable when that is nothing: then nothing was sent."""
        left = self.until - asyncio.get_running_loop().time()
        if left < _LEAST_SECONDS:
            raise ProviderUnavailable(provider, sent=False)
        return left

    async def end(self) -> None:
        """With the transaction that is open."""
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


async def end_after(turn: Turn, error: ProviderError) -> None:
    """It came to nothing; where an answer may have been lost, it may still come to pass, and the lease stays."""
    if not (isinstance(error, ProviderUnavailable) and error.sent):
        await _end(turn)


@retrying
async def _end(turn: Turn) -> None:
    async with unit_of_work(Principal.machine(turn.practice_id)):
        await turn.end()


async def when_nothing_is_given_back(attempt: Callable[[], Awaitable[T | None]]) -> T:
    """Try until it is something, which it is not while something is given back.

    Raises BeingGivenBack, a Busy, when that takes long.
    """
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + _WAIT_SECONDS
    while True:
        done = await attempt()
        if done is not None:
            return done
        if loop.time() >= give_up_at:
            raise BeingGivenBack
        await asyncio.sleep(random.uniform(0.02, 0.06))  # noqa: S311 - jitter
