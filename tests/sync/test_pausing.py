"""A practice's syncs that come by themselves: paused and resumed by its admins, with nothing lost in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from tests.support.jobs import calendar
from tests.support.polling import until
from tests.sync.scripted import Reading
from tieline.activity.service import list_activity
from tieline.clients.service import get_client
from tieline.connections.service import disconnect, reconnect
from tieline.database import scope
from tieline.errors import Forbidden
from tieline.principal import ClientRole, Permission, Role
from tieline.sync.due.repository import syncs_by_itself
from tieline.sync.pausing import pause_syncs, resume_syncs
from tieline.sync.runs import RunState
from tieline.sync.scheduling import queue_due
from tieline.sync.service import refresh_lists, sync
from tieline.webhooks.repository import WebhookRepository
from tieline.webhooks.service import sync_touched
from tieline.work import unit_of_work

Clock = Callable[[timedelta], Awaitable[None]]
DAY = timedelta(hours=24)
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.usefixtures("jobs")


async def test_while_paused_nothing_that_is_due_is_queued_and_afterwards_all_of_it_is(
    client: Reading, clock: Clock
) -> None:
    await client.slice()
    paused = await pause_syncs(client.books.admin)
    await clock(DAY * 1.2)
    await queue_due()
    assert await client.books.runs() == []

    resumed = await resume_syncs(client.books.admin)
    await queue_due()

    assert (paused.practice.syncs_paused_at, paused.cancelled) != (None, 1)
    assert resumed.syncs_paused_at is None
    [run] = await client.books.runs()
    assert (run["trigger"], run["organisation_id"]) == ("SCHEDULE", client.organisation_id)


async def test_what_was_queued_and_has_not_begun_ends_and_comes_again(client: Reading, clock: Clock) -> None:
    await client.slice()
    await clock(DAY * 1.2)
    run_id = await client.queued()

    paused = await pause_syncs(client.books.admin)
    over = await client.run(run_id)
    await client.slice(run_id)
    await resume_syncs(client.books.admin)
    again = await client.queued()

    assert paused.cancelled == 1
    assert (over.state, over.reason) == (RunState.CANCELLED, "SYNCS_PAUSED")
    assert over.finished_at is not None
    assert client.script.asked == [("accounts", None), ("rates", None)]
    assert again != run_id


@pytest.mark.parametrize("ask", [sync, refresh_lists])
@pytest.mark.parametrize("by_service", [False, True])
async def test_what_somebody_asked_for_too_goes_on(
    client: Reading, clock: Clock, ask: Callable[..., Awaitable[object]], *, by_service: bool
) -> None:
    books = client.books
    await client.slice()
    await clock(DAY * 1.2)
    run_id = await client.queued()
    service = await books.calling(None, scopes=frozenset({Permission.SYNC}))
    await ask(service if by_service else books.admin, client.connection.id)

    paused = await pause_syncs(books.admin)

    assert paused.cancelled == 0
    assert (await client.run(run_id)).state is RunState.QUEUED


async def test_what_reads_already_first_reads_and_what_people_ask_for_meanwhile_go_on(
    client: Reading, clock: Clock
) -> None:
    books, connection = client.books, client.connection
    await pause_syncs(books.admin)
    assert await client.slice() is None
    await resume_syncs(books.admin)
    await clock(DAY * 1.2)
    begun = await client.queued()
    await client.slice(begun, seconds=0)

    paused = await pause_syncs(books.admin)
    while await client.slice(begun, seconds=0) is not None:
        pass
    asked = await sync(books.admin, connection.id)
    await client.slice(asked.id)
    await disconnect(books.admin, connection.id)
    sign_in_id = await books.sign_in(
        await books.credential(), [client.organisation_id], usable_for=timedelta(days=9)
    )
    await reconnect(books.admin, connection.id, sign_in_id)

    assert paused.cancelled == 0
    assert [(await client.run(each)).state for each in (client.first, begun, asked.id)] == ["SUCCEEDED"] * 3
    assert [run["trigger"] for run in await books.runs()] == ["RECONNECT"]


async def test_what_a_provider_tells_of_is_kept_and_read_soon_after(client: Reading) -> None:
    books = client.books
    await client.slice()
    await pause_syncs(books.admin)
    async with unit_of_work(books.admin) as work:
        touched = {(client.organisation_id, "accounts")}
        await WebhookRepository.of(books.practice_id).touch(touched, at=work.now)

    later = await sync_touched(books.practice_id, client.organisation_id)
    assert later is not None
    assert timedelta(0) < later.at - await calendar() <= HOUR
    assert await books.runs() == []
    await resume_syncs(books.admin)
    [job] = await books.jobs("webhooks.sync_touched")
    done = await sync_touched(books.practice_id, client.organisation_id)

    assert job["organisation_id"] == str(client.organisation_id)
    assert done is None
    assert [(run["trigger"], list(run["feeds"])) for run in await books.runs()] == [("WEBHOOK", ["accounts"])]


async def test_who_pauses_waits_for_who_looks_for_what_is_due_at_that_very_moment(client: Reading) -> None:
    books, looked = client.books, asyncio.Event()

    async def pause() -> None:
        await looked.wait()
        await pause_syncs(books.admin)

    pausing = asyncio.create_task(pause())
    async with scope(books.practice_id):
        before = await syncs_by_itself(books.practice_id)
        looked.set()
        await until(books.somebody_waits, "who pauses waits for who looks")
    await pausing

    async with scope(books.practice_id):
        assert (before, await syncs_by_itself(books.practice_id)) == (True, False)


async def test_the_same_again_changes_nothing_and_each_change_is_told_once(client: Reading) -> None:
    admin = client.books.admin

    paused = [await pause_syncs(admin) for _ in range(2)]
    resumed = [await resume_syncs(admin) for _ in range(2)]

    assert paused[0].practice == paused[1].practice
    assert resumed[0] == resumed[1]
    told = [(each.kind, each.details) for each in (await list_activity(admin)).rows]
    practice = str(client.books.practice_id)
    assert told[:2] == [
        ("SYNCS_RESUMED", {"practice_id": practice}),
        ("SYNCS_PAUSED", {"practice_id": practice, "cancelled": 0}),
    ]
    assert [kind for kind, _ in told].count("SYNCS_PAUSED") == 1


async def test_only_admins_by_a_key_that_is_not_narrowed_pause_and_resume(client: Reading) -> None:
    books = client.books
    record = await get_client(books.admin, client.connection.client_id)
    for caller in (
        await books.member(*Permission),
        await books.member(role=Role.ADMIN, scopes=frozenset(Permission)),
        await books.calling(None, scopes=frozenset(Permission)),
        await books.of_client(record, ClientRole.ADMINISTRATOR),
    ):
        for deed in (pause_syncs, resume_syncs):
            with pytest.raises(Forbidden):
                await deed(caller)

    assert (
        await books.sql.fetchval("SELECT syncs_paused_at FROM practice WHERE id = $1", books.practice_id)
        is None
    )
