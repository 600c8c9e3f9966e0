"""Who leaves comes in no more, also not by keys that it made for others and whose secrets it was shown."""

from __future__ import annotations

from tests.support.books import Books
from tieline.activity.service import list_activity
from tieline.errors import Unauthenticated
from tieline.identity import authenticate
from tieline.ids import PersonId, new_id
from tieline.practices import service as setting_up
from tieline.practices.api_keys.service import CreatedKey, NewKey, create_key, list_keys
from tieline.practices.keys import issue_key
from tieline.practices.members.service import MemberChange, deactivate_person, update_member
from tieline.practices.repository import KeyRecord
from tieline.principal import Permission, Principal, Role

SYNC = frozenset({Permission.SYNC})


def of(caller: Principal) -> PersonId:
    assert caller.person_id is not None
    return caller.person_id


def names(keys: tuple[KeyRecord, ...]) -> set[str]:
    return {key.name for key in keys}


async def works(made: CreatedKey) -> bool:
    try:
        await authenticate(made.secret.reveal())
    except Unauthenticated:
        return False
    return True


async def working(made: dict[str, CreatedKey]) -> list[str]:
    return [name for name, each in made.items() if await works(each)]


async def without_a_key(books: Books, caller: Principal) -> Principal:
    """As who signs in with a token of the issuer: no key leads to what is made now."""
    await books.sql.execute("DELETE FROM api_key WHERE id = $1", caller.api_key_id)
    return Principal(
        practice_id=caller.practice_id,
        person_id=caller.person_id,
        api_key_id=None,
        role=caller.role,
        client_access=caller.client_access,
        permissions=caller.permissions,
        key_scopes=None,
    )


async def hoard(books: Books) -> tuple[Principal, dict[str, CreatedKey]]:
    """An admin who made keys of many kinds, what was made with them, and keys that a colleague made."""
    ann = await without_a_key(books, await books.member(role=Role.ADMIN))
    kim = await books.member(role=Role.ADMIN)
    as_kim = await create_key(ann, NewKey(name="as Kim", person_id=of(kim)))
    by_kim = await authenticate(as_kim.secret.reveal())
    made = {
        "own": await create_key(ann, NewKey(name="own")),
        "as Kim": as_kim,
        "again": await create_key(by_kim, NewKey(name="again")),
        "service": await create_key(ann, NewKey(name="service", for_service=True, scopes=SYNC)),
        "by Kim's": await create_key(by_kim, NewKey(name="by Kim's", for_service=True, scopes=SYNC)),
        "Kim's own": await create_key(kim, NewKey(name="Kim's own")),
        "other": await create_key(kim, NewKey(name="other", for_service=True, scopes=SYNC)),
    }
    return ann, made


async def test_a_leaver_does_not_come_back_by_keys_that_it_made_for_others(books: Books) -> None:
    ann, made = await hoard(books)

    gone = await deactivate_person(books.admin, of(ann))

    assert await working(made) == ["service", "by Kim's", "Kim's own", "other"]
    assert names(gone.keys.revoked) == {"as Kim", "again"}
    assert {key.state(key.created_at) for key in gone.keys.revoked} == {"revoked"}
    assert names(gone.keys.remaining) == {"service", "by Kim's"}
    told = (await list_activity(books.admin, kinds=["API_KEY_REVOKED"])).rows
    assert {done.subject_id for done in told} == {made["as Kim"].key.id, made["again"].key.id}


async def test_keys_of_services_that_a_leaver_made_end_when_they_are_asked_to(books: Books) -> None:
    ann, made = await hoard(books)
    await deactivate_person(books.admin, of(ann))

    then = await deactivate_person(books.admin, of(ann), and_keys_of_services=True)
    again = await deactivate_person(books.admin, of(ann), and_keys_of_services=True)

    assert await working(made) == ["Kim's own", "other"]
    assert (names(then.keys.revoked), then.keys.remaining) == ({"service", "by Kim's"}, ())
    assert (again.keys.revoked, again.keys.remaining) == ((), ())
    assert len((await list_activity(books.admin, kinds=["PERSON_DEACTIVATED"])).rows) == 1


async def test_what_was_made_with_a_key_that_has_ended_since_ends_with_its_maker_too(books: Books) -> None:
    ann, made = await hoard(books)
    await books.sql.execute("UPDATE api_key SET revoked_at = now() WHERE id = $1", made["as Kim"].key.id)

    gone = await deactivate_person(books.admin, of(ann))

    assert names(gone.keys.revoked) == {"again"}
    assert not await works(made["again"])


async def test_the_key_that_somebody_is_deactivated_with_works_on_and_is_told_to_be_replaced(
    books: Books,
) -> None:
    ann, made = await hoard(books)
    kim = await authenticate(made["as Kim"].secret.reveal())

    gone = await deactivate_person(kim, of(ann), and_keys_of_services=True)

    assert await working(made) == ["as Kim", "Kim's own", "other"]
    assert names(gone.keys.remaining) == {"as Kim"}


async def test_who_is_no_admin_any_more_keeps_no_key_that_acts_as_somebody_else(books: Books) -> None:
    ann, made = await hoard(books)

    await update_member(books.admin, of(ann), MemberChange(permissions=frozenset()))
    before = await working(made)
    await update_member(books.admin, of(ann), MemberChange(role=Role.MEMBER))

    assert before == list(made)
    assert await working(made) == ["own", "service", "by Kim's", "Kim's own", "other"]


async def test_the_operator_who_removes_somebody_is_told_what_became_of_its_keys(books: Books) -> None:
    ann, made = await hoard(books)

    keys = await setting_up.remove_member(books.practice_id, of(ann))

    assert (names(keys.revoked), names(keys.remaining)) == ({"as Kim", "again"}, {"service", "by Kim's"})
    assert await working(made) == ["service", "by Kim's", "Kim's own", "other"]


async def test_a_key_says_who_made_it_and_with_which_one(books: Books) -> None:
    ann, made = await hoard(books)
    await issue_key(books.practice_id, name="by the operator", person_id=of(ann))

    listed = {key.name: (key.made_by, key.made_with) for key in (await list_keys(books.admin)).rows}

    kim, as_kim = made["as Kim"].key.person_id, made["as Kim"].key.id
    assert listed["as Kim"] == listed["service"] == (ann.person_id, None)
    assert listed["again"] == listed["by Kim's"] == (kim, as_kim)
    assert listed["by the operator"] == (None, None)


async def test_keys_of_another_practice_are_nobodys_business(books: Books) -> None:
    ann, _ = await hoard(books)
    elsewhere = await setting_up.create_practice(
        f"Elsewhere {new_id()}",
        admin=setting_up.NewMember(name="Sam", email="sam@elsewhere.invalid", role=Role.ADMIN),
    )
    theirs = await issue_key(elsewhere.id, name="theirs", person_id=None, scopes=SYNC)
    await books.sql.execute("UPDATE api_key SET made_by = $2 WHERE id = $1", theirs.id, ann.person_id)

    gone = await deactivate_person(books.admin, of(ann), and_keys_of_services=True)

    assert "theirs" not in names(gone.keys.revoked + gone.keys.remaining)
    assert (await authenticate(theirs.secret.reveal())).practice_id == elsewhere.id
