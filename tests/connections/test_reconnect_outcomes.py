"""What `reconnectAll` says of a connection that it could have mended, and did not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connections.test_reconnect_all import connected, told
from tests.support.books import Books
from tieline.connections.moving import facts
from tieline.connections.moving import service as moving
from tieline.connections.moving.service import reconnect_all
from tieline.connections.repository import Connection
from tieline.ids import SignInId
from tieline.principal import Permission, Principal


async def administrator_of(books: Books, *made: Connection) -> Principal:
    """A member who sees all clients, and administers these."""
    member = await books.member(Permission.SYNC)
    for each in made:
        await books.sql.execute(
            "INSERT INTO client_member (practice_id, client_id, person_id, role, created_at) "
            "VALUES ($1, $2, $3, 'ADMINISTRATOR', '2031-05-04')",
            books.practice_id,
            each.client_id,
            member.person_id,
        )
    return member


async def meant_for(books: Books, made: Connection, *reached: Connection) -> SignInId:
    """A sign-in to reconnect one, in whose only round somebody consented to these."""
    credential_id = await books.credential()
    sign_in_id = await books.sign_in(credential_id, [each.organisation_id for each in reached])
    await books.sql.execute("UPDATE sign_in SET connection_id = $2 WHERE id = $1", sign_in_id, made.id)
    await books.sql.execute(
        "INSERT INTO consent_round (id, practice_id, sign_in_id, state_hash, verifier_sealed, outcome, credential_id, "
        "taken_at, created_at, expires_at) SELECT gen_random_uuid(), practice_id, id, $2, '', 'GRANTED', $3, "
        "created_at, created_at, created_at FROM sign_in WHERE id = $1",
        sign_in_id,
        sign_in_id.bytes,
        credential_id,
    )
    return sign_in_id


async def test_what_the_caller_may_no_longer_manage_is_told_and_left_as_it_is(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, taken = await connected(books, "Kept", "Taken")
    for each in (kept, taken):
        await books.expire(each, "TOKEN_EXPIRED")
    member = await administrator_of(books, kept, taken)
    sign_in_id = await books.sign_in(
        await books.credential(member.person_id),
        [kept.organisation_id, taken.organisation_id],
        person_id=member.person_id,
    )
    really = facts.load_facts

    async def meanwhile(*given: Any, **more: Any) -> Any:
        await books.sql.execute("DELETE FROM client_member WHERE client_id = $1", taken.client_id)
        return await really(*given, **more)

    monkeypatch.setattr(moving, "load_facts", meanwhile)

    mended = await reconnect_all(member, sign_in_id)

    assert told(mended) == {"Kept": "RECONNECTED", "Taken": "FORBIDDEN"}
    assert (await books.row("connection", taken.id))["reason"] == "TOKEN_EXPIRED"


async def test_another_organisation_than_the_one_to_reconnect_is_told_of_that_connection(
    books: Books,
) -> None:
    meant, chosen, _ = made = await connected(books, "Meant", "Chosen", "Other")
    for each in made:
        await books.expire(each, "TOKEN_EXPIRED")

    mended = await reconnect_all(books.admin, await meant_for(books, meant, chosen))

    assert told(mended) == {
        "Meant": "DIFFERENT_ORGANISATION",
        "Chosen": "RECONNECTED",
        "Other": "NOT_IN_THIS_LOGIN",
    }


async def test_what_was_meant_and_reached_once_is_not_told_to_be_another_organisation(books: Books) -> None:
    meant, other = made = await connected(books, "Meant", "Other")
    for each in made:
        await books.expire(each, "TOKEN_EXPIRED")
    sign_in_id = await meant_for(books, meant, meant)
    await books.sql.execute(
        "UPDATE credential SET state = 'DEAD' WHERE id IN "
        "(SELECT credential_id FROM sign_in_organisation WHERE sign_in_id = $1)",
        sign_in_id,
    )

    mended = await reconnect_all(books.admin, sign_in_id)

    assert told(mended) == {"Meant": "NOT_IN_THIS_LOGIN", "Other": "NOT_IN_THIS_LOGIN"}
    assert (await books.row("connection", other.id))["reason"] == "TOKEN_EXPIRED"
