"""Who changes what others may is looked at again when it is its turn: meanwhile it may have lost its own place."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest

from tests.support.books import Books
from tieline.clients.repository import Client
from tieline.errors import AdminNeeded, Refused, Unauthenticated
from tieline.ids import PersonId
from tieline.practices.api_keys.service import NewKey, create_key, list_keys, revoke_key
from tieline.practices.changing import PracticeChange, update_practice
from tieline.practices.client_members.service import remove_client_member, set_client_member
from tieline.practices.invitations.service import (
    NewInvitation,
    invite_client_member,
    invite_member,
    list_invitations,
    revoke_invitation,
)
from tieline.practices.members.service import (
    MemberChange,
    deactivate_person,
    reactivate_person,
    update_member,
)
from tieline.practices.repository import Team
from tieline.practices.teams.service import create_team, delete_team, rename_team, set_team_members
from tieline.principal import ClientRole, Permission, Principal, Role

Deed: TypeAlias = Callable[[Principal, PersonId, Team, Client], Awaitable[object]]

CLIENTS_DEEDS: dict[str, Deed] = {
    "client's invitation": lambda me, _, __, client: invite_client_member(
        me, client.id, email="x@y.invalid", name="X", role=ClientRole.READER
    ),
    "invitation's end": lambda me, _, __, ___: revoke_what_is_open(me),
    "client's person": lambda me, who, _, client: set_client_member(
        me, client.id, who, ClientRole.ADMINISTRATOR
    ),
    "client's person's end": lambda me, who, _, client: remove_client_member(me, client.id, who),
}
DEEDS: dict[str, Deed] = {
    "member": lambda me, who, _, __: update_member(me, who, MemberChange(permissions=frozenset(Permission))),
    "deactivation": lambda me, who, _, __: deactivate_person(me, who),
    "return": lambda me, who, _, __: reactivate_person(me, who),
    "new team": lambda me, _, __, ___: create_team(me, "South"),
    "team's name": lambda me, _, team, __: rename_team(me, team.id, "West"),
    "team's members": lambda me, who, team, _: set_team_members(me, team.id, [who]),
    "team's end": lambda me, _, team, __: delete_team(me, team.id, moves_clients_to=None),
    "practice": lambda me, _, __, ___: update_practice(me, PracticeChange(name="Mine")),
    "key": lambda me, who, _, __: create_key(me, NewKey(name="x", person_id=who)),
    "own key": lambda me, _, __, ___: create_key(me, NewKey(name="x")),
    "invitation": lambda me, _, __, ___: invite_member(me, NewInvitation(email="x@y.invalid", name="X")),
    **CLIENTS_DEEDS,
}


async def revoke_what_is_open(me: Principal) -> None:
    (invitation,) = await list_invitations(me)
    await revoke_invitation(me, invitation.id)


def of(caller: Principal) -> PersonId:
    assert caller.person_id is not None
    return caller.person_id


async def asked_in(books: Books, client: Client) -> None:
    """Somebody by an invitation that is open."""
    await invite_client_member(books.admin, client.id, email="y@y.invalid", name="Y", role=ClientRole.READER)


async def nothing_changed(books: Books) -> bool:
    """Of what was there before: one who reads the client, one asked to it, and an empty team."""
    return [
        await books.count("invitation", "revoked_at IS NULL"),
        await books.count("client_member", "role = 'READER'"),
        await books.count("team", "name = 'North'"),
        await books.count("member_team"),
    ] == [1, 1, 1, 0]


async def refusal(asked: Awaitable[object]) -> Refused | None:
    try:
        await asked
    except Refused as refused:
        return refused
    return None


async def test_of_two_admins_who_deactivate_each_other_one_goes(books: Books) -> None:
    first, second = [await books.member(role=Role.ADMIN) for _ in range(2)]

    both = await asyncio.gather(
        refusal(deactivate_person(first, of(second))), refusal(deactivate_person(second, of(first)))
    )

    assert sorted(type(each).__name__ for each in both) == ["NoneType", "Unauthenticated"]
    assert await books.count("person", "deactivated_at IS NOT NULL") == 1


@pytest.mark.parametrize("deed", DEEDS)
async def test_who_lost_its_place_or_its_key_changes_nothing_more(books: Books, deed: str) -> None:
    client, team = await books.client("Acorn"), await create_team(books.admin, "North")
    other = await books.of_client(client, ClientRole.READER)
    await asked_in(books, client)
    demoted, gone, keyless = [await books.member(role=Role.ADMIN) for _ in range(3)]
    await update_member(books.admin, of(demoted), MemberChange(role=Role.MEMBER))
    await deactivate_person(books.admin, of(gone))
    (its_key,) = (await list_keys(books.admin, person_id=of(keyless))).rows
    await revoke_key(books.admin, its_key.id)

    refused = [
        type(await refusal(DEEDS[deed](caller, of(other), team, client)))
        for caller in (demoted, gone, keyless)
    ]

    assert refused == [AdminNeeded, Unauthenticated, Unauthenticated]
    assert await nothing_changed(books)


@pytest.mark.parametrize("deed", CLIENTS_DEEDS)
async def test_so_does_who_administered_a_client(books: Books, deed: str) -> None:
    client, team = await books.client("Acorn"), await create_team(books.admin, "North")
    other = await books.of_client(client, ClientRole.READER)
    await asked_in(books, client)
    gone, keyless = [await books.of_client(client, ClientRole.ADMINISTRATOR) for _ in range(2)]
    await deactivate_person(books.admin, of(gone))
    (its_key,) = (await list_keys(books.admin, person_id=of(keyless))).rows
    await revoke_key(books.admin, its_key.id)

    refused = [
        type(await refusal(CLIENTS_DEEDS[deed](caller, of(other), team, client)))
        for caller in (gone, keyless)
    ]

    assert refused == [Unauthenticated, Unauthenticated]
    assert await nothing_changed(books)


async def test_who_is_of_no_client_any_more_makes_no_key(books: Books) -> None:
    client = await books.client("Acorn")
    theirs = await books.of_client(client, ClientRole.READER)
    await remove_client_member(books.admin, client.id, of(theirs))

    assert isinstance(await refusal(create_key(theirs, NewKey(name="x"))), Unauthenticated)
