"""Asking people in: by an admin to the practice, by whoever administers a client to that client; and coming in.

Tieline sends no mail. Whoever invites gets the token once, and hands it on. It is worth what it asks to: so it takes
nobody over. A person that is there already is only joined to a subject whose issuer vouches for the same address.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

from tieline import clock
from tieline.activity.kinds import InvitationAccepted, InvitationRevoked, PersonInvited
from tieline.clients.repository import ClientRepository
from tieline.database import scope, system_scope
from tieline.errors import (
    AdministratorNeeded,
    AlreadyMember,
    Invalid,
    InvitationForAnother,
    InvitationOver,
    NotFound,
)
from tieline.identity.tokens import Identity
from tieline.ids import ClientId, InvitationId, PersonId, PracticeId, TeamId, new_id
from tieline.names import clean_name
from tieline.practices.authority import change_authority, require_standing
from tieline.practices.invitations.repository import (
    Invitation,
    InvitationRepository,
    Known,
    ToClient,
    ToMember,
    invitation_of,
)
from tieline.practices.repository import PracticeRepository
from tieline.practices.service import read_email
from tieline.principal import ClientAccess, ClientRole, Permission, Principal, Role
from tieline.vault import Secret
from tieline.work import Work, retrying, unit_of_work

LIFE = timedelta(days=7)
MAX_OPEN = 500
MAX_LISTED = 200

_KEPT = timedelta(days=30)
_FORM = re.compile(r"tli_[A-Za-z0-9_-]{43}")


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """Where somebody is a person now."""

    practice_id: PracticeId
    practice_name: str
    person_id: PersonId


@retrying
async def invite_member(principal: Principal, new: NewInvitation) -> Issued:
    """Ask somebody into the practice. An earlier invitation of the same address ends.

    Somebody who is a member already, and has never signed in at the issuer, may be asked to: the membership stays
    as it is. Raises Forbidden, Invalid, NotFound (teams, clients) and AlreadyMember.
    """
    principal.require_admin()
    email, name = read_email(new.email), clean_name(new.name, field="name")
    if max(len(new.teams), len(new.clients)) > MAX_LISTED:
        raise Invalid(f"Name at most {MAX_LISTED} teams and {MAX_LISTED} clients.", field="clientIds")
    async with unit_of_work(principal) as work:
        await PracticeRepository.of(principal.practice_id).lock()
        await require_standing(work, principal)
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
    kept, cleaned = read_email(email), clean_name(name, field="name")
    async with unit_of_work(principal) as work:
        await PracticeRepository.of(principal.practice_id).lock()
        await require_standing(work, principal)
        await _administered(principal, client_id, field="clientId")
        invitations = InvitationRepository.of(principal.practice_id)
        known = await invitations.known_by_email(kept)
        _refuse_deactivated(known)
        if known is not None and await invitations.is_client_member(known.id, client_id):
            raise AlreadyMember(kept)

        to = ToClient(client_id=client_id, role=role)
        return await _issue(work, invitations, principal, kept, cleaned, to)


@retrying
async def revoke_invitation(principal: Principal, invitation_id: InvitationId) -> Invitation:
    """End an invitation; one that is over stays as it is. Raises NotFound and Forbidden."""
    async with unit_of_work(principal) as work:
        invitations = InvitationRepository.of(principal.practice_id)
        invitation = await invitations.lock(invitation_id)
        if invitation is None or not await _may_see(principal, invitation):
            raise NotFound("invitation", invitation_id, field="id")
        if isinstance(invitation.to, ToClient):
            await _administered(principal, invitation.to.client_id, field="id")
        else:
            principal.require_admin()
        if invitation.is_open(work.now):
            await invitations.revoke(invitation_id, at=work.now)
            client_id = invitation.to.client_id if isinstance(invitation.to, ToClient) else None
            work.did(InvitationRevoked(invitation_id=invitation_id, client_id=client_id))
    return invitation


async def list_invitations(principal: Principal) -> list[Invitation]:
    """The open ones, the newest first: all for admins, those to their clients for administrators, else none."""
    async with scope(principal.practice_id):
        return await InvitationRepository.of(principal.practice_id).open_to(principal, at=clock.now())


@retrying
async def accept_invitation(identity: Identity, token: str) -> Accepted:
    """Become what the token asks to; the same person again gets the same answer.

    Raises InvitationOver (unknown, revoked, run out, used by somebody else) and InvitationForAnother.
    """
    found = await _located(token)
    if found is None:
        raise InvitationOver
    practice_id, invitation_id = found
    async with unit_of_work(Principal.machine(practice_id)) as work:
        practice = PracticeRepository.of(practice_id)
        await practice.lock()
        invitations = InvitationRepository.of(practice_id)
        invitation = await invitations.lock(invitation_id)
        mine = await invitations.known_by_subject(identity.issuer, identity.subject)
        if invitation is None or (mine is not None and mine.is_deactivated):
            raise InvitationOver
        if mine is None or invitation.accepted_by != mine.id:
            if not invitation.is_open(work.now) or not await invitations.may_still_invite(invitation):
                raise InvitationOver
            _refuse_other_address(invitation, identity)
            mine = mine or await _become(work, invitations, invitation, identity)
            await _join(work, invitations, invitation, mine)
        name = (await practice.get()).name
    return Accepted(practice_id=practice_id, practice_name=name, person_id=mine.id)


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
    if await invitations.count_open(at=work.now) >= MAX_OPEN:
        raise Invalid(
            f"{MAX_OPEN} invitations are open: revoke some, or wait until they run out.", field="email"
        )
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
    token = f"tli_{secrets.token_urlsafe(32)}"
    await invitations.add(invitation, _hash(token))
    work.did(PersonInvited(invitation_id=invitation.id, client_id=client_id, role=to.role))
    return Issued(invitation=invitation, token=Secret(token))


async def _located(token: str) -> tuple[PracticeId, InvitationId] | None:
    if not _FORM.fullmatch(token):
        return None
    async with system_scope():
        return await invitation_of(_hash(token))


async def _become(
    work: Work, invitations: InvitationRepository, invitation: Invitation, identity: Identity
) -> Known:
    """The person that this subject is from here on: the one of the address, or a new one."""
    known = await invitations.known_by_email(invitation.email)
    if known is None:
        person_id = PersonId(new_id())
        await invitations.add_person(person_id, invitation.name, invitation.email, at=work.now)
        known = Known(
            id=person_id, email=invitation.email, subject=None, is_deactivated=False, is_member=False
        )
    elif known.is_deactivated:
        raise InvitationOver
    elif known.subject is not None or not _is_vouched_for(invitation, identity):
        raise InvitationForAnother
    await invitations.know_as(known.id, identity.issuer, identity.subject)
    return known


async def _join(work: Work, invitations: InvitationRepository, invitation: Invitation, person: Known) -> None:
    to = invitation.to
    if isinstance(to, ToClient):
        practice = PracticeRepository.of(invitations.practice_id)
        if not await practice.list_client(to.client_id, person.id, role=to.role, at=work.now):
            raise InvitationOver
    elif not person.is_member:
        await invitations.join(person.id, to, at=work.now)
    await invitations.accept(invitation.id, person.id, at=work.now)
    await change_authority(work, invitations.practice_id, [person.id])
    work.act_for(person.id)
    client_id = to.client_id if isinstance(to, ToClient) else None
    work.did(InvitationAccepted(invitation_id=invitation.id, client_id=client_id))


async def _administered(principal: Principal, client_id: ClientId, *, field: str) -> None:
    """Raises NotFound, and Forbidden unless the caller is an admin or administers the client, by a whole key."""
    client = await ClientRepository.visible_to(principal).get(client_id)
    if client is None:
        raise NotFound("client", client_id, field=field)
    if not (principal.is_admin or client.administered):
        raise AdministratorNeeded
    if principal.key_scopes is not None:
        raise AdministratorNeeded(by_key=True)


async def _may_see(principal: Principal, invitation: Invitation) -> bool:
    """Whether it exists for the caller: those of the practice see all, others those to their client."""
    if isinstance(invitation.to, ToMember):
        return principal.is_insider
    return await ClientRepository.visible_to(principal).get(invitation.to.client_id) is not None


def _refuse_deactivated(known: Known | None) -> None:
    if known is not None and known.is_deactivated:
        raise Invalid(
            "Somebody of this address is deactivated: reactivate the person instead.", field="email"
        )


def _refuse_other_address(invitation: Invitation, identity: Identity) -> None:
    """A token that names an address, or one that nobody verified, must not name another than was invited."""
    if identity.email is not None and not (
        _is_address(invitation, identity) and identity.email_verified is not False
    ):
        raise InvitationForAnother


def _is_vouched_for(invitation: Invitation, identity: Identity) -> bool:
    return _is_address(invitation, identity) and identity.email_verified is True


def _is_address(invitation: Invitation, identity: Identity) -> bool:
    return identity.email is not None and identity.email.lower() == invitation.email


def _hash(token: str) -> bytes:
    """SHA-256: the token holds 256 random bits."""
    return hashlib.sha256(token.encode()).digest()
