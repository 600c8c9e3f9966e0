"""Keys over time: what was made with them, when they were last used, and how long they are kept after their end."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.support.books import Books
from tieline import clock
from tieline.activity.service import list_activity
from tieline.errors import AdminNeeded, Unauthenticated
from tieline.identity import authenticate
from tieline.identity.standing import connected, still
from tieline.ids import ApiKeyId, PersonId
from tieline.practices import keys
from tieline.practices.api_keys.actors import prune_keys
from tieline.practices.api_keys.service import CreatedKey, NewKey, create_key, list_keys, revoke_key
from tieline.practices.callers.repository import USE_IS_NOTED_EVERY
from tieline.practices.members.service import MemberChange, update_member
from tieline.principal import Permission, Principal, Role

SYNC = frozenset({Permission.SYNC})
SECOND = timedelta(seconds=1)


def of(caller: Principal) -> PersonId:
    assert caller.person_id is not None
    return caller.person_id


async def made_by(caller: Principal, name: str, *, person_id: PersonId | None = None) -> CreatedKey:
    return await create_key(caller, NewKey(name=name, person_id=person_id))


async def works(made: CreatedKey) -> bool:
    try:
        await authenticate(made.secret.reveal())
    except Unauthenticated:
        return False
    return True


async def family(books: Books) -> tuple[Principal, dict[str, CreatedKey]]:
    """An admin whose key made one, with which others were made; and one beside it."""
    admin = await books.member(role=Role.ADMIN)
    first = await made_by(admin, "first")
    by_first = await authenticate(first.secret.reveal())
    second = await made_by(by_first, "second")
    by_second = await authenticate(second.secret.reveal())
    service = await create_key(by_second, NewKey(name="service", for_service=True, scopes=SYNC))
    theirs = await made_by(by_second, "theirs", person_id=of(await books.member()))
    beside = await made_by(admin, "beside")
    named = {"first": first, "second": second, "service": service, "theirs": theirs, "beside": beside}
    return admin, named


async def test_of_a_key_that_leaked_all_that_was_made_with_it_ends_too(books: Books) -> None:
    _, made = await family(books)
    await revoke_key(books.admin, made["second"].key.id)

    ended = await revoke_key(books.admin, made["first"].key.id, and_made_with_it=True)
    again = await revoke_key(books.admin, made["first"].key.id, and_made_with_it=True)

    assert {each.name for each in ended.also} == {"service", "theirs"}
    assert again.also == ()
    assert [name for name, each in made.items() if await works(each)] == ["beside"]
    told = (await list_activity(books.admin, kinds=["API_KEY_REVOKED"])).rows
    assert {done.subject_id for done in told} == {made[name].key.id for name in made if name != "beside"}
    assert len(told) == 4


async def test_a_key_that_is_only_replaced_leaves_what_was_made_with_it(books: Books) -> None:
    admin, made = await family(books)

    ended = await revoke_key(admin, made["first"].key.id)

    assert ended.also == ()
    assert [name for name, each in made.items() if await works(each)] == [
        "second",
        "service",
        "theirs",
        "beside",
    ]
    lineage = {key.name: key.made_with for key in (await list_keys(books.admin)).rows}
    assert lineage["second"] == made["first"].key.id
    assert lineage["service"] == lineage["theirs"] == made["second"].key.id
    assert lineage["first"] == lineage["beside"] == admin.api_key_id


async def test_who_is_no_admin_any_more_ends_no_others_keys_with_its_own(books: Books) -> None:
    admin, made = await family(books)
    await update_member(books.admin, of(admin), MemberChange(role=Role.MEMBER))
    member = await authenticate(made["beside"].secret.reveal())

    with pytest.raises(AdminNeeded):
        await revoke_key(member, made["first"].key.id, and_made_with_it=True)

    assert [name for name, each in made.items() if await works(each)] == [
        "first",
        "second",
        "service",
        "beside",
    ]
    await revoke_key(member, made["first"].key.id)
    assert not await works(made["first"])


async def test_the_operator_ends_what_was_made_with_a_key_by_how_it_begins(books: Books) -> None:
    _, made = await family(books)

    ended = await keys.revoke_key(made["first"].key.prefix, and_made_with_it=True)

    assert ended == 4
    assert [name for name, each in made.items() if await works(each)] == ["beside"]


async def test_when_a_key_was_used_is_noted_once_an_hour(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, start = await made_by(books.admin, "Nightly"), clock.now()

    async def used(at: timedelta) -> timedelta | None:
        """When it was last used, after it is used at this time."""
        monkeypatch.setattr(clock, "now", lambda: start + at)
        await authenticate(made.secret.reveal())
        noted = (await books.row("api_key", made.key.id))["last_used_at"]
        return None if noted is None else noted - start

    assert made.key.last_used_at is None
    assert await used(SECOND) == SECOND
    assert await used(USE_IS_NOTED_EVERY) == SECOND
    assert await used(USE_IS_NOTED_EVERY + SECOND) == USE_IS_NOTED_EVERY + SECOND


async def test_a_call_waits_for_nobody_to_note_that_its_key_is_in_use(books: Books) -> None:
    made = await made_by(books.admin, "Nightly")

    async with books.sql.transaction():
        await books.sql.execute("SELECT FROM api_key WHERE id = $1 FOR UPDATE", made.key.id)
        assert await works(made)

    assert (await books.row("api_key", made.key.id))["last_used_at"] is None


async def test_a_key_that_lets_nobody_in_is_not_in_use(books: Books) -> None:
    made = await made_by(books.admin, "Nightly")

    with pytest.raises(Unauthenticated):
        await authenticate(made.secret.reveal(), "not this practice")

    assert (await books.row("api_key", made.key.id))["last_used_at"] is None


async def test_a_key_in_use_on_a_line_that_stays_open_says_so_every_hour(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [await made_by(books.admin, name) for name in ("socket", "too")]
    callers = [await connected(each.secret.reveal(), None) for each in made]
    start, soon = clock.now(), timedelta(minutes=59)

    async def noted(at: timedelta) -> set[datetime]:
        """When they were last used, after their lines are looked at at this time."""
        monkeypatch.setattr(clock, "now", lambda: start + at)
        assert await still(callers) == [0, 0]
        return {(await books.row("api_key", each.key.id))["last_used_at"] for each in made}

    first = await noted(timedelta(0))
    assert await noted(soon) == first
    assert await noted(USE_IS_NOTED_EVERY) == {start + USE_IS_NOTED_EVERY}


async def test_a_key_whose_child_works_is_kept_so_that_the_child_ends_with_what_it_came_from(
    books: Books,
) -> None:
    _, made = await family(books)
    long_ago = clock.now() - timedelta(days=101)
    await _end(books, made["second"].key.id, long_ago, None)

    await prune_keys.function(keep_days=100)

    ended = await revoke_key(books.admin, made["first"].key.id, and_made_with_it=True)
    assert {each.name for each in ended.also} == {"service", "theirs"}


async def test_keys_are_forgotten_long_after_they_ended(books: Books) -> None:
    now = clock.now()
    long_ago, lately = now - timedelta(days=101), now - timedelta(days=99)
    ends = {
        "revoked": (long_ago, None),
        "expired": (None, long_ago),
        "expired, revoked since": (lately, long_ago),
        "lately": (lately, None),
        "still works": (None, now + timedelta(days=1)),
    }
    for name, (revoked_at, expires_at) in ends.items():
        made = await made_by(books.admin, name)
        await _end(books, made.key.id, revoked_at, expires_at)

    again = await prune_keys.function(keep_days=100)

    left = {key.name for key in (await list_keys(books.admin)).rows}
    assert left == {"admin", "lately", "still works"}
    assert again is not None
    assert again.at > now + timedelta(hours=23)


async def _end(books: Books, key_id: ApiKeyId, *at: object) -> None:
    await books.sql.execute("UPDATE api_key SET revoked_at = $2, expires_at = $3 WHERE id = $1", key_id, *at)
