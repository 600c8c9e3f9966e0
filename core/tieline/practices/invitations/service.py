"""Asking people in: by an admin to the practice, by whoever administers a client to that client.

Tieline sends no mail. Whoever invites gets the token once, and hands it on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from tieline import clock
from tieline.activity.kinds import InvitationRevoked, PersonInvited
from tieline.clients.repository import ClientRepository
from tieline.database import scope
from tieline.errors import AdministratorNeeded, AlreadyMember, Invalid, NotFound
from tieline.ids import ClientId, InvitationId, TeamId, new_id
from tieline.inputs import read_all
from tieline.names import clean_name
from tieline.practices.authority import hold_practice
from tieline.practices.invitations.repository import (
    Invitation,
    InvitationRepository,
    Known,
    ToClient,
    ToMember,
)
from tieline.practices.invitations.tokens import hash_of, new_token
from tieline.practices.service import read_email
from tieline.principal import ClientAccess, ClientRole, Permission, Principal, Role
from tieline.vault import Secret
from tieline.work import Work, retrying, unit_of_work

LIFE = timedelta(days=7)
MAX_OPEN = 500
MAX_OPEN_TO_CLIENT = 50
MAX_LISTED = 200

_KEPT = timedelta(days=30)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewInvitation:
    """Somebody to ask into the practice. `teams` and `clients` say what one with LISTED access sees."""

    email: str
    name: str
    role: Role = Role.MEMBER
    permissions: frozenset[Permission] = frozenset()
    client_access: ClientAccess = ClientAccess.ALL
    teams: tuple[TeamId, ...] = ()
    clients: tuple[ClientId, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Issued:
    """An invitation just made; `token` is shown once and never again."""

    invitation: Invitation
    token: Secret


@retrying
async def invite_member(principal: Principal, new: NewInvitation) -> Issued:
    """Ask somebody into the practice. An earlier invitation of the same address ends.

    Somebody who is a member already, and has never signed in at the issuer, may be asked to: the membership stays
    as it is. Raises Forbidden, Invalid, NotFound (teams, clients) and AlreadyMember.
    """
    principal.require_admin()
    email, name = _addressed(new.email, new.name)
    if max(len(new.teams), len(new.clients)) > MAX_LISTED:
        raise Invalid(f"Name at most {MAX_LISTED} teams and {MAX_LISTED} clients.", field="clientIds")
    async with unit_of_work(principal) as work:
        await hold_practice(work, principal)
        invitations = InvitationRepository.of(principal.practice_id)
        for unknown in await invitations.unknown_teams(new.teams):
            raise NotFound("team", unknown, field="teamIds")
        for not_there in await invitations.unknown_clients(new.clients):
            raise NotFound("client", not_there, field="clientIds")
        known = await invitations.known_by_email(email)
        _refuse_deactivated(known)
        if known is not None and known.is_member and known.subject is not None:
            raise AlreadyMember(email)

        to = ToMember(
            role=new.role,
            permissions=new.permissions,
            client_access=new.client_access,
            teams=new.teams,
            clients=new.clients,
        )
        return await _issue(work, invitations, principal, email, name, to)


@retrying
async def invite_client_member(
    principal: Principal, client_id: ClientId, *, email: str, name: str, role: ClientRole
) -> Issued:
    """Ask somebody to administer or read one client. For admins, and for who administers the client.

    Raises NotFound (client), Forbidden, Invalid and AlreadyMember.
    """
    kept, cleaned = _addressed(email, name)
    async with unit_of_work(principal) as work:
        await _administered(principal, client_id, field="clientId")  # who may not keeps nobody waiting
        await hold_practice(work, principal)
        await _administered(principal, client_id, field="clientId")
        invitations = InvitationRepository.of(principal.practice_id)
        known = await invitations.known_by_email(kept)
        if principal.is_admin:
            _refuse_deactivated(known)
        elif known is not None and known.is_deactivated:
            known = None  # which is nothing for a client's administrator to learn: the token will be good for nobody
        if known is not None and await invitations.is_client_member(known.id, client_id):
            raise AlreadyMember(kept)

        to = ToClient(client_id=client_id, role=role)
        return await _issue(work, invitations, principal, kept, cleaned, to)


@retrying
async def revoke_invitation(principal: Principal, invitation_id: InvitationId) -> Invitation:
    """End an invitation; one that is over stays as it is. Raises NotFound and Forbidden."""
    async with unit_of_work(principal) as work:
        invitations = InvitationRepository.of(principal.practice_id)
        await _revocable(principal, invitations, invitation_id)  # who may not keeps nobody waiting
        await hold_practice(work, principal)
        invitation = await _revocable(principal, invitations, invitation_id)
        if invitation.is_open(work.now):
            await invitations.revoke(invitation_id, at=work.now)
            client_id = invitation.to.client_id if isinstance(invitation.to, ToClient) else None
            work.did(InvitationRevoked(client_id=client_id, invitation_id=invitation_id))
    return invitation


async def list_invitations(principal: Principal) -> list[Invitation]:
    """The newest open ones, 500 of a kind: all for admins, those to their clients for administrators, else none."""
    async with scope(principal.practice_id):
        return await InvitationRepository.of(principal.practice_id).open_to(principal, at=clock.now())


async def _issue(
    work: Work,
    invitations: InvitationRepository,
    principal: Principal,
    email: str,
    name: str,
    to: ToMember | ToClient,
) -> Issued:
    assert principal.person_id is not None  # a service is no admin, and administers no client
    await invitations.forget(before=work.now - _KEPT)
    client_id = to.client_id if isinstance(to, ToClient) else None
    await invitations.end_earlier(email, client_id, at=work.now)
    most = MAX_OPEN if client_id is None else MAX_OPEN_TO_CLIENT
    if await invitations.count_open(client_id, at=work.now) >= most:
        raise Invalid(f"{most} invitations are open: revoke some, or wait until they run out.", field="email")
    invitation = Invitation(
        id=InvitationId(new_id()),
        email=email,
        name=name,
        to=to,
        invited_by=principal.person_id,
        created_at=work.now,
        expires_at=work.now + LIFE,
        accepted_by=None,
        revoked_at=None,
    )
    token = new_token()
    await invitations.add(invitation, hash_of(token.reveal()))
    work.did(_told(invitation))
    return Issued(invitation=invitation, token=token)


def _told(invitation: Invitation) -> PersonInvited:
    """Without the address: activity is kept for longer than invitations are."""
    to = invitation.to
    member = to if isinstance(to, ToMember) else None
    return PersonInvited(
        client_id=None if isinstance(to, ToMember) else to.client_id,
        invitation_id=invitation.id,
        role=to.role,
        permissions=tuple(sorted(member.permissions)) if member else (),
        client_access=member.client_access if member else None,
    )


async def _administered(principal: Principal, client_id: ClientId, *, field: str) -> None:
    """Raises NotFound, and Forbidden unless the caller is an admin or administers the client, by a whole key."""
    client = await ClientRepository.visible_to(principal).get(client_id)
    if client is None:
        raise NotFound("client", client_id, field=field)
    if not (principal.is_admin or client.administered):
        raise AdministratorNeeded
    if principal.key_scopes is not None:
        raise AdministratorNeeded(by_key=True)


async def _revocable(
    principal: Principal, invitations: InvitationRepository, invitation_id: InvitationId
) -> Invitation:
    """Raises NotFound and Forbidden."""
    invitation = await invitations.get(invitation_id)
    if invitation is None or not await _may_see(principal, invitation):
        raise NotFound("invitation", invitation_id, field="id")
    if isinstance(invitation.to, ToClient):
        await _administered(principal, invitation.to.client_id, field="id")
    else:
        principal.require_admin()
    return invitation


async def _may_see(principal: Principal, invitation: Invitation) -> bool:
    """Whether it exists for the caller: those of the practice see all, others those to their client."""
    if isinstance(invitation.to, ToMember):
        return principal.is_insider
    return await ClientRepository.visible_to(principal).get(invitation.to.client_id) is not None


def _addressed(email: str, name: str) -> list[str]:
    """Address and name of whoever is invited, as they are kept. Raises Invalid and SeveralInvalid."""
    return read_all(lambda: read_email(email), lambda: clean_name(name, field="name"))


def _refuse_deactivated(known: Known | None) -> None:
    if known is not None and known.is_deactivated:
        raise Invalid(
            "Somebody of this address is deactivated: reactivate the person instead.", field="email"
        )
