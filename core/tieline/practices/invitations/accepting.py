"""Coming in by an invitation: somebody who signs in at the issuer becomes what its token asks to.

A token is worth what it asks to: so it takes nobody over. A person that is there already is only joined to a subject
whose issuer vouches for the same address.
"""

from __future__ import annotations

from dataclasses import dataclass

from tieline.activity.kinds import InvitationAccepted
from tieline.database import system_scope
from tieline.errors import InvitationForAnother, InvitationOver
from tieline.identity.tokens import Identity
from tieline.ids import InvitationId, PersonId, PracticeId, new_id
from tieline.practices.authority import change_authority
from tieline.practices.invitations.repository import (
    Invitation,
    InvitationRepository,
    Known,
    ToClient,
    invitation_of,
)
from tieline.practices.invitations.tokens import hash_of, is_token
from tieline.practices.repository import PracticeRepository
from tieline.principal import Principal
from tieline.work import Work, retrying, unit_of_work


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """Where somebody is a person now."""

    practice_id: PracticeId
    practice_name: str
    person_id: PersonId


@retrying
async def accept_invitation(identity: Identity, token: str) -> Accepted:
    """Become what the token asks to; the same person again gets the same answer.

    Raises InvitationOver (unknown, revoked, run out, used by somebody else, made by somebody who may invite no more)
    and InvitationForAnother.
    """
    found = await _located(token)
    if found is None:
        raise InvitationOver
    practice_id, invitation_id = found
    async with unit_of_work(Principal.machine(practice_id)) as work:
        practice = PracticeRepository.of(practice_id)
        await practice.lock()
        invitations = InvitationRepository.of(practice_id)
        invitation = await invitations.get(invitation_id)
        mine = await invitations.known_by_subject(identity.issuer, identity.subject)
        if invitation is None or (mine is not None and mine.is_deactivated):
            raise InvitationOver
        if mine is None or invitation.accepted_by != mine.id:
            if not invitation.is_open(work.now) or not await invitations.inviter_may(invitation.id):
                raise InvitationOver
            _refuse_other_address(invitation, identity)
            mine = mine or await _become(work, invitations, invitation, identity)
            await _join(work, invitations, invitation, mine)
        name = (await practice.get()).name
    return Accepted(practice_id=practice_id, practice_name=name, person_id=mine.id)


async def _located(token: str) -> tuple[PracticeId, InvitationId] | None:
    if not is_token(token):
        return None
    async with system_scope():
        return await invitation_of(hash_of(token))


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
        await invitations.end_unfounded(person.id, at=work.now)
    elif not person.is_member:
        await invitations.join(person.id, to, at=work.now)
    await invitations.accept(invitation.id, person.id, at=work.now)
    work.is_by(person.id)
    work.did(_told(invitation, person.id))
    await change_authority(work, invitations.practice_id, [person.id])


def _told(invitation: Invitation, person_id: PersonId) -> InvitationAccepted:
    client_id = invitation.to.client_id if isinstance(invitation.to, ToClient) else None
    return InvitationAccepted(client_id=client_id, invitation_id=invitation.id, person_id=person_id)


def _refuse_other_address(invitation: Invitation, identity: Identity) -> None:
    """A token that names an address, or one that nobody verified, must not name another than was invited."""
    if identity.email is not None and not (
        _is_address(invitation, identity) and identity.email_verified is not False
    ):
        raise InvitationForAnother


def _is_vouched_for(invitation: Invitation, identity: Identity) -> bool:
    return _is_address(invitation, identity) and identity.email_verified is True


def _is_address(invitation: Invitation, identity: Identity) -> bool:
    """Whatever the case of its letters, of those that have one in ASCII: others fold into letters that they are not."""
    said = identity.email
    return said is not None and (said.lower() if said.isascii() else said) == invitation.email
