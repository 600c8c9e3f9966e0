"""All books synced that a caller may sync: heap by heap, none twice, and a second call goes on with what remained."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from tests.support.books import Books, open_books
from tests.support.jobs import calendar
from tests.support.plans import explained, forget_statistics, handled, sent_by
from tests.sync.scripted import Reading
from tests.sync.test_sync_clients import portfolio
from tieline.activity.service import list_activity
from tieline.clients.service import delete_client, get_client
from tieline.database import scope
from tieline.errors import Forbidden, NotFound
from tieline.principal import ClientAccess, ClientRole, Permission, Principal
from tieline.sync.many import service
from tieline.sync.many.repository import ReachRepository, Wanted
from tieline.sync.many.service import SyncedAll, sync_all, sync_clients
from tieline.sync.service import refresh_lists

pytestmark = pytest.mark.usefixtures("script", "jobs")

EVERYTHING = Wanted(providers=("pretend",))


async def test_everything_is_synced_once_and_what_cannot_be_is_counted(books: Books) -> None:
    clients = await portfolio(books, 7)
    await books.clients(2, "Unconnected")
    await sync_clients(books.admin, clients[:2])
    await books.sql.execute("UPDATE connection SET reason = 'ACCESS_LOST' WHERE client_id = $1", clients[2])
    await books.sql.execute("UPDATE connection SET reason = 'DISCONNECTED' WHERE client_id = $1", clients[3])
    await books.sql.execute("UPDATE organisation SET client_id = NULL WHERE client_id = $1", clients[3])
    await delete_client(books.admin, clients[4])

    first = await sync_all(books.admin)
    again = await sync_all(books.admin)

    assert first == SyncedAll(queued=2, already_running=2, expired=1)
    assert again == SyncedAll(already_running=4, expired=1)
    runs = await books.runs()
    assert {(run["trigger"], run["lane"], run["requested_by"]) for run in runs} == {
        ("MANUAL", "BACKGROUND", books.me)
    }
    assert len(runs) == 4
    told = (await list_activity(books.admin)).rows[0]
    assert (told.kind, told.subject_id) == ("SYNCS_ASKED", books.practice_id)
    assert (told.details["organisations"], told.details["provider"]) == (2, None)


async def test_what_is_only_due_or_reads_some_of_the_books_becomes_a_sync_of_all_of_them_now(
    client: Reading,
) -> None:
    books = client.books
    await client.slice()
    refreshed = await refresh_lists(books.admin, client.connection.id)

    over_a_part = await sync_all(books.admin)
    widened = await client.run(refreshed.id)
    await client.slice(refreshed.id)
    await books.sql.execute(
        "UPDATE organisation SET next_sync_at = $2 WHERE id = $1",
        client.organisation_id,
        await calendar() + timedelta(minutes=1),
    )
    due = await client.queued()
    over_what_is_due = await sync_all(books.admin)

    assert over_a_part == over_what_is_due == SyncedAll(already_running=1)
    assert (widened.trigger, set(widened.wanted)) == ("MANUAL", {"accounts", "rates"})
    assert (await client.run(due)).trigger == "MANUAL"
    begins = await books.sql.fetchval("SELECT due_at FROM job WHERE arguments->>'run_id' = $1", str(due))
    assert begins <= await calendar()


async def test_it_goes_heap_by_heap_and_what_remains_is_for_the_next_call(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "HEAP", 3)
    await portfolio(books, 8)
    monkeypatch.setattr(service, "_SECONDS", -1.0)
    first = await sync_all(books.admin)
    monkeypatch.setattr(service, "_SECONDS", 20.0)

    rest = await sync_all(books.admin)

    assert first == SyncedAll(queued=3, remaining=5)
    assert rest == SyncedAll(queued=5, already_running=3)


async def test_only_those_of_a_provider_or_not_synced_since_where_that_is_asked_for(books: Books) -> None:
    old, lately, never, elsewhere = await portfolio(books, 4)
    now = datetime.now(UTC)
    since = "UPDATE organisation SET last_synced_at = $2 WHERE client_id = $1"
    for client_id, at in ((old, now - timedelta(days=3)), (lately, now), (never, None), (elsewhere, None)):
        await books.sql.execute(since, client_id, at)
    await books.sql.execute("UPDATE organisation SET provider = 'gone' WHERE client_id = $1", elsewhere)

    stale = await sync_all(books.admin, provider="pretend", not_synced_since=now - timedelta(days=1))
    rest = await sync_all(books.admin)

    assert stale == SyncedAll(queued=2)
    assert rest == SyncedAll(queued=1, already_running=2)
    with pytest.raises(NotFound) as unknown:
        await sync_all(books.admin, provider="gone")
    assert unknown.value.field == "provider"


async def test_each_syncs_what_it_may_and_no_other_practice_s(books: Books) -> None:
    theirs, listed_too, _ = await portfolio(books, 3)
    other = await open_books(books.sql)
    await portfolio(other, 2)
    record = await get_client(books.admin, theirs)
    administrator = await books.of_client(record, ClientRole.ADMINISTRATOR)
    listed = await books.member(Permission.SYNC, clients=ClientAccess.LISTED)
    await books.sql.execute(
        "INSERT INTO member_client (practice_id, person_id, client_id) SELECT $1, $2, unnest($3::uuid[])",
        books.practice_id,
        listed.person_id,
        [theirs, listed_too],
    )

    looking = await books.member()
    await books.sql.execute(
        "INSERT INTO client_member (practice_id, person_id, client_id, role, created_at) "
        "SELECT practice_id, $2, id, 'ADMINISTRATOR', created_at FROM client WHERE id = $1",
        theirs,
        looking.person_id,
    )

    by_administrator = await sync_all(administrator)
    by_who_sees_all_and_administers_one = await sync_all(looking)
    by_listed = await sync_all(listed)
    by_service = await sync_all(await books.calling(None, scopes=frozenset({Permission.SYNC})))

    assert by_administrator == SyncedAll(queued=1)
    assert by_who_sees_all_and_administers_one == SyncedAll(already_running=1)
    assert by_listed == SyncedAll(queued=1, already_running=1)
    assert by_service == SyncedAll(queued=1, already_running=2)
    assert await other.runs() == []
    for caller in (
        await books.member(),
        await books.of_client(record, ClientRole.READER),
        await books.calling(books.me, scopes=frozenset({Permission.PUBLISH})),
        await books.calling(None, scopes=frozenset({Permission.PUBLISH})),
    ):
        with pytest.raises(Forbidden):
            await sync_all(caller)


async def test_a_heap_reads_each_row_of_the_practice_a_few_times_at_most(books: Books) -> None:
    """Where the planner knows nothing of the practice, nor of any other."""
    await portfolio(books, 600)
    tables = ("organisation", "client", "connection", "sync_run")
    listed = await books.member(Permission.SYNC, clients=ClientAccess.LISTED)
    await books.sql.execute(
        "INSERT INTO member_client (practice_id, person_id, client_id) SELECT $1, $2, id FROM client "
        "WHERE practice_id = $1",
        books.practice_id,
        listed.person_id,
    )
    await forget_statistics(books.sql, *tables)

    for caller in (books.admin, listed):
        for look in (first_heap, all_the_rest):
            nodes = await explained(books.practice_id, await sent_by(partial(look, caller)))
            assert max(handled(node) for node in nodes) <= 2 * 600, (caller, look)


async def first_heap(caller: Principal) -> None:
    async with scope(caller.practice_id):
        await ReachRepository.synced_by(caller).heap(EVERYTHING, after=None, most=100)


async def all_the_rest(caller: Principal) -> None:
    async with scope(caller.practice_id):
        await ReachRepository.synced_by(caller).rest(EVERYTHING, after=None)
