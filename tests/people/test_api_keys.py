"""API keys: shown once, never wider nor longer than the one that they are made with, and ended at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import datetime, timedelta, timezone

import pytest

from tests.support.books import Books
from tests.support.deployment import Deployment
from tests.support.polling import until
from tieline import clock
from tieline.activity.service import list_activity
from tieline.errors import Forbidden, Invalid, KeyNarrowed, NotFound, Refused, Unauthenticated
from tieline.identity import authenticate
from tieline.ids import ApiKeyId, PersonId, new_id
from tieline.practices.api_keys.service import MAX_KEYS, NewKey, create_key, list_keys, revoke_key
from tieline.practices.keys import issue_key
from tieline.practices.members.service import deactivate_person
from tieline.principal import ClientRole, Permission, Principal

SYNC, PUBLISH = frozenset({Permission.SYNC}), frozenset({Permission.PUBLISH})


def of(caller: Principal) -> PersonId:
    assert caller.person_id is not None
    return caller.person_id


async def refusal(asked: Awaitable[object]) -> Refused | None:
    try:
        await asked
    except Refused as refused:
        return refused
    return None


async def test_a_person_makes_a_key_for_itself_and_it_works(books: Books) -> None:
    member = await books.member(Permission.SYNC, Permission.PUBLISH)

    made = await create_key(member, NewKey(name=" Laptop ", scopes=SYNC))

    caller = await authenticate(made.secret.reveal())
    assert (made.key.name, made.key.person_id, made.key.scopes) == ("Laptop", member.person_id, ("SYNC",))
    assert made.secret.reveal().startswith(made.key.prefix)
    assert (caller.person_id, caller.may(Permission.SYNC), caller.may(Permission.PUBLISH)) == (
        member.person_id,
        True,
        False,
    )
    assert made.secret.reveal() not in repr(made)


async def test_a_clients_own_person_makes_keys_for_itself_too(books: Books) -> None:
    theirs = await books.of_client(await books.client("Acorn"), ClientRole.READER)

    made = await create_key(theirs, NewKey(name="Mine"))

    assert (await authenticate(made.secret.reveal())).person_id == theirs.person_id
    assert [key.person_id for key in (await list_keys(theirs)).rows] == [theirs.person_id] * 2


async def test_admins_make_keys_for_others_and_for_services(books: Books) -> None:
    member = await books.member(Permission.SYNC)

    theirs = await create_key(books.admin, NewKey(name="Theirs", person_id=of(member)))
    service = await create_key(books.admin, NewKey(name="Nightly", for_service=True, scopes=SYNC))

    as_member, as_service = [await authenticate(each.secret.reveal()) for each in (theirs, service)]
    assert (as_member.person_id, as_member.permissions) == (member.person_id, SYNC)
    assert (as_service.is_service, as_service.key_scopes) == (True, SYNC)
    for wrong, field in (
        (NewKey(name="Nightly", for_service=True), "scopes"),
        (NewKey(name="Nightly", for_service=True, scopes=SYNC, person_id=of(member)), "personId"),
    ):
        refused = await refusal(create_key(books.admin, wrong))
        assert (type(refused), refused and refused.field) == (Invalid, field)


async def test_others_make_none_but_their_own(books: Books) -> None:
    member = await books.member(*Permission)
    service = await books.calling(None, scopes=frozenset(Permission))
    narrowed = await books.calling(books.me, scopes=frozenset(Permission))

    refused = [
        await refusal(create_key(caller, new))
        for caller, new in (
            (member, NewKey(name="x", person_id=books.me)),
            (member, NewKey(name="x", for_service=True, scopes=SYNC)),
            (narrowed, NewKey(name="x", person_id=of(member), scopes=SYNC)),
            (narrowed, NewKey(name="x", for_service=True, scopes=SYNC)),
            (service, NewKey(name="x", scopes=SYNC)),
        )
    ]

    assert all(isinstance(each, Forbidden) for each in refused)
    assert await books.count("api_key", "name = 'x'") == 0


async def test_a_key_is_no_wider_than_the_one_that_it_is_made_with(books: Books) -> None:
    narrowed = await books.calling(books.me, scopes=SYNC | PUBLISH)

    unscoped = await refusal(create_key(narrowed, NewKey(name="x")))
    wider = await refusal(create_key(narrowed, NewKey(name="x", scopes=SYNC | {Permission.MANAGE_RULES})))
    made = await create_key(narrowed, NewKey(name="ok", scopes=SYNC))

    assert (type(unscoped), unscoped and unscoped.field) == (Invalid, "scopes")
    assert str(wider) == "This API key may not do this: its scopes lack MANAGE_RULES. Use a key that has it."
    assert (await authenticate(made.secret.reveal())).key_scopes == SYNC


async def test_a_key_ends_in_time_and_not_after_the_one_that_it_is_made_with(books: Books) -> None:
    now = clock.now()
    short = await issue_key(books.practice_id, name="short", person_id=books.me, life=timedelta(days=2))
    by_short = await authenticate(short.secret.reveal())
    wrong: list[tuple[Principal, datetime | None]] = [
        (books.admin, now - timedelta(seconds=1)),
        (books.admin, now + timedelta(days=3_651)),
        (books.admin, datetime(2031, 5, 4)),  # noqa: DTZ001 - that is what is refused
        (by_short, None),
        (by_short, now + timedelta(days=3)),
        (books.admin, datetime.max.replace(tzinfo=timezone(-timedelta(hours=1)))),
    ]

    refused = [await refusal(create_key(caller, NewKey(name="x", expires_at=at))) for caller, at in wrong]
    made = await create_key(by_short, NewKey(name="ok", expires_at=now + timedelta(days=1)))

    assert [(type(each), each and each.field) for each in refused] == [(Invalid, "expiresAt")] * 6
    assert made.key.expires_at == now + timedelta(days=1)


async def test_a_revoked_key_lets_nobody_in_and_is_told_to_whoever_watches(books: Books) -> None:
    member = await books.member()
    made = await create_key(member, NewKey(name="Laptop"))

    ended = await revoke_key(member, made.key.id)
    again = await revoke_key(member, made.key.id)

    assert (ended.key.revoked_at is not None, ended.also) == (True, ())
    assert again == ended
    with pytest.raises(Unauthenticated):
        await authenticate(made.secret.reveal())
    assert await books.sql.fetchval("SELECT authority FROM person WHERE id = $1", member.person_id) == 1


async def test_whose_key_it_is_decides_who_ends_it(books: Books) -> None:
    member, other = await books.member(*Permission), await books.member(*Permission)
    narrowed = await books.calling(books.me, scopes=SYNC)
    theirs = await create_key(member, NewKey(name="Theirs"))
    service = await create_key(books.admin, NewKey(name="Nightly", for_service=True, scopes=SYNC))
    as_service = await authenticate(service.secret.reveal())

    hidden = [
        await refusal(revoke_key(caller, key_id))
        for caller, key_id in (
            (other, theirs.key.id),
            (other, service.key.id),
            (as_service, service.key.id),
            (books.admin, ApiKeyId(new_id())),
        )
    ]
    forbidden = await refusal(revoke_key(narrowed, theirs.key.id))
    await revoke_key(books.admin, theirs.key.id)
    await revoke_key(books.admin, service.key.id)

    assert [type(each) for each in hidden] == [NotFound] * 4
    assert isinstance(forbidden, Forbidden)
    assert await books.count("api_key", "revoked_at IS NOT NULL") == 2


@pytest.mark.parametrize("scopes", [SYNC, frozenset[Permission]()])
async def test_a_key_with_scopes_ends_only_itself_and_what_was_made_with_it(
    books: Books, scopes: frozenset[Permission]
) -> None:
    member = await books.member(*Permission)
    narrowed = await books.calling(of(member), scopes=scopes)
    beside = await create_key(member, NewKey(name="Laptop"))
    under = await create_key(narrowed, NewKey(name="Job", scopes=scopes))
    by_under = await authenticate(under.secret.reveal())
    deeper = await create_key(by_under, NewKey(name="Part", scopes=scopes))
    assert narrowed.api_key_id is not None

    refused = await refusal(revoke_key(narrowed, beside.key.id))
    above = await refusal(revoke_key(by_under, narrowed.api_key_id))
    for _ in range(2):
        await revoke_key(narrowed, deeper.key.id)
    await revoke_key(narrowed, under.key.id)
    await revoke_key(narrowed, narrowed.api_key_id)

    assert (type(refused), type(above)) == (KeyNarrowed, KeyNarrowed)
    assert await books.count("api_key", "revoked_at IS NOT NULL") == 3
    assert (await authenticate(beside.secret.reveal())).person_id == member.person_id


async def test_admins_see_all_keys_and_others_their_own(books: Books) -> None:
    member = await books.member()
    mine = await create_key(member, NewKey(name="Laptop"))

    all_of_them = await list_keys(books.admin, first=2)
    rest = await list_keys(books.admin, first=2, after=all_of_them.cursors[-1])
    of_member = await list_keys(books.admin, person_id=of(member))
    own = await list_keys(member)

    assert all_of_them.rows[0].id == mine.key.id
    assert (all_of_them.total, len(rest.rows), rest.has_next) == (3, 1, False)
    assert of_member.rows == own.rows
    assert [key.name for key in own.rows] == ["Laptop", "test"]
    assert isinstance(await refusal(list_keys(member, person_id=books.me)), Forbidden)
    assert isinstance(await refusal(list_keys(books.admin, person_id=PersonId(new_id()))), NotFound)
    service = await books.calling(None, scopes=SYNC)
    assert isinstance(await refusal(list_keys(service)), Forbidden)


async def test_nobody_who_is_deactivated_and_none_of_another_practice_gets_a_key(books: Books) -> None:
    member = await books.member()
    await deactivate_person(books.admin, of(member))

    gone = await refusal(create_key(books.admin, NewKey(name="x", person_id=of(member))))
    unknown = await refusal(create_key(books.admin, NewKey(name="x", person_id=PersonId(new_id()))))

    assert (type(gone), gone and gone.field) == (Invalid, "personId")
    assert (type(unknown), unknown and unknown.field) == (NotFound, "personId")


async def test_somebody_who_is_deactivated_while_a_key_is_made_gets_none(
    books: Books, opened: Deployment
) -> None:
    member = await books.member()
    above = await opened.connect()
    deactivating = above.transaction()
    await deactivating.start()
    await above.execute("SELECT FROM practice WHERE id = $1 FOR UPDATE", books.practice_id)
    await above.execute("UPDATE person SET deactivated_at = now() WHERE id = $1", member.person_id)

    making = asyncio.ensure_future(create_key(books.admin, NewKey(name="x", person_id=of(member))))
    await until(books.somebody_waits, "the key waits for the practice")
    await deactivating.commit()
    await above.close()
    refused = await refusal(making)

    assert (type(refused), refused and refused.field) == (Invalid, "personId")
    assert await books.count("api_key", "name = 'x'") == 0


async def test_keys_that_work_are_bounded(books: Books) -> None:
    member = await books.member()
    await books.sql.execute(
        "INSERT INTO api_key (id, practice_id, person_id, name, prefix, hash, created_at, revoked_at) "
        "SELECT gen_random_uuid(), $1, $2::uuid, 'many', 'tl_x', sha256((n || $2::uuid::text)::bytea), "
        "$3::timestamptz, CASE WHEN n > $4::int THEN $3::timestamptz END FROM generate_series(1, $4::int + 5) AS n",
        books.practice_id,
        of(member),
        clock.now(),
        MAX_KEYS - 2,
    )

    await create_key(member, NewKey(name="the last"))
    refused = await refusal(create_key(member, NewKey(name="one more")))

    assert isinstance(refused, Invalid)


async def test_what_is_done_to_keys_is_told_without_what_they_are(books: Books) -> None:
    made = await create_key(books.admin, NewKey(name="Laptop", scopes=SYNC))
    await revoke_key(books.admin, made.key.id)

    told = (await list_activity(books.admin)).rows

    person = {"api_key_id": str(made.key.id), "person_id": str(books.me)}
    assert [(done.kind, done.subject_id, done.details) for done in told] == [
        ("API_KEY_REVOKED", made.key.id, person),
        ("API_KEY_CREATED", made.key.id, person | {"scopes": ["SYNC"], "expires_at": None}),
    ]
    rows = await books.sql.fetch(
        "SELECT to_jsonb(t)::text FROM activity AS t WHERE practice_id = $1", books.practice_id
    )
    assert not any(made.secret.reveal()[11:] in row[0] for row in rows)
