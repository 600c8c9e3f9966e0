"""Who calls with a bearer token, told apart by its form; whatever is wrong with it, the answer is the same."""

from __future__ import annotations

from collections.abc import Sequence

from tieline import clock
from tieline.database import system_scope
from tieline.errors import PracticeNeeded, Unauthenticated
from tieline.identity.issuer import trusted
from tieline.identity.repository import Place, places_of
from tieline.identity.tokens import Identity
from tieline.practices.keys import hash_key, is_key
from tieline.practices.repository import principal_of_key
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
    async with system_scope():
        places = await places_of(identity.issuer, identity.subject)
    return _chosen(places, practice)


async def identify(token: str | None) -> Identity:
    """Whom the trusted issuer says this is, person of a practice or not yet. Raises as `authenticate` does."""
    issuer = trusted()
    if issuer is None or token is None:
        raise Unauthenticated
    return await issuer.identify(token)


async def _by_key(token: str, practice: str | None) -> Principal:
    async with system_scope():
        principal = await principal_of_key(hash_key(token), at=clock.now())
    if principal is None or not _is_meant(principal, practice):
        raise Unauthenticated
    return principal


def _chosen(places: Sequence[Place], practice: str | None) -> Principal:
    meant = [place for place in places if _is_meant(place.principal, practice)]
    if not meant:
        raise Unauthenticated
    if len(meant) > 1:
        raise PracticeNeeded([(place.principal.practice_id, place.practice_name) for place in meant])
    return meant[0].principal


def _is_meant(principal: Principal, practice: str | None) -> bool:
    return practice is None or str(principal.practice_id) == practice.lower()
