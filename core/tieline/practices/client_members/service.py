"""What practice admins and a client's administrators do with the people of a client."""

from __future__ import annotations

from dataclasses import replace

from tieline.activity.kinds import ClientMemberRemoved, ClientMemberSet
from tieline.clients.repository import Client, ClientRepository
from tieline.database import scope
from tieline.errors import AdministratorNeeded, Invalid, NotFound
from tieline.ids import ClientId, PersonId
from tieline.pages import Page, decode_cursor, list_of, page_size
from tieline.practices.authority import change_authority, hold_practice
from tieline.practices.client_members.repository import ClientMember, ClientMemberRepository
from tieline.practices.invitations.repository import InvitationRepository
from tieline.practices.repository import Person, PracticeRepository
from tieline.principal import ClientRole, Principal
from tieline.work import Work, retrying, unit_of_work


async def list_client_members(
    principal: Principal, client_id: ClientId, *, first: int | None = None, after: str | None = None
) -> Page[ClientMember]:
    """A page of a client's people by name; who is deactivated is not among them.

    For members and services that see the client, and for its administrators. Raises NotFound, Forbidden, Invalid
    (page size) and CursorInvalid.
    """
    listed = list_of("client_members", principal.practice_id, client_id)
    size, start = page_size(first), decode_cursor(listed, after)
    async with scope(principal.practice_id):
        client = await _client(principal, client_id)
        if not (principal.is_insider or client.administered):
            raise AdministratorNeeded
        people = ClientMemberRepository.of(principal.practice_id, client_id)
        page = await people.page(after=start, first=size, listed=listed)
    return replace(page, rows=tuple(_as_seen(principal, member) for member in page.rows))


@retrying
async def set_client_member(
    principal: Principal, client_id: ClientId, person_id: PersonId, role: ClientRole
) -> ClientMember:
    """Let somebody administer or read a client. Admins name anybody of the practice, administrators the client's own.

    Raises NotFound (client, person), Forbidden and Invalid (the person is deactivated); the same again changes nothing.
    """
    async with unit_of_work(principal) as work:
        await _hold(work, principal, client_id)
        people = ClientMemberRepository.of(principal.practice_id, client_id)
        standing = await _known(principal, people, person_id)
        if standing is None:
            await _check_new(principal, person_id)
        elif standing.role is role:
            return _as_seen(principal, standing)

        await people.put(person_id, role, at=work.now)
        await change_authority(work, principal.practice_id, [person_id])
        await InvitationRepository.of(principal.practice_id).end_unfounded(person_id, at=work.now)
        work.did(ClientMemberSet(client_id=client_id, person_id=person_id, role=role))
        changed = await people.get(person_id)
    assert changed is not None
    return _as_seen(principal, changed)


@retrying
async def remove_client_member(principal: Principal, client_id: ClientId, person_id: PersonId) -> Person:
    """Take somebody away from a client; who it was. The person stays what else it is in the practice.

    Raises NotFound (client, or somebody who is not of it) and Forbidden.
    """
    async with unit_of_work(principal) as work:
        await _hold(work, principal, client_id)
        people = ClientMemberRepository.of(principal.practice_id, client_id)
        standing = await _known(principal, people, person_id)
        if standing is None:
            raise NotFound("person", person_id, field="personId")

        await people.remove(person_id)
        await change_authority(work, principal.practice_id, [person_id])
        await InvitationRepository.of(principal.practice_id).end_unfounded(person_id, at=work.now)
        work.did(ClientMemberRemoved(client_id=client_id, person_id=person_id))
    return _as_seen(principal, standing).person


async def _hold(work: Work, principal: Principal, client_id: ClientId) -> None:
    """The client, whose people nobody else changes until the transaction ends. Raises NotFound and Forbidden."""
    _require_rights(principal, await _client(principal, client_id))  # who may not keeps nobody waiting
    await hold_practice(work, principal)
    _require_rights(principal, await _client(principal, client_id, lock=True))


def _as_seen(principal: Principal, member: ClientMember) -> ClientMember:
    """People of a client see no addresses of the practice's own people."""
    if principal.is_insider or not member.is_colleague:
        return member
    return replace(member, person=replace(member.person, email=None))


async def _known(
    principal: Principal, people: ClientMemberRepository, person_id: PersonId
) -> ClientMember | None:
    """Somebody of the client; who is deactivated is nobody but for admins, as in the list."""
    member = await people.get(person_id)
    is_gone = member is not None and member.person.deactivated_at is not None
    return None if is_gone and not principal.is_admin else member


async def _client(principal: Principal, client_id: ClientId, *, lock: bool = False) -> Client:
    client = await ClientRepository.visible_to(principal).get(client_id, lock=lock)
    if client is None:
        raise NotFound("client", client_id, field="clientId")
    return client


def _require_rights(principal: Principal, client: Client) -> None:
    """A permission of the practice's gives no say over a client's own people. Raises Forbidden."""
    if principal.is_admin:
        principal.require_admin()
    elif not client.administered:
        raise AdministratorNeeded
    elif principal.key_scopes is not None:
        raise AdministratorNeeded(by_key=True)


async def _check_new(principal: Principal, person_id: PersonId) -> None:
    """Somebody who is not of the client yet: only admins know of such people. Raises NotFound and Invalid."""
    person = await PracticeRepository.of(principal.practice_id).person(person_id)
    if person is None or not principal.is_admin:
        raise NotFound("person", person_id, field="personId")
    if person.deactivated_at is not None:
        raise Invalid(f"{person.name} is deactivated: reactivate the person first.", field="personId")
