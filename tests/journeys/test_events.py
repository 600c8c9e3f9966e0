"""The feed of events: written with the change or not at all, and read without a gap however the commits fall."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.support.firm import Firm
from tests.support.jobs import JobTable
from tests.support.polling import until
from tieline.clients.repository import Client
from tieline.clients.service import NewClient, create_client, list_clients, rename_client
from tieline.errors import CursorExpired
from tieline.events.actors import prune_events
from tieline.events.kinds import ClientRenamed, Event
from tieline.events.repository import Batch, EventCursor, Recorded, insert_events
from tieline.events.service import read_events
from tieline.identity import authenticate
from tieline.ids import ClientId, new_id
from tieline.pages import Page, pack
from tieline.principal import ClientAccess, Permission, Principal
from tieline.work import unit_of_work

SOME_ID = "01890000-0000-7000-8000-000000000000"
Commit = Callable[[], Awaitable[None]]


@asynccontextmanager
async def written_early(principal: Principal, *events: Event) -> AsyncIterator[Commit]:
    """A transaction that has written its events and stays open until it is told to commit."""
    written, may_commit = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with unit_of_work(principal) as work:
            await insert_events(work.scope, events, at=work.now, correlation_id="early")
            written.set()
            await may_commit.wait()

    writing = asyncio.create_task(write())
    await written.wait()

    async def commit() -> None:
        may_commit.set()
        await writing

    try:
        yield commit
    finally:
        await commit()


async def cursor_of(principal: Principal) -> str:
    return (await list_clients(principal)).event_cursor


async def read_all(principal: Principal, after: str, *, limit: int = 500) -> list[Recorded]:
    """Everything up to now, batch by batch."""
    seen: list[Recorded] = []
    while True:
        batch = await read_events(principal, after, limit=limit)
        seen += batch.events
        after = batch.cursor.encode()
        if not batch.more:
            return seen


async def read_until(principal: Principal, after: str, count: int) -> Batch:
    """The batch after this cursor once it has so many events: those of other databases hold the feed up a moment."""
    batches: list[Batch] = []

    async def enough() -> bool:
        batches.append(await read_events(principal, after))
        return len(batches[-1].events) >= count

    await until(enough, f"{count} events can be read")
    return batches[-1]


def clients_in(events: tuple[Recorded, ...] | list[Recorded]) -> list[ClientId | None]:
    return [event.client_id for event in events]


async def test_an_event_that_commits_late_is_not_skipped(firm: Firm) -> None:
    principal = Principal.machine(firm.practice_id)
    start = await cursor_of(principal)
    late = ClientId(new_id())

    async with written_early(principal, ClientRenamed(client_id=late)) as commit:
        early = (await create_client(principal, NewClient(name="Commits first"))).id
        meanwhile = await read_events(principal, start)
        await commit()
    afterwards = await read_until(principal, meanwhile.cursor.encode(), 2)

    assert meanwhile.events == (), "what would let a reader pass over the open one waits for it"
    assert clients_in(afterwards.events) == [late, early]


async def test_a_reader_that_goes_on_from_its_cursor_gets_nothing_twice(firm: Firm) -> None:
    principal = Principal.machine(firm.practice_id)
    start = await cursor_of(principal)
    first = (await create_client(principal, NewClient(name="First"))).id
    batch = await read_until(principal, start, 1)

    second = (await create_client(principal, NewClient(name="Second"))).id
    rest = await read_until(principal, batch.cursor.encode(), 1)

    assert clients_in(batch.events) == [first]
    assert clients_in(rest.events) == [second]
    assert clients_in(await read_all(principal, start)) == [first, second], (
        "the same cursor tells the same again"
    )
    assert (await read_events(principal, rest.cursor.encode())).events == ()


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_batches_join_to_the_whole_feed_also_in_the_middle_of_one_transaction(
    firm: Firm, limit: int
) -> None:
    principal = Principal.machine(firm.practice_id)
    start = await cursor_of(principal)
    wanted = [ClientId(new_id()) for _ in range(7)]
    async with unit_of_work(principal) as work:
        for client_id in wanted:
            work.event(ClientRenamed(client_id=client_id))
    await read_until(principal, start, 7)

    seen = await read_all(principal, start, limit=limit)

    assert clients_in(seen) == wanted
    assert [event.cursor for event in seen] == sorted({event.cursor for event in seen})


async def test_events_that_follow_one_another_are_read_in_that_order(firm: Firm) -> None:
    principal = Principal.machine(firm.practice_id)
    start = await cursor_of(principal)

    created = [(await create_client(principal, NewClient(name=f"C{number}"))).id for number in range(5)]
    for client_id in created[::-1]:
        await rename_client(principal, client_id, f"Renamed {client_id}")
    batch = await read_until(principal, start, 10)

    assert clients_in(batch.events) == created + created[::-1]
    assert [event.kind for event in batch.events] == ["CLIENT_CREATED"] * 5 + ["CLIENT_RENAMED"] * 5


async def test_a_page_and_the_events_after_it_miss_nothing_while_clients_change(firm: Firm) -> None:
    principal = Principal.machine(firm.practice_id)
    chance = random.Random(7)  # noqa: S311 - moments, not secrets
    pages: list[Page[Client]] = [await list_clients(principal, first=200)]
    over = asyncio.Event()

    async def change(number: int) -> None:
        await asyncio.sleep(chance.random() / 10)
        client = await create_client(principal, NewClient(name=f"Client {number}"))
        for turn in range(3):
            await rename_client(principal, client.id, f"Client {number} {turn}")

    async def look() -> None:
        while not over.is_set():
            pages.append(await list_clients(principal, first=200))

    looking = [asyncio.create_task(look()) for _ in range(2)]
    await asyncio.gather(*(change(number) for number in range(25)))
    over.set()
    await asyncio.gather(*looking)

    final = {client.id: client.name for client in (await list_clients(principal, first=200)).rows}
    await read_until(principal, pages[0].event_cursor, 100)
    assert len(final) == 25
    assert len({frozenset(client.name for client in page.rows) for page in pages}) > 5, "pages saw it change"
    for page in pages:
        shown = {client.id: client.name for client in page.rows}
        told = set(clients_in(await read_all(principal, page.event_cursor)))
        stale = {client_id for client_id, name in final.items() if shown.get(client_id) != name}
        assert stale <= told


async def test_a_member_is_told_of_the_clients_it_may_see_and_its_cursor_moves_past_the_others(
    firm: Firm,
) -> None:
    member = await firm.member(Permission.MANAGE_CONNECTIONS, clients=ClientAccess.LISTED)
    principal = await authenticate(member.key)
    start = await cursor_of(principal)
    mine = await member.create_client("Mine")
    await firm.admin.create_client("Not for the member")
    await read_until(Principal.machine(firm.practice_id), start, 2)

    batch = await read_events(principal, start)

    assert [str(client_id) for client_id in clients_in(batch.events)] == [mine]
    assert (await read_events(principal, batch.cursor.encode())).events == ()


async def test_practices_are_told_nothing_of_each_other(firm: Firm, other_firm: Firm) -> None:
    start = await cursor_of(Principal.machine(firm.practice_id))
    await firm.admin.create_client("Ours")
    await read_until(Principal.machine(firm.practice_id), start, 1)

    assert (await read_events(Principal.machine(other_firm.practice_id), start)).events == ()


async def test_a_roll_back_leaves_no_event_and_no_job(firm: Firm, jobs: JobTable) -> None:
    principal = Principal.machine(firm.practice_id)
    start = await cursor_of(principal)

    async def fail_late() -> None:
        async with unit_of_work(principal) as work:
            work.event(ClientRenamed(client_id=ClientId(new_id())))
            work.enqueue(prune_events, key="test", keep_days=30)
            await work.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_late()
    created = (await create_client(principal, NewClient(name="Afterwards"))).id

    assert clients_in((await read_until(principal, start, 1)).events) == [created]
    assert await jobs.all() == []
    assert jobs.rings("background") == 0


async def test_a_cursor_of_another_feed_has_expired(firm: Firm) -> None:
    principal = Principal.machine(firm.practice_id)
    current = EventCursor.decode(await cursor_of(principal))
    restored = EventCursor(epoch=new_id(), xid=current.xid, position=current.position)

    with pytest.raises(CursorExpired):
        await read_events(principal, restored.encode())


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "W10",
        "ÿ",
        "a" * 5_000,
        "\ud800",
        pack("not an epoch", 1, 0),
        pack(SOME_ID, -1, 0),
        pack(SOME_ID, 2**63, 0),
        pack(SOME_ID, "1", 0),
        pack(SOME_ID, 1),
    ],
)
async def test_a_broken_cursor_has_expired(firm: Firm, cursor: str) -> None:
    with pytest.raises(CursorExpired):
        await read_events(Principal.machine(firm.practice_id), cursor)
