"""What many rows would come to, said beforehand: it equals what then happens, changes nothing, and waits for nobody."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.books import BOOKKEEPING, Books
from tests.support.statements import all_connected, taken_down
from tieline.clients.adding.decisions import Wanted
from tieline.clients.adding.service import AddOutcome, add_clients, preview_add_clients
from tieline.connections.decisions import Asked
from tieline.connections.moving.service import (
    MoveOutcome,
    preview_reassign,
    preview_reconnect_all,
    reassign,
    reconnect_all,
)
from tieline.connections.service import RowOutcome, bulk_connect, disconnect, preview_bulk_connect
from tieline.errors import Forbidden, Invalid, NotFound
from tieline.ids import ClientId, ConnectionId, OrganisationId, SignInId, TeamId, new_id
from tieline.principal import Permission

_LOCKED = ("practice", "client", "organisation", "credential", "connection", "sign_in")


@dataclass(frozen=True, kw_only=True)
class Muddle:
    """Clients, organisations and connections in every state, and a sign-in that reaches some of it."""

    sign_in_id: SignInId
    clients: list[ClientId]
    organisations: list[OrganisationId]
    connections: list[ConnectionId]


async def muddle(books: Books, draw: random.Random) -> Muddle:
    clients = [(await books.client(f"Client {number}")).id for number in range(6)]
    organisations = await books.organisations(*(f"Client {number + 3}" for number in range(6)))
    connections = []
    for client_id, organisation_id in zip(
        draw.sample(clients, 4), draw.sample(organisations, 4), strict=True
    ):
        made = await books.connected(client_id, organisation_id)
        connections.append(made.id)
        match draw.choice(("works", "expired", "disconnected", "shut")):
            case "expired":
                await books.expire(made, "TOKEN_EXPIRED")
            case "shut":
                await books.expire(made, "ACCESS_LOST")
            case "disconnected":
                await disconnect(books.admin, made.id)
    sign_in_id = await books.sign_in(await books.credential(), draw.sample(organisations, 5))
    narrow = await books.credential(scopes=["reports"])
    await books.sql.execute(
        "UPDATE sign_in_organisation SET credential_id = $2 WHERE sign_in_id = $3 AND organisation_id = $1",
        draw.choice(organisations),
        narrow,
        sign_in_id,
    )
    return Muddle(
        sign_in_id=sign_in_id,
        clients=[*clients, ClientId(new_id())],
        organisations=[*organisations, OrganisationId(new_id())],
        connections=[*connections, ConnectionId(new_id())],
    )


def told(outcomes: Sequence[RowOutcome | AddOutcome]) -> list[tuple[str, str | None]]:
    return [(each.outcome, str(each.refusal) if each.refusal else None) for each in outcomes]


def moved(outcomes: Sequence[MoveOutcome]) -> list[tuple[ConnectionId, str, str | None]]:
    return [
        (each.connection_id, each.outcome, str(each.refusal) if each.refusal else each.note)
        for each in outcomes
    ]


async def rows_of(books: Books) -> dict[str, list[Any]]:
    tables = (*_LOCKED, "event", "sync_run", "job", "client_word")
    return {
        table: await books.sql.fetch(
            f"SELECT to_jsonb(t)::text FROM {table} AS t WHERE {'id' if table == 'practice' else 'practice_id'} = $1 "
            "ORDER BY 1",
            books.practice_id,
        )
        for table in tables
    }


@pytest.mark.parametrize("seed", range(6))
async def test_a_preview_of_bulk_connect_says_what_then_happens(books: Books, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - no secret
    made = await muddle(books, draw)
    rows = [
        Asked(client_id=draw.choice(made.clients), organisation_id=draw.choice(made.organisations))
        for _ in range(14)
    ]
    before = await rows_of(books)

    foreseen = await preview_bulk_connect(books.admin, made.sign_in_id, BOOKKEEPING, rows)

    assert await rows_of(books) == before
    happened = await bulk_connect(books.admin, made.sign_in_id, BOOKKEEPING, rows)
    assert told(foreseen) == told(happened)
    assert len({each.outcome for each in foreseen}) >= 3


@pytest.mark.parametrize("seed", range(6))
async def test_a_preview_of_added_clients_says_what_then_happens(books: Books, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - no secret
    made = await muddle(books, draw)
    rows = [
        Wanted(
            client_id=ClientId(new_id()),
            organisation_id=draw.choice(made.organisations),
            name=draw.choice([None, "New", "new ltd", "Client 1", "*"]),
            team_id=draw.choice([None, None, None, TeamId(new_id())]),
            even_if_duplicate=draw.random() < 0.3,
        )
        for _ in range(14)
    ]
    before = await rows_of(books)

    foreseen = await preview_add_clients(books.admin, made.sign_in_id, BOOKKEEPING, rows)

    assert await rows_of(books) == before
    happened = await add_clients(books.admin, made.sign_in_id, BOOKKEEPING, rows)
    assert told(foreseen) == told(happened)
    assert len({each.outcome for each in foreseen}) >= 3


@pytest.mark.parametrize("seed", range(6))
async def test_a_preview_of_reassigning_says_what_then_happens(books: Books, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - no secret
    made = await muddle(books, draw)
    ids = [*made.connections, draw.choice(made.connections)]
    before = await rows_of(books)

    foreseen = await preview_reassign(books.admin, made.sign_in_id, ids)

    assert await rows_of(books) == before
    happened = await reassign(books.admin, made.sign_in_id, ids)
    assert moved(foreseen) == moved(happened)


@pytest.mark.parametrize("seed", range(6))
async def test_a_preview_of_reconnecting_all_says_what_then_happens(books: Books, seed: int) -> None:
    made = await muddle(books, random.Random(seed))  # noqa: S311 - no secret
    await books.sql.execute(
        "INSERT INTO sign_in_mended (practice_id, sign_in_id, connection_id) "
        "SELECT $1, $2, id FROM connection WHERE practice_id = $1 AND reason IS NULL ORDER BY id LIMIT 1",
        books.practice_id,
        made.sign_in_id,
    )
    before = await rows_of(books)

    foreseen = await preview_reconnect_all(books.admin, made.sign_in_id)

    assert await rows_of(books) == before
    happened = await reconnect_all(books.admin, made.sign_in_id)
    assert moved(foreseen.outcomes) == moved(happened.outcomes)
    assert foreseen.remaining == happened.remaining == 0


async def test_a_preview_shows_what_stands_there_now(books: Books) -> None:
    client, other = await books.client("Acme"), await books.client("Other")
    before, wanted = await books.organisations("Before", "Acme")
    connected = await books.connected(client, before)
    sign_in_id = await books.sign_in(await books.credential(), [before, wanted])
    added = Wanted(client_id=ClientId(new_id()), organisation_id=wanted, name="Wanted")

    [kept, new] = await preview_bulk_connect(
        books.admin,
        sign_in_id,
        BOOKKEEPING,
        [
            Asked(client_id=client.id, organisation_id=before),
            Asked(client_id=other.id, organisation_id=wanted),
        ],
    )
    [add] = await preview_add_clients(books.admin, sign_in_id, BOOKKEEPING, [added])
    [move] = await preview_reassign(books.admin, sign_in_id, [connected.id])

    assert (kept.outcome, kept.connection) == ("ALREADY_CONNECTED", connected)
    assert (new.outcome, new.connection) == ("CONNECTED", None)
    assert (add.outcome, add.client, add.connection) == ("ADDED", None, None)
    assert (move.outcome, move.connection) == ("REASSIGNED", connected)


async def test_a_preview_waits_for_nobody(books: Books) -> None:
    client = await books.client("Acme")
    connected = await books.connected(client, await books.organisation("Acme"))
    sign_in_id = await books.sign_in(await books.credential(), [connected.organisation_id])
    await books.expire(connected, "TOKEN_EXPIRED")
    asked = Asked(client_id=client.id, organisation_id=connected.organisation_id)
    wanted = Wanted(client_id=ClientId(new_id()), organisation_id=connected.organisation_id)
    await all_connected()
    held = books.sql.transaction()
    await held.start()
    try:
        for table in _LOCKED:
            own = "id" if table == "practice" else "practice_id"
            await books.sql.execute(f"SELECT FROM {table} WHERE {own} = $1 FOR UPDATE", books.practice_id)

        with taken_down() as statements:
            connecting = await preview_bulk_connect(books.admin, sign_in_id, BOOKKEEPING, [asked])
            adding = await preview_add_clients(books.admin, sign_in_id, BOOKKEEPING, [wanted])
            moving = await preview_reassign(books.admin, sign_in_id, [connected.id])
            [mending] = (await preview_reconnect_all(books.admin, sign_in_id)).outcomes
    finally:
        await held.rollback()

    outcomes = [connecting[0].outcome, adding[0].outcome, moving[0].outcome, mending.outcome]
    assert outcomes == ["CONNECTED", "ALREADY_ADDED", "REASSIGNED", "RECONNECTED"]
    assert not [each.sql for each in statements if "FOR NO KEY" in each.sql or "FOR UPDATE" in each.sql]


async def test_who_may_not_and_too_many_are_refused_as_the_change_itself_refuses_them(
    books: Books, other_books: Books
) -> None:
    sign_in_id = await books.sign_in(await books.credential(), [await books.organisation("Acme")])
    asked = Asked(client_id=ClientId(new_id()), organisation_id=OrganisationId(new_id()))
    wanted = Wanted(client_id=ClientId(new_id()), organisation_id=OrganisationId(new_id()))
    member = await books.member(Permission.SYNC)

    with pytest.raises(Forbidden):
        await preview_add_clients(member, sign_in_id, BOOKKEEPING, [])
    for caller in (await books.member(Permission.MANAGE_CONNECTIONS), other_books.admin):
        with pytest.raises(NotFound, match="sign-in"):
            await preview_bulk_connect(caller, sign_in_id, BOOKKEEPING, [asked])
        with pytest.raises(NotFound, match="sign-in"):
            await preview_add_clients(caller, sign_in_id, BOOKKEEPING, [wanted])
        with pytest.raises(NotFound, match="sign-in"):
            await preview_reassign(caller, sign_in_id, [ConnectionId(new_id())])
        with pytest.raises(NotFound, match="sign-in"):
            await preview_reconnect_all(caller, sign_in_id)
    with pytest.raises(Invalid, match="at most 1,000"):
        await preview_bulk_connect(books.admin, sign_in_id, BOOKKEEPING, [asked] * 1_001)
    with pytest.raises(Invalid, match="at most 1,000"):
        await preview_add_clients(books.admin, sign_in_id, BOOKKEEPING, [wanted] * 1_001)
    with pytest.raises(Invalid, match="at most 1,000"):
        await preview_reassign(books.admin, sign_in_id, [ConnectionId(new_id())] * 1_001)
