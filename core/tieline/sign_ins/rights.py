"""Who may sign in, and whose a sign-in is."""

from __future__ import annotations

from tieline.errors import NotFound, PersonNeeded
from tieline.ids import PersonId, SignInId
from tieline.principal import Permission, Principal
from tieline.sign_ins.repository import SignIn, SignInRepository

_WHAT = "sign in at a provider"


def person_of(principal: Principal) -> PersonId:
    """The person who signs in. Raises PersonNeeded for a service."""
    if principal.person_id is None:
        raise PersonNeeded(_WHAT)
    return principal.person_id


async def require_some_client(principal: Principal) -> None:
    """Raise Forbidden unless there may be a client whose connections the caller manages."""
    mine = False
    if not principal.may(Permission.MANAGE_CONNECTIONS):
        mine = await SignInRepository.of(principal.practice_id).administers_any(person_of(principal))
    principal.require(Permission.MANAGE_CONNECTIONS, administers=mine)


async def own_sign_in(principal: Principal, sign_in_id: SignInId, *, lock: bool = False) -> SignIn:
    """The caller's own sign-in, as it is once it is locked; a service has none. Raises NotFound."""
    sign_ins, found = SignInRepository.of(principal.practice_id), None
    if principal.person_id is not None:
        if lock:
            await sign_ins.lock(sign_in_id, principal.person_id)
        found = await sign_ins.get(sign_in_id, principal.person_id)
    if found is None:
        raise NotFound("sign-in", sign_in_id, field="id")
    return found
