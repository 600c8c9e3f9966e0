"""Many who read the events of one practice in one process: what it costs, and that nobody misses anything."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, aclosing, asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from tests.support import hints
from tests.support.deployment import Deployment
from tests.support.events import EVENTS, backlog, cursor_of, rename, settled, written
from tests.support.firm import Caller, Firm
from tests.support.polling import WAIT_SECONDS, until
from tests.support.statements import Statement, all_connected, taken_down
from tieline import live
from tieline.clients.service import rename_client
from tieline.database.connect import pool
from tieline.events import feeds
from tieline.events.feeds import BATCH, FEEDS, reading
from tieline.events.kinds import ClientRenamed
from tieline.events.repository import EventCursor, Recorded
from tieline.ids import ClientId, PracticeId, new_id
from tieline.live.watchers import WATCHERS
from tieline.principal import ClientAccess, Permission, Principal
from tieline.work import unit_of_work
from tieline_gateway.auth import context_of
from tieline_gateway.graphql import context as context_module
from tieline_gateway.graphql.events import following as following_module
from tieline_gateway.graphql.events.following import follow_events
from tieline_gateway.graphql.schema import build_schema
from tieline_gateway.transport.incoming import Credentials


@pytest.fixture
async def hearing(opened: Deployment) -> AsyncIterator[None]:
    """Hints reach this process; at the end of the test nobody listens any more."""
    async with live.listening(opened.settings):
        await hints.hearing()
        await all_connected()
        yield
        assert (len(FEEDS), len(WATCHERS)) == (0, 0)


@asynccontextmanager
async def following(caller: Caller, after: str, seen: list[Recorded]) -> AsyncIterator[asyncio.Task[None]]:
    """Everything that this caller is told, until the block ends."""

    async def follow() -> None:
        async with aclosing(follow_events(await context_of(Credentials(token=caller.key)), after)) as events:
            async for event in events:
                seen.append(event)  # noqa: PERF401 - seen as it comes

    task = asyncio.create_task(follow())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


@pytest.fixture
def unaging(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read, and who asks, is not looked at once more because this process stood still for seconds."""
    monkeypatch.setattr(feeds, "KEPT_SECONDS", WAIT_SECONDS)
    monkeypatch.setattr(following_module, "SENDING_SECONDS", WAIT_SECONDS)
    monkeypatch.setattr(context_module, "AUTHORITY_SECONDS", WAIT_SECONDS)


def reads(statements: list[Statement]) -> int:
    return sum("FROM feed" in one.sql and "LATERAL" in one.sql for one in statements)


def all_have(seen: list[list[Recorded]], count: int) -> Callable[[], Any]:
    async def holds() -> bool:
        return all(len(each) >= count for each in seen)

    return holds


@pytest.mark.usefixtures("hearing", "unaging")
async def test_two_hundred_subscribers_cost_hardly_more_reads_than_one(firm: Firm) -> None:
    ids = [await firm.admin.create_client(f"Client {number}") for number in range(25)]
    start, seen = await cursor_of(firm.admin), [list[Recorded]() for _ in range(200)]

    async with _all([following(firm.admin, start, each) for each in seen]):
        await rename(firm.admin, ids[0], "First")
        await until(all_have(seen, 1), "all have begun")
        with taken_down() as statements:
            for number, client_id in enumerate(ids):
                await rename(firm.admin, client_id, f"Renamed {number}")
            await until(all_have(seen, 26), "all have been told of all")

    assert {tuple(str(event.client_id) for event in each) for each in seen} == {(ids[0], *ids)}
    assert reads(statements) <= 500, (
        "about one a change, more on a busy machine; each for itself would be 5,000"
    )


@asynccontextmanager
async def _all(contexts: list[Any]) -> AsyncIterator[None]:
    """Entered by one task each, all at once."""
    leave = asyncio.Event()

    async def stay(context: Any) -> None:
        async with context:
            await leave.wait()

    tasks = [asyncio.create_task(stay(context)) for context in contexts]
    try:
        yield
    finally:
        leave.set()
        await asyncio.gather(*tasks)


@pytest.mark.usefixtures("hearing")
async def test_readers_of_any_place_get_all_in_order_while_transactions_overlap(
    firm: Firm, opened: Deployment
) -> None:
    machine, chance = Principal.machine(firm.practice_id), random.Random(11)  # noqa: S311 - moments
    starts, seen = [await cursor_of(firm.admin)], [list[Recorded]() for _ in range(40)]
    told = [ClientId(new_id()) for _ in range(150)]

    async def write(client_id: ClientId) -> None:
        await asyncio.sleep(chance.random() * 2)
        async with unit_of_work(machine) as work:
            work.event(ClientRenamed(client_id=client_id))
            await work.flush()
            work._events.clear()
            await asyncio.sleep(chance.random() / 5)
        starts.append(await cursor_of(firm.admin))

    async def read(into: list[Recorded]) -> None:
        await asyncio.sleep(chance.random() * 2)
        start = chance.choice(starts)
        begun[id(into)] = EventCursor.decode(start)
        async with following(firm.admin, start, into):
            await over.wait()

    begun: dict[int, EventCursor] = {}
    over = asyncio.Event()
    reading_all = [asyncio.create_task(read(each)) for each in seen]
    await asyncio.gather(*(write(client_id) for client_id in told))
    whole = await _everything(machine, EventCursor.decode(starts[0]), len(told))
    for each in seen:
        await until(all_have([each], sum(event.cursor > begun[id(each)] for event in whole)), "it has all")
    over.set()
    await asyncio.gather(*reading_all)

    assert [(event.kind, str(event.client_id), None, None) for event in whole] == await written(opened, firm)
    assert Counter(event.client_id for event in whole) == Counter(told)
    for each in seen:
        assert each == [event for event in whole if event.cursor > begun[id(each)]]


async def _everything(principal: Principal, place: EventCursor, count: int) -> list[Recorded]:
    """So many events after a place, by a reader of our own."""
    found: list[Recorded] = []
    with reading(principal.practice_id) as reader:
        while len(found) < count:
            batch = await reader.read(principal, place)
            found += batch.events
            place = batch.cursor
            if not batch.more and len(found) < count:
                await reader.wait()
    return found


@pytest.mark.usefixtures("hearing", "unaging")
async def test_a_slow_reader_of_a_long_backlog_holds_one_batch(firm: Firm, opened: Deployment) -> None:
    client_id, start = await firm.admin.create_client("Acorn"), await cursor_of(firm.admin)
    await backlog(opened, firm, client_id, 5 * BATCH)

    with taken_down() as statements:
        async with aclosing(
            follow_events(await context_of(Credentials(token=firm.admin.key)), start)
        ) as events:
            counts = []
            for _ in range(2 * BATCH + 1):
                await anext(events)
                counts.append(reads(statements))

    assert counts == [1] * BATCH + [2] * BATCH + [3]


@pytest.mark.usefixtures("hearing")
async def test_what_is_sent_late_is_read_again_for_the_caller_may_see_less_by_now(
    firm: Firm, opened: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "KEPT_SECONDS", 0.2)
    monkeypatch.setattr(following_module, "SENDING_SECONDS", 0.2)
    member = await firm.member(Permission.MANAGE_CONNECTIONS, clients=ClientAccess.LISTED)
    acorn, birch = [await member.create_client(name) for name in ("Acorn", "Birch")]
    start = await cursor_of(firm.admin)
    await backlog(opened, firm, acorn, 10)
    await backlog(opened, firm, birch, 1)
    above = await opened.connect()

    async with aclosing(follow_events(await context_of(Credentials(token=member.key)), start)) as events:
        told = [await anext(events), await anext(events)]
        await above.execute("DELETE FROM member_client WHERE client_id = $1", UUID(acorn))
        await asyncio.sleep(0.5)
        told.append(await anext(events))
    await above.close()

    assert [str(event.client_id) for event in told] == [acorn, acorn, birch]


@pytest.mark.parametrize(("clients", "statements"), [(ClientAccess.ALL, 0), (ClientAccess.LISTED, 20)])
@pytest.mark.usefixtures("hearing")
async def test_who_sees_the_whole_practice_reads_together_what_did_not_happen_however_long_ago_it_was_read(
    firm: Firm, monkeypatch: pytest.MonkeyPatch, clients: ClientAccess, statements: int
) -> None:
    monkeypatch.setattr(feeds, "KEPT_SECONDS", 0.0)
    caller = await firm.member(Permission.MANAGE_CONNECTIONS, clients=clients)
    principal = (await context_of(Credentials(token=caller.key))).principal
    start = EventCursor.decode(await cursor_of(firm.admin))
    with reading(firm.practice_id) as first:
        place = (await first.read(principal, start)).cursor
        first._since = time.monotonic()
        with ExitStack() as readers, taken_down() as seen:
            for _ in range(20):
                other = readers.enter_context(reading(firm.practice_id))
                other._since = 0.0
                assert (await other.read(principal, start)).events == ()
        created = await caller.create_client("Acorn")
        await settled()

        told = (await first.read(principal, place)).events

    assert reads(seen) == statements
    assert [str(event.client_id) for event in told] == [created]


@pytest.mark.usefixtures("hearing", "unaging")
async def test_the_things_of_a_batch_are_loaded_at_once(firm: Firm) -> None:
    ids = [await firm.admin.create_client(f"Client {number}") for number in range(25)]
    start = await cursor_of(firm.admin)
    for client_id in ids:
        await rename_client(Principal.machine(firm.practice_id), ClientId(UUID(client_id)), f"R {client_id}")
    context = await context_of(Credentials(token=firm.admin.key))
    await settled()

    told: list[str] = []
    with taken_down() as statements:
        source: Any = await build_schema().subscribe(
            EVENTS, variable_values={"after": start}, context_value=context
        )
        async with aclosing(source) as results:
            while len(told) < 25:
                result = await anext(results)
                assert result.errors is None
                told.append(result.data["connectionEvents"]["client"]["name"])

    data = [one for one in statements if one.is_data and "typeinfo" not in one.sql and "'jit'" not in one.sql]
    assert told == [f"R {client_id}" for client_id in ids]
    assert len(data) == 2, "the events, and their clients"


@pytest.mark.usefixtures("hearing")
async def test_a_read_goes_on_when_the_one_that_began_it_is_cancelled(firm: Firm) -> None:
    machine = Principal.machine(firm.practice_id)
    place = EventCursor.decode(await cursor_of(firm.admin))
    created = await firm.admin.create_client("Acorn")
    await settled()

    with (
        reading(firm.practice_id) as first,
        reading(firm.practice_id) as second,
        taken_down() as statements,
    ):
        begins, joins = [asyncio.create_task(each.read(machine, place)) for each in (first, second)]
        await asyncio.sleep(0)
        begins.cancel()
        batch = await joins

    assert [str(event.client_id) for event in batch.events] == [created]
    assert reads(statements) == 1


@pytest.mark.usefixtures("hearing")
async def test_a_read_that_all_have_left_is_begun_anew_by_the_next(firm: Firm) -> None:
    machine = Principal.machine(firm.practice_id)
    place = EventCursor.decode(await cursor_of(firm.admin))
    created = await firm.admin.create_client("Acorn")
    await settled()

    with reading(firm.practice_id) as first, reading(firm.practice_id) as second:
        alone = asyncio.create_task(first.read(machine, place))
        await asyncio.sleep(0)
        alone.cancel()
        await asyncio.wait({alone})
        batch = await second.read(machine, place)

    assert [str(event.client_id) for event in batch.events] == [created]


@pytest.mark.usefixtures("hearing", "unaging")
async def test_who_comes_a_moment_later_is_served_from_what_was_read(firm: Firm) -> None:
    machine = Principal.machine(firm.practice_id)
    place = EventCursor.decode(await cursor_of(firm.admin))

    with reading(firm.practice_id) as first, reading(firm.practice_id) as second:
        created = await firm.admin.create_client("Acorn")
        await settled()
        with taken_down() as statements:
            batches = [await each.read(machine, place) for each in (first, second)]
            once = reads(statements)
            await rename(firm.admin, created, "Birch")
            await settled()
            first._since = second._since = time.monotonic()  # both are told of it
            later = [await first.read(machine, batches[0].cursor), await second.read(machine, place)]

    assert batches[0].events == batches[1].events
    assert [event.kind for event in later[0].events] == ["CLIENT_RENAMED"]
    assert [event.kind for event in later[1].events] == ["CLIENT_CREATED", "CLIENT_RENAMED"]
    assert (once, reads(statements)) == (1, 2)


@pytest.mark.usefixtures("hearing")
async def test_those_who_see_different_clients_do_not_share(firm: Firm) -> None:
    member = await firm.member(clients=ClientAccess.LISTED)
    start, seen = await cursor_of(firm.admin), [list[Recorded](), list[Recorded]()]

    async with following(firm.admin, start, seen[0]), following(member, start, seen[1]):
        await firm.admin.create_client("Acorn")
        await until(all_have(seen[:1], 1), "the admin is told")
        await asyncio.sleep(0.2)

    assert [len(each) for each in seen] == [1, 0]


@pytest.mark.usefixtures("hearing")
async def test_readers_that_vanish_at_any_moment_leave_nothing(firm: Firm) -> None:
    chance = random.Random(3)  # noqa: S311 - moments
    client_id, start = await firm.admin.create_client("Acorn"), await cursor_of(firm.admin)
    practice_id: PracticeId = firm.practice_id

    async def vanish() -> None:
        seen: list[Recorded] = []
        async with following(firm.admin, start, seen):
            await asyncio.sleep(chance.random() / 20)

    for turn in range(4):
        await asyncio.gather(*(vanish() for _ in range(50)), rename(firm.admin, client_id, f"Turn {turn}"))

    async def whole() -> bool:
        return bool(pool().get_idle_size() == pool().get_size())

    await until(whole, "every connection is back in the pool")
    assert (len(FEEDS), len(WATCHERS)) == (0, 0)
    await settled()
    with reading(practice_id) as reader:
        batch = await reader.read(Principal.machine(practice_id), EventCursor.decode(start))
    assert len(batch.events) == 4
