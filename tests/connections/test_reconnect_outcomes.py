"""What `reconnectAll` says of a connection that it could have mended, and did not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connections.test_reconnect_all import connected, many, reaching, told
from tests.support.books import Books
from tieline.connections.moving import facts
from tieline.connections.moving import service as moving
from tieline.connections.moving.service import reconnect_all
from tieline.connections.repository import Connection
from tieline.connections.service import disconnect
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


async def mended_by(books: Books, sign_in_id: SignInId, *mended: Connection) -> None:
    """As if completing the sign-in had mended these, which hang on its login."""
    await books.sql.execute(
        "UPDATE connection SET credential_id = f.credential_id FROM sign_in_organisation AS f "
        "WHERE f.sign_in_id = $1 AND connection.id = ANY ($2::uuid[])",
        sign_in_id,
        [each.id for each in mended],
    )
    await books.sql.execute(
        "INSERT INTO sign_in_mended (practice_id, sign_in_id, connection_id) SELECT $1, $2, unnest($3::uuid[])",
        books.practice_id,
        sign_in_id,
        [each.id for each in mended],
    )


async def test_what_completing_mended_is_told_while_it_works_and_to_who_may_manage_it(books: Books) -> None:
    fine, again, left, other = made = await connected(books, "Fine", "Again", "Left", "Other")
    member = await administrator_of(books, fine, again, left)
    sign_in_id = await books.sign_in(
        await books.credential(member.person_id),
        [each.organisation_id for each in made],
        person_id=member.person_id,
    )
    await mended_by(books, sign_in_id, *made)
    await books.expire(again, "TOKEN_EXPIRED")
    await disconnect(books.admin, left.id)
    another = await books.sign_in(await books.credential(), [each.organisation_id for each in made])

    first, second = [told(await reconnect_all(member, sign_in_id)) for _ in range(2)]

    assert first == {"Again": "RECONNECTED", "Fine": "RECONNECTED"}
    assert second == first, "what has become good meanwhile was mended by completing it, too"
    assert told(await reconnect_all(books.admin, another)) == {}
    assert (await books.row("connection", other.id))["reason"] is None


async def test_what_completing_mended_comes_after_what_is_to_be_mended_and_before_the_rest(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await many(books, 12)
    sign_in_id = await reaching(books, made[:6])
    await books.sql.execute(
        "UPDATE connection SET reason = NULL WHERE id = ANY ($1::uuid[])", [each.id for each in made[6:9]]
    )
    await mended_by(books, sign_in_id, *made[6:9])
    monkeypatch.setattr(moving, "MAX_ROWS", 8)

    mended = await reconnect_all(books.admin, sign_in_id)

    assert mended.remaining == 0
    assert [each.connection_id for each in mended.outcomes] == [each.id for each in made[:8]]
    assert {each.outcome.value for each in mended.outcomes} == {"RECONNECTED"}


async def test_what_completing_mended_is_forgotten_with_the_sign_in(books: Books) -> None:
    [made] = await connected(books, "Acme")
    sign_in_id = await reaching(books, [made])
    await mended_by(books, sign_in_id, made)

    await books.sql.execute("DELETE FROM sign_in WHERE id = $1", sign_in_id)

    assert await books.count("sign_in_mended") == 0
