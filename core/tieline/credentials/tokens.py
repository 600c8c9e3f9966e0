"""Access tokens that are good for a while: read from the row, renewed once for all who ask in this process."""

from __future__ import annotations

import asyncio
from contextvars import Context
from datetime import timedelta
from functools import partial
from typing import TypeAlias

from tieline import clock
from tieline.credentials.pairs import Pair
from tieline.credentials.refreshing import refresh, stored
from tieline.ids import CredentialId, PracticeId
from tieline.log import correlate, correlation_id
from tieline.vault import Secret

_GOOD_FOR = timedelta(seconds=60)

Flight: TypeAlias = "asyncio.Task[Pair]"

_flights: dict[tuple[CredentialId, int], Flight] = {}


class CredentialTokens:
    """Where a session of this credential gets its access token: a `tieline.plugins.TokenSource`."""

    __slots__ = ("_credential_id", "_practice_id")

    def __init__(self, practice_id: PracticeId, credential_id: CredentialId) -> None:
        self._practice_id = practice_id
        self._credential_id = credential_id

    async def access(self) -> Secret:
        """A token that is good for another minute at least. Raises ConsentGone, ProviderUnavailable and others."""
        kept, pair = await stored(self._practice_id, self._credential_id)
        if pair.access_expires_at >= clock.now() + _GOOD_FOR:
            return pair.access
        return (await self._renew(kept.credential.version)).access

    async def renewed(self, stale: Secret) -> Secret:
        """Another one than `stale`, which the provider called expired; raises what `access` does."""
        kept, pair = await stored(self._practice_id, self._credential_id)
        if pair.access != stale and pair.access_expires_at > clock.now():
            return pair.access
        return (await self._renew(kept.credential.version)).access

    async def _renew(self, version: int) -> Pair:
        return await renew_once(self._practice_id, self._credential_id, version=version)


async def renew_once(
    practice_id: PracticeId, credential_id: CredentialId, *, version: int, backed: bool = False
) -> Pair:
    """Join the refresh of this version that is under way in this process, or begin it.

    It belongs to none of its callers: cancelling one, or all, does not stop it.
    """
    key = (credential_id, version)
    flight = _flights.get(key)
    if flight is None:
        body = _fly(correlation_id(), practice_id, credential_id, version, backed=backed)
        # Out of every caller's context: no claim, no scope, no connection of theirs.
        flight = asyncio.get_running_loop().create_task(body, context=Context())
        _flights[key] = flight
        flight.add_done_callback(partial(_landed, key))
    return await asyncio.shield(flight)


async def _fly(
    correlation: str, practice_id: PracticeId, credential_id: CredentialId, version: int, *, backed: bool
) -> Pair:
    correlate(correlation)
    return await refresh(practice_id, credential_id, version=version, backed=backed)


def _landed(key: tuple[CredentialId, int], flight: Flight) -> None:
    _flights.pop(key, None)
    if not flight.cancelled():
        flight.exception()  # seen here, in case that nobody waits for it any more
