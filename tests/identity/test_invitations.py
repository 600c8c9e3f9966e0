"""Who may invite whom, and whom an invitation makes of whoever holds it: it takes nobody over."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.books import Books
from tests.support.deployment import Deployment
from tests.support.polling import until
from tieline.errors import (
    AlreadyMember,
    Forbidden,
    Invalid,
    InvitationForAnother,
    InvitationOver,
    NotFound,
)
from tieline.identity.tokens import Identity
from tieline.ids import ClientId, PersonId, TeamId, new_id
from tieline.practices import service as practices
from tieline.practices.invitations import service
from tieline.practices.invitations.accepting import accept_invitation
from tieline.practices.invitations.repository import ToClient
from tieline.practices.invitations.service import NewInvitation
from tieline.practices.members.service import deactivate_person
from tieline.principal import ClientAccess, ClientRole, Permission, Principal, Role

ISSUER = "https://login.example"


def identity(email: str | None = None, *, verified: bool | None = True, subject: str = "") -> Identity:
    return Identity(
        issuer=ISSUER,
        subject=subject or f"auth0|{new_id()}",
        email=email,
        email_verified=verified if email is not None else None,
        expires_at=datetime.now(UTC) + timedelta(minutes=5),
    )


def address() -> str:
    return f"{new_id()}@firm.invalid"


async def invited(books: Books, email: str, **more: object) -> str:
    new = NewInvitation(email=email, name="Ann", **more)  # type: ignore[arg-type]
    return (await service.invite_member(books.admin, new)).token.reveal()


async def email_of(books: Books, person_id: PersonId) -> str:
    found: str = await books.sql.fetchval("SELECT email FROM person WHERE id = $1", person_id)
    return found


async def subject_of(books: Books, person_id: PersonId) -> str | None:
    found: str | None = await books.sql.fetchval("SELECT subject FROM person WHERE id = $1", person_id)
    return found


async def test_only_admins_by_whole_keys_invite_into_the_practice(books: Books) -> None:
    manager = await books.member(*Permission)
    narrowed = await books.calling(books.me, scopes=frozenset({Permission.SYNC}))
    service_key = await books.calling(None, scopes=frozenset(Permission))
    administrator = await books.of_client(await books.client("Acorn"), ClientRole.ADMINISTRATOR)

    for caller in (manager, narrowed, service_key, administrator):
        with pytest.raises(Forbidden):
            await service.invite_member(caller, NewInvitation(email=address(), name="Ann"))

    assert await books.count("invitation") == 0


async def test_to_a_client_invite_admins_and_who_administers_it(books: Books, other_books: Books) -> None:
    acorn, birch = await books.client("Acorn"), await books.client("Birch")
    administrator = await books.of_client(acorn, ClientRole.ADMINISTRATOR)
    reader = await books.of_client(acorn, ClientRole.READER)
    manager = await books.member(*Permission)

    async def invite(caller: Principal, client_id: ClientId) -> None:
        await service.invite_client_member(
            caller, client_id, email=address(), name="Ben", role=ClientRole.READER
        )

    for caller in (books.admin, administrator):
        await invite(caller, acorn.id)
    for caller in (reader, manager):
        with pytest.raises(Forbidden):
            await invite(caller, acorn.id)
    for stranger in (administrator, other_books.admin):
        with pytest.raises(NotFound):
            await invite(stranger, birch.id)

    assert await books.count("invitation") == 2
    assert len(await service.list_invitations(administrator)) == 2
    assert await service.list_invitations(reader) == []
    assert await service.list_invitations(manager) == []


@pytest.mark.parametrize("change", [{"teams": (TeamId(new_id()),)}, {"clients": (ClientId(new_id()),)}])
async def test_teams_and_clients_must_be_there(books: Books, change: dict[str, object]) -> None:
    with pytest.raises(NotFound):
        await invited(books, address(), **change)


async def test_what_was_asked_is_what_the_member_gets(books: Books) -> None:
    team = await practices.create_team(books.practice_id, "Blue")
    client = await books.client("Acorn")
    token = await invited(
        books,
        address(),
        permissions=frozenset({Permission.SYNC, Permission.PUBLISH}),
        client_access=ClientAccess.LISTED,
        teams=(team,),
        clients=(client.id,),
    )

    accepted = await accept_invitation(identity(), token)

    member = await books.sql.fetchrow(
        "SELECT role, permissions, client_access FROM practice_member WHERE person_id = $1",
        accepted.person_id,
    )
    assert tuple(member or ()) == ("MEMBER", ["PUBLISH", "SYNC"], "LISTED")
    theirs = f"person_id = '{accepted.person_id}'"
    assert await books.count("member_team", f"{theirs} AND team_id = '{team}'") == 1
    assert await books.count("member_client", f"{theirs} AND client_id = '{client.id}'") == 1
    authority = await books.sql.fetchval("SELECT authority FROM person WHERE id = $1", accepted.person_id)
    assert authority == 1


async def test_a_token_is_kept_as_a_hash_and_good_once(books: Books) -> None:
    ann, eve = identity(), identity()
    token = await invited(books, address())
    assert token not in str([dict(row) for row in await books.sql.fetch("SELECT * FROM invitation")])

    first = await accept_invitation(ann, token)
    again = await accept_invitation(ann, token)
    with pytest.raises(InvitationOver):
        await accept_invitation(eve, token)

    assert first == again
    assert await books.count("person") == 2


async def test_of_two_who_come_with_one_token_at_once_one_gets_in(books: Books) -> None:
    token = await invited(books, address())

    results = await asyncio.gather(
        *(accept_invitation(identity(), token) for _ in range(2)), return_exceptions=True
    )

    assert sorted(type(result).__name__ for result in results) == ["Accepted", "InvitationOver"]
    assert await books.count("practice_member") == 2


async def test_a_new_invitation_ends_the_earlier_one_and_a_revoked_one_is_over(books: Books) -> None:
    email = address()
    first, second = await invited(books, email), await invited(books, email.upper())
    with pytest.raises(InvitationOver):
        await accept_invitation(identity(), first)

    [standing] = await service.list_invitations(books.admin)
    await service.revoke_invitation(books.admin, standing.id)
    await service.revoke_invitation(books.admin, standing.id)

    with pytest.raises(InvitationOver):
        await accept_invitation(identity(), second)
    assert await service.list_invitations(books.admin) == []


async def test_whoever_signs_in_under_another_address_is_not_who_was_invited(books: Books) -> None:
    email = address()
    token = await invited(books, email)

    for stranger in (identity(address()), identity(email, verified=False)):
        with pytest.raises(InvitationForAnother):
            await accept_invitation(stranger, token)

    assert (await accept_invitation(identity(email.upper()), token)).practice_id == books.practice_id


async def test_a_letter_that_only_looks_like_another_in_lower_case_is_another(books: Books) -> None:
    email = f"kim.{address()}"
    token = await invited(books, email)
    kelvin = email.replace("k", "\N{KELVIN SIGN}", 1)
    assert kelvin.lower() == email

    with pytest.raises(InvitationForAnother):
        await accept_invitation(identity(kelvin), token)

    assert (await accept_invitation(identity(email.upper()), token)).practice_id == books.practice_id


async def test_an_address_of_other_letters_is_as_good_as_it_is_kept(books: Books) -> None:
    email = f"zoë.{address()}"

    accepted = await accept_invitation(identity(email), await invited(books, email.upper()))

    assert accepted.practice_id == books.practice_id


@pytest.mark.parametrize(
    "text",
    ["\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}" * 64 + "@firm.invalid", "x" * 5_000],
    ids=["two letters each in lower case", "far too long"],
)
async def test_an_address_is_measured_as_it_is_kept_and_told_in_part(books: Books, text: str) -> None:
    with pytest.raises(Invalid) as refused:
        await invited(books, text)

    assert refused.value.field == "email"
    assert len(str(refused.value)) < 200


async def test_a_member_with_a_key_begins_to_sign_in_and_stays_what_it_is(books: Books) -> None:
    email = await email_of(books, books.me)
    ann = identity(email)
    token = await invited(books, email, role=Role.MEMBER)

    accepted = await accept_invitation(ann, token)

    assert accepted.person_id == books.me
    assert await subject_of(books, books.me) == ann.subject
    role = await books.sql.fetchval("SELECT role FROM practice_member WHERE person_id = $1", books.me)
    assert role == "ADMIN"
    with pytest.raises(AlreadyMember):
        await invited(books, email)


async def test_who_administers_a_client_cannot_become_the_practices_admin(books: Books) -> None:
    client = await books.client("Acorn")
    administrator = await books.of_client(client, ClientRole.ADMINISTRATOR)
    email = await email_of(books, books.me)
    issued = await service.invite_client_member(
        administrator, client.id, email=email, name="Admin", role=ClientRole.READER
    )

    for thief in (identity(), identity(email, verified=None), identity(email, verified=False)):
        with pytest.raises(InvitationForAnother):
            await accept_invitation(thief, issued.token.reveal())
    assert await subject_of(books, books.me) is None

    accepted = await accept_invitation(identity(email), issued.token.reveal())
    assert accepted.person_id == books.me


async def test_a_person_who_signs_in_already_is_nobody_elses(books: Books) -> None:
    reader = await books.of_client(await books.client("Acorn"), ClientRole.READER)
    assert reader.person_id is not None
    email = await email_of(books, reader.person_id)
    await books.sql.execute(
        "UPDATE person SET issuer = $2, subject = 'auth0|first' WHERE id = $1", reader.person_id, ISSUER
    )
    token = await invited(books, email)

    with pytest.raises(InvitationForAnother):
        await accept_invitation(identity(email), token)
    accepted = await accept_invitation(identity(email, subject="auth0|first"), token)

    assert accepted.person_id == reader.person_id


async def test_whoever_is_deactivated_comes_back_by_no_invitation(books: Books) -> None:
    member = await books.member()
    assert member.person_id is not None
    email = await email_of(books, member.person_id)
    token = await invited(books, email)
    await books.sql.execute("UPDATE person SET deactivated_at = now() WHERE id = $1", member.person_id)

    with pytest.raises(InvitationOver):
        await accept_invitation(identity(email), token)
    with pytest.raises(Invalid):
        await invited(books, email)


async def test_a_clients_administrator_is_not_told_who_is_deactivated(books: Books) -> None:
    client = await books.client("Acorn")
    administrator = await books.of_client(client, ClientRole.ADMINISTRATOR)
    for gone in (await books.member(), await books.of_client(client, ClientRole.READER)):
        assert gone.person_id is not None
        await deactivate_person(books.admin, gone.person_id)
        email = await email_of(books, gone.person_id)

        issued = await service.invite_client_member(
            administrator, client.id, email=email, name="Ben", role=ClientRole.READER
        )

        with pytest.raises(InvitationOver):
            await accept_invitation(identity(email), issued.token.reveal())
        with pytest.raises(Invalid):
            await service.invite_client_member(
                books.admin, client.id, email=email, name="Ben", role=ClientRole.READER
            )


async def test_an_invitation_to_a_client_that_is_deleted_is_over(books: Books) -> None:
    client = await books.client("Acorn")
    issued = await service.invite_client_member(
        books.admin, client.id, email=address(), name="Ben", role=ClientRole.READER
    )
    await books.sql.execute("UPDATE client SET deleted_at = now() WHERE id = $1", client.id)

    with pytest.raises(InvitationOver):
        await accept_invitation(identity(), issued.token.reveal())
    assert await books.count("person") == 1


async def test_invitations_are_bounded_and_forgotten(books: Books) -> None:
    await invited(books, address())
    await copied(books, 499)
    with pytest.raises(Invalid):
        await invited(books, address())
    assert len(await service.list_invitations(books.admin)) == 500

    await books.sql.execute(
        "UPDATE invitation SET expires_at = now() - interval '31 days' WHERE practice_id = $1",
        books.practice_id,
    )
    await invited(books, address())

    assert await books.count("invitation") == 1


async def test_those_to_one_client_leave_room_for_others(books: Books) -> None:
    acorn, birch = await books.client("Acorn"), await books.client("Birch")
    administrator = await books.of_client(acorn, ClientRole.ADMINISTRATOR)

    async def invite(client_id: ClientId) -> None:
        await service.invite_client_member(
            books.admin if client_id == birch.id else administrator,
            client_id,
            email=address(),
            name="Ben",
            role=ClientRole.READER,
        )

    await invite(acorn.id)
    await copied(books, 49)
    with pytest.raises(Invalid, match="50 invitations are open"):
        await invite(acorn.id)
    await copied(books, 10)
    await invite(birch.id)
    await invited(books, address())

    shown = await service.list_invitations(books.admin)
    assert sorted(isinstance(found.to, ToClient) for found in shown) == [False] + [True] * 500


async def test_who_may_not_invite_to_a_client_keeps_nobody_waiting_and_who_waited_is_asked_again(
    books: Books, opened: Deployment
) -> None:
    client = await books.client("Acorn")
    reader, administrator = [
        await books.of_client(client, role) for role in (ClientRole.READER, ClientRole.ADMINISTRATOR)
    ]

    async def invite(caller: Principal) -> None:
        await service.invite_client_member(
            caller, client.id, email=address(), name="Ben", role=ClientRole.READER
        )

    above = await opened.connect()
    holding = above.transaction()
    await holding.start()
    await above.execute("SELECT FROM practice WHERE id = $1 FOR UPDATE", books.practice_id)
    with pytest.raises(Forbidden):
        await asyncio.wait_for(invite(reader), timeout=60)
    waits = asyncio.ensure_future(invite(administrator))
    await until(books.somebody_waits, "the administrator waits for the practice")
    await books.sql.execute("UPDATE client_member SET role = 'READER' WHERE client_id = $1", client.id)
    await holding.rollback()
    await above.close()

    with pytest.raises(Forbidden):
        await waits
    assert await books.count("invitation") == 0


async def copied(books: Books, count: int) -> None:
    """Each invitation of the practice so many times more, to other addresses."""
    await books.sql.execute(
        "INSERT INTO invitation SELECT (jsonb_populate_record(i, jsonb_build_object('id', gen_random_uuid(), "
        "'email', gen_random_uuid() || '@c.invalid', 'token_hash', '\\x' || md5(gen_random_uuid()::text)))).* "
        "FROM invitation AS i, generate_series(1, $2) WHERE i.practice_id = $1",
        books.practice_id,
        count,
    )
