"""From what a caller sends to who it is."""

from __future__ import annotations

from tieline import clock
from tieline.database import system_scope
from tieline.errors import Unauthenticated
from tieline.practices.keys import hash_key, is_key
from tieline.practices.repository import principal_of_key
from tieline.principal import Principal


async def authenticate(token: str | None) -> Principal:
    """Who calls with this bearer token. Raises Unauthenticated, in the same words whatever is wrong with it."""
    if token is None or not is_key(token):
        raise Unauthenticated
    async with system_scope():
        principal = await principal_of_key(hash_key(token), at=clock.now())
    if principal is None:
        raise Unauthenticated
    return principal
