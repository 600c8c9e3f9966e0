"""Who calls with a bearer token, told apart by its form; whatever is wrong with it, the answer is the same."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from tieline import clock
from tieline.database import system_scope
from tieline.errors import PracticeNeeded, Unauthenticated
from tieline.identity.issuer import trusted
from tieline.identity.tokens import Identity
from tieline.practices.callers.repository import Place, by_key, by_subject, note_use
from tieline.practices.keys import hash_key, is_key
from tieline.principal import Principal


async def authenticate(token: str | None, practice: str | None = None) -> Principal:
    """Who calls with this bearer token, in the practice of this id, where the caller names one.

    Raises Unauthenticated, in the same words whatever is wrong; PracticeNeeded where somebody belongs to several
    practices and names none; IssuerUnavailable where nobody can say.
    """
    if token is None:
        raise Unauthenticated
    if is_key(token):
        return await _by_key(token, practice)
    identity = await identify(token)
    named = None if practice is None else _read_practice(practice)
    async with system_scope():
        places = await by_subject(identity.issuer, identity.subject, named)
    return _only(places)


async def identify(token: str | None) -> Identity:
    """Whom the trusted issuer says this is, person of a practice or not yet. Raises as `authenticate` does."""
    issuer = trusted()
    if issuer is None or token is None:
        raise Unauthenticated
    return await issuer.identify(token)


async def _by_key(token: str, practice: str | None) -> Principal:
    async with system_scope():
        at = clock.now()
        caller = await by_key(hash_key(token), at=at)
        if caller is None or not _is_meant(caller.principal, practice):
            raise Unauthenticated
        if caller.is_news and caller.principal.api_key_id is not None:
            await note_use([caller.principal.api_key_id], at=at)
    return caller.principal


def _only(places: Sequence[Place]) -> Principal:
    if not places:
        raise Unauthenticated
    if len(places) > 1:
        raise PracticeNeeded([(place.principal.practice_id, place.practice_name) for place in places])
    return places[0].principal


def _read_practice(practice: str) -> UUID:
    """An id as we write it, and no other spelling of one. Raises Unauthenticated."""
    try:
        read = UUID(practice)
    except ValueError:
        raise Unauthenticated from None
    if str(read) != practice.lower():
        raise Unauthenticated
    return read


def _is_meant(principal: Principal, practice: str | None) -> bool:
    return practice is None or str(principal.practice_id) == practice.lower()
