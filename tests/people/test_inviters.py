"""An invitation is as good as who made it: it ends with what its inviter may, however that ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.books import Books
from tieline.clients.repository import Client
from tieline.errors import InvitationOver
from tieline.identity.tokens import Identity
from tieline.ids import PersonId, new_id
from tieline.practices import service as setting_up
from tieline.practices.client_members.service import remove_client_member, set_client_member
from tieline.practices.invitations.accepting import accept_invitation
from tieline.practices.invitations.service import (
    NewInvitation,
    invite_client_member,
    invite_member,
    list_invitations,
)
from tieline.practices.members.service import (
    MemberChange,
    deactivate_person,
    reactivate_person,
    update_member,
)
from tieline.principal import ClientRole, Principal, Role

ADMINISTRATOR, READER = ClientRole.ADMINISTRATOR, ClientRole.READER
DEMOTED = MemberChange(role=Role.MEMBER)


def of(caller: Principal) -> PersonId:
    assert caller.person_id is not None
    return caller.person_id


def somebody(email: str | None = None) -> Identity:
    return Identity(
        issuer="https://login.example",
        subject=f"auth0|{new_id()}",
        email=email,
        email_verified=None if email is None else True,
        expires_at=datetime.now(UTC) + timedelta(minutes=5),
    )


async def asked(inviter: Principal, client: Client | None = None) -> str:
    """The token of an invitation into the practice, or to this client."""
    email = f"{new_id()}@firm.invalid"
    if client is None:
        issued = await invite_member(inviter, NewInvitation(email=email, name="Ann", role=Role.ADMIN))
    else:
        issued = await invite_client_member(inviter, client.id, email=email, name="Ann", role=ADMINISTRATOR)
    return issued.token.reveal()


async def is_over(token: str) -> bool:
    try:
        await accept_invitation(somebody(), token)
    except InvitationOver:
        return True
    return False


@dataclass(frozen=True, kw_only=True)
class Inviter:
    """Somebody who administers the practice or a client, and what lets nobody in any more takes from."""

    books: Books
    client: Client
    caller: Principal


async def come_and_gone(inviter: Inviter) -> None:
    await deactivate_person(inviter.books.admin, of(inviter.caller))
    await reactivate_person(inviter.books.admin, of(inviter.caller))


async def demoted(inviter: Inviter) -> None:
    await update_member(inviter.books.admin, of(inviter.caller), DEMOTED)
    await update_member(inviter.books.admin, of(inviter.caller), MemberChange(role=Role.ADMIN))


async def removed_at_the_command_line(inviter: Inviter) -> None:
    again = setting_up.NewMember(name="Lea", email=await email_of(inviter), role=Role.ADMIN)
    await setting_up.remove_member(inviter.books.practice_id, of(inviter.caller))
    await setting_up.add_member(inviter.books.practice_id, again)


async def made_a_reader(inviter: Inviter) -> None:
    for role in (READER, ADMINISTRATOR):
        await set_client_member(inviter.books.admin, inviter.client.id, of(inviter.caller), role)


async def taken_from_the_client(inviter: Inviter) -> None:
    await remove_client_member(inviter.books.admin, inviter.client.id, of(inviter.caller))
    await set_again(inviter)


async def made_a_reader_at_the_command_line(inviter: Inviter) -> None:
    await setting_up.add_client_member(
        inviter.books.practice_id,
        name="Lea",
        email=await email_of(inviter),
        client_id=inviter.client.id,
        role=READER,
    )
    await set_again(inviter)


async def invited_to_read(inviter: Inviter) -> None:
    """By an invitation that was made when it was not of the client yet."""
    email, admin = await email_of(inviter), inviter.books.admin
    await remove_client_member(admin, inviter.client.id, of(inviter.caller))
    issued = await invite_client_member(admin, inviter.client.id, email=email, name="Lea", role=READER)
    await set_again(inviter)
    token = await asked(inviter.caller, inviter.client)
    await accept_invitation(somebody(email), issued.token.reveal())
    await set_again(inviter)
    assert await is_over(token)


async def set_again(inviter: Inviter) -> None:
    admin = inviter.books.admin
    await set_client_member(admin, inviter.client.id, of(inviter.caller), ADMINISTRATOR)


async def email_of(inviter: Inviter) -> str:
    return str((await inviter.books.row("person", of(inviter.caller)))["email"])


@pytest.mark.parametrize("end", [come_and_gone, demoted, removed_at_the_command_line])
async def test_what_an_admin_asked_to_is_over_when_it_is_none_also_if_it_is_one_again(
    books: Books, end: Callable[[Inviter], Awaitable[None]]
) -> None:
    client, inviter = await books.client("Acorn"), await books.member(role=Role.ADMIN)
    tokens = [await asked(inviter), await asked(inviter, client)]
    kept = await asked(books.admin)

    await end(Inviter(books=books, client=client, caller=inviter))

    assert [await is_over(token) for token in tokens] == [True, True]
    assert [found.invited_by for found in await list_invitations(books.admin)] == [books.me]
    assert not await is_over(kept)


@pytest.mark.parametrize(
    "end",
    [
        come_and_gone,
        made_a_reader,
        taken_from_the_client,
        made_a_reader_at_the_command_line,
        invited_to_read,
    ],
)
async def test_what_a_clients_administrator_asked_to_is_over_when_it_is_none_also_if_it_is_one_again(
    books: Books, end: Callable[[Inviter], Awaitable[None]]
) -> None:
    client = await books.client("Acorn")
    inviter = await books.of_client(client, ADMINISTRATOR)
    token, kept = await asked(inviter, client), await asked(books.admin, client)

    await end(Inviter(books=books, client=client, caller=inviter))

    assert await is_over(token)
    assert [found.invited_by for found in await list_invitations(books.admin)] == [books.me]
    assert not await is_over(kept)


async def test_what_its_inviter_may_still_ask_to_stays_good(books: Books) -> None:
    acorn, birch = await books.client("Acorn"), await books.client("Birch")
    inviter = await books.member(role=Role.ADMIN)
    for client in (acorn, birch):
        await set_client_member(books.admin, client.id, of(inviter), ADMINISTRATOR)
    to_practice, to_acorn, to_birch = [await asked(inviter, each) for each in (None, acorn, birch)]

    await remove_client_member(books.admin, acorn.id, of(inviter))
    still_admin = len(await list_invitations(books.admin))
    await update_member(books.admin, of(inviter), DEMOTED)

    assert still_admin == 3
    assert [await is_over(token) for token in (to_practice, to_acorn, to_birch)] == [True, True, False]


@pytest.mark.parametrize(
    "taken",
    [
        "UPDATE person SET deactivated_at = created_at WHERE id = $1",
        "UPDATE practice_member SET role = 'MEMBER' WHERE person_id = $1",
        "DELETE FROM practice_member WHERE person_id = $1",
    ],
)
async def test_it_is_looked_again_who_invited_when_somebody_comes(books: Books, taken: str) -> None:
    inviter = await books.member(role=Role.ADMIN)
    first, second = await asked(inviter), await asked(inviter)
    ann = somebody()
    accepted = await accept_invitation(ann, first)

    await books.sql.execute(taken, inviter.person_id)

    assert await is_over(second)
    assert await accept_invitation(ann, first) == accepted
    assert await books.count("person") == 3
