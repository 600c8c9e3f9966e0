"""Whoever keeps a line open for somebody hears at once that what it may has changed."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
import redis
from redis.client import PubSub

from tests.support.books import Books
from tests.support.deployment import Deployment
from tests.support.polling import WAIT_SECONDS, until
from tieline.ids import PersonId
from tieline.live.hints import CHANNEL, decode
from tieline.practices.api_keys.service import NewKey, create_key, revoke_key
from tieline.practices.members.service import (
    MemberChange,
    deactivate_person,
    reactivate_person,
    update_member,
)
from tieline.practices.service import NewMember, add_client_member, add_member
from tieline.practices.teams.service import create_team, delete_team, set_team_members
from tieline.principal import ClientRole, Role


@pytest.fixture
def channel(opened: Deployment) -> Iterator[PubSub]:
    """All hints of the deployment."""
    with (
        redis.Redis.from_url(opened.redis_url) as client,
        client.pubsub(ignore_subscribe_messages=True) as heard,
    ):
        heard.subscribe(CHANNEL)
        heard.get_message(timeout=WAIT_SECONDS)
        yield heard


async def told(books: Books, channel: PubSub) -> set[UUID]:
    """Whose authority the next hint about this practice's names."""
    found: list[set[UUID]] = []

    async def came() -> bool:
        message = channel.get_message()
        told = decode(message["data"]) if message else None
        if told is not None and told[0] == books.practice_id and told[1].get("authority"):
            found.append(set(told[1]["authority"] or ()))
        return bool(found)

    await until(came, "a hint about authority came")
    return found[0]


async def test_each_change_of_what_somebody_may_is_told(books: Books, channel: PubSub) -> None:
    member = await books.member()
    assert member.person_id is not None
    person_id, team = PersonId(member.person_id), await create_team(books.admin, "North")
    key = await create_key(books.admin, NewKey(name="Nightly", for_service=True, scopes=frozenset()))
    own = await create_key(member, NewKey(name="Laptop"))

    for change, whose in (
        (lambda: update_member(books.admin, person_id, MemberChange(role=Role.ADMIN)), {person_id}),
        (lambda: set_team_members(books.admin, team.id, [person_id, books.me]), {person_id, books.me}),
        (lambda: delete_team(books.admin, team.id, moves_clients_to=None), {person_id, books.me}),
        (lambda: revoke_key(books.admin, key.key.id), {key.key.id}),
        (lambda: revoke_key(member, own.key.id), {own.key.id, person_id}),
        (lambda: deactivate_person(books.admin, person_id), {person_id}),
        (lambda: reactivate_person(books.admin, person_id), {person_id}),
    ):
        await change()

        assert await told(books, channel) == whose


async def test_who_is_known_already_and_added_for_more_is_told_too(books: Books, channel: PubSub) -> None:
    first, second = [await books.client(name) for name in ("Acorn", "Birch")]
    reader = await books.of_client(first, ClientRole.READER)
    email = await books.sql.fetchval("SELECT email FROM person WHERE id = $1", reader.person_id)
    member = NewMember(name="Theirs", email=email, role=Role.MEMBER)

    added = await add_member(books.practice_id, member)
    told_of_more = await told(books, channel)
    listed = await add_client_member(
        books.practice_id, name="Theirs", email=email, client_id=second.id, role=ClientRole.READER
    )

    assert added == listed == reader.person_id
    assert told_of_more == await told(books, channel) == {reader.person_id}
    number = await books.sql.fetchval("SELECT authority FROM person WHERE id = $1", reader.person_id)
    assert number == 2
