"""Who did what is written with what was done, by whom there is somebody, and kept long after it is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.support.books import Books
from tieline import clock
from tieline.activity.actors import prune_activity
from tieline.activity.repository import Activity, KeyUsed
from tieline.activity.service import list_activity
from tieline.clients.editing import ClientChanges, update_client
from tieline.clients.purging.service import purge
from tieline.clients.service import NewClient, create_client, delete_client, rename_client
from tieline.connections import service as connections
from tieline.connections.warnings.service import expire
from tieline.errors import CodeTaken, CursorInvalid, Forbidden, Invalid, NotFound
from tieline.ids import ApiKeyId, ClientId, PersonId, new_id
from tieline.pages import Keyset, encode_cursor, list_of
from tieline.practices.service import create_team
from tieline.principal import ClientRole, Permission, Principal
from tieline.sync.service import refresh_lists


async def lines(books: Books) -> list[tuple[str, PersonId | None]]:
    """Kinds, and who did it, the latest first."""
    return [(done.kind, done.person_id) for done in await seen(books)]


async def seen(books: Books, **filters: object) -> tuple[Activity, ...]:
    return (await list_activity(books.admin, **filters)).rows  # type: ignore[arg-type]


async def test_each_change_is_told_with_its_doer_its_client_and_what_it_was_done_to(books: Books) -> None:
    member = await books.member(Permission.SYNC, Permission.MANAGE_CONNECTIONS)
    client = await books.client("Acorn")
    connection = await books.connected(client, await books.organisation("Acorn"))
    await rename_client(member, client.id, "Acorn Two")
    run = await refresh_lists(member, connection.id)
    await connections.disconnect(member, connection.id)

    told = await seen(books)

    of_connection = {
        "connection_id": str(connection.id),
        "organisation_id": str(connection.organisation_id),
        "product": "BOOKKEEPING",
    }
    assert [(done.kind, done.person_id, done.client_id, done.subject_id, done.details) for done in told] == [
        ("CONNECTION_DISCONNECTED", member.person_id, client.id, connection.id, of_connection),
        (
            "SYNC_ASKED",
            member.person_id,
            client.id,
            run.id,
            {"run_id": str(run.id), "trigger": "REFRESH_LISTS"},
        ),
        (
            "CONNECTION_MISMATCH_CHANGED",
            member.person_id,
            client.id,
            connection.id,
            of_connection | {"mismatch": True},
        ),
        ("CLIENT_RENAMED", member.person_id, client.id, None, {}),
        ("CONNECTION_CONNECTED", books.me, client.id, connection.id, of_connection),
        ("CLIENT_CREATED", books.me, client.id, None, {}),
    ]


async def test_a_change_of_a_client_says_of_what_and_not_to_what(books: Books) -> None:
    team_id = await create_team(books.practice_id, "North")
    client = await books.client("Acorn", practice_code="A1", country="GB")

    for changes in (
        ClientChanges(practice_code="B2", country="GB"),
        ClientChanges(name="Birch", team_id=team_id, currency="GBP", legal_name="Birch Ltd", country=None),
    ):
        await update_client(books.admin, client.id, changes)

    assert [(done.kind, done.details) for done in await seen(books)][:3] == [
        ("CLIENT_RENAMED", {}),
        ("CLIENT_CHANGED", {"fields": ["legalName", "teamId", "country", "currency"]}),
        ("CLIENT_CHANGED", {"fields": ["practiceCode"]}),
    ]


async def test_what_the_system_does_by_itself_is_nobodys_activity(books: Books) -> None:
    client = await books.client("Acorn")
    connection = await books.connected(client, await books.organisation("Acorn"))
    await books.sql.execute(
        "UPDATE consent SET consented_at = consented_at - interval '2 years' WHERE practice_id = $1",
        books.practice_id,
    )
    before = await lines(books)

    expired = await expire(books.practice_id, most=10)

    assert expired == 1
    assert (await books.row("connection", connection.id))["reason"] == "CONSENT_EXPIRED"
    assert await lines(books) == before


async def test_what_was_done_with_a_key_is_told_with_its_name_and_beginning(books: Books) -> None:
    service = await books.calling(None, scopes=frozenset({Permission.MANAGE_CONNECTIONS}))
    await create_client(service, NewClient(name="Acorn"))
    await create_client(books.admin, NewClient(name="Birch"))
    await create_client(replace(books.admin, api_key_id=None), NewClient(name="Cedar"))

    told, by_service = await seen(books), await seen(books, api_key_id=service.api_key_id)

    kept = [await books.row("api_key", each.api_key_id) for each in (books.admin, service) if each.api_key_id]
    admins, services = [KeyUsed(id=key["id"], name=key["name"], prefix=key["prefix"]) for key in kept]
    assert [(done.kind, done.person_id, done.key) for done in told] == [
        ("CLIENT_CREATED", books.me, None),
        ("CLIENT_CREATED", books.me, admins),
        ("CLIENT_CREATED", None, services),
    ]
    assert (admins.name, services.name) == ("admin", "test")
    assert by_service == told[2:]
    with pytest.raises(NotFound):
        await seen(books, api_key_id=ApiKeyId(new_id()))


async def test_a_change_that_fails_leaves_no_activity(books: Books) -> None:
    await books.client("Acorn", practice_code="A1")

    with pytest.raises(CodeTaken):
        await books.client("Birch", practice_code="A1")

    assert await lines(books) == [("CLIENT_CREATED", books.me)]


async def test_a_client_that_is_gone_is_still_told_of_by_its_id(books: Books) -> None:
    client, other = await books.client("Acorn"), await books.client("Birch")
    await delete_client(books.admin, client.id)
    assert await purge(books.practice_id, client.id) is None
    assert await books.count("client", f"id = '{client.id}'") == 0

    told = await seen(books, client_id=client.id)

    assert [(done.kind, done.client_id) for done in told] == [
        ("CLIENT_DELETED", client.id),
        ("CLIENT_CREATED", client.id),
    ]
    assert [done.client_id for done in await seen(books)].count(other.id) == 1


async def test_a_list_is_narrowed_by_person_kind_and_time(books: Books) -> None:
    member = await books.member(Permission.MANAGE_CONNECTIONS)
    acorn, birch = await books.client("Acorn"), await create_client(member, NewClient(name="Birch"))
    await rename_client(books.admin, birch.id, "Birch Two")
    marks = [done.at for done in reversed(await seen(books))]

    by_member = await seen(books, person_id=member.person_id)
    renamed = await seen(books, kinds=["CLIENT_RENAMED", "CLIENT_DELETED"])
    later = await seen(books, since=marks[1])
    earlier = await seen(books, until=marks[1])
    nothing = await seen(books, kinds=["OTHER"])

    assert [(done.kind, done.client_id) for done in by_member] == [("CLIENT_CREATED", birch.id)]
    assert [(done.kind, done.client_id) for done in renamed] == [("CLIENT_RENAMED", birch.id)]
    assert [done.kind for done in later] == ["CLIENT_RENAMED", "CLIENT_CREATED"]
    assert [(done.kind, done.client_id) for done in earlier] == [("CLIENT_CREATED", acorn.id)]
    assert nothing == ()


async def test_paged_to_its_end_each_line_is_there_once_also_those_of_one_instant(books: Books) -> None:
    clients = [ClientId((await books.client(f"Client {number}")).id) for number in range(5)]
    await books.sql.execute(
        "UPDATE activity SET at = (SELECT min(at) FROM activity WHERE practice_id = $1) WHERE practice_id = $1",
        books.practice_id,
    )

    found: list[ClientId | None] = []
    after: str | None = None
    while True:
        page = await list_activity(books.admin, first=2, after=after)
        found += [done.client_id for done in page.rows]
        if not page.has_next:
            break
        after = page.cursors[-1]

    assert found == clients[::-1]
    assert page.total == 5


@pytest.mark.parametrize("key", ["yesterday", "0001-01-01T00:00:00+23:59"])
async def test_a_cursor_that_nobody_gave_out_is_refused(books: Books, key: str) -> None:
    (client_id,) = await books.clients(1)
    listed = list_of("activity", books.practice_id, None, None, None, [], None, None)
    forged = encode_cursor(listed, Keyset(key=key, id=client_id))

    with pytest.raises(CursorInvalid):
        await list_activity(books.admin, after=forged)


async def test_an_instant_without_an_offset_is_refused(books: Books) -> None:
    with pytest.raises(Invalid) as refused:
        await seen(books, since=datetime(2031, 5, 4))  # noqa: DTZ001 - that is what is refused

    assert refused.value.field == "since"


async def test_only_admins_read_it_also_by_a_key_that_is_narrowed(books: Books) -> None:
    client = await books.client("Acorn")
    narrowed = await books.calling(books.me, scopes=frozenset({Permission.SYNC}))
    others: list[Principal] = [
        await books.member(*Permission),
        await books.calling(None, scopes=frozenset(Permission)),
        await books.of_client(client, ClientRole.ADMINISTRATOR),
    ]

    for caller in others:
        with pytest.raises(Forbidden):
            await list_activity(caller)

    assert [done.kind for done in (await list_activity(narrowed)).rows] == ["CLIENT_CREATED"]


async def test_what_is_older_than_the_retention_is_forgotten(books: Books) -> None:
    await books.client("Acorn")
    await books.client("Birch")
    await books.sql.execute(
        "UPDATE activity SET at = $2 WHERE position = (SELECT min(position) FROM activity WHERE practice_id = $1)",
        books.practice_id,
        clock.now() - timedelta(days=101),
    )

    again = await prune_activity.function(keep_days=100)

    assert await lines(books) == [("CLIENT_CREATED", books.me)]
    assert again is not None
    assert again.at > clock.now() + timedelta(hours=23)
