"""Many clients synced at once: an outcome for each, a run for each organisation, a constant number of statements."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books
from tests.support.statements import all_connected, taken_down, transactions
from tests.sync.scripted import Reading
from tieline.activity.service import list_activity
from tieline.clients.service import get_client
from tieline.connections.organisations.repository import Organisation, OrganisationRepository
from tieline.connections.states import Reason, Status, explanation
from tieline.errors import Invalid
from tieline.ids import ClientId, OrganisationId, new_id
from tieline.principal import ClientAccess, ClientRole, Permission, Principal
from tieline.sync.many import service
from tieline.sync.many.decisions import Outcome
from tieline.sync.many.service import sync_clients
from tieline.sync.runs import RunState
from tieline.sync.service import sync

pytestmark = pytest.mark.usefixtures("script", "jobs")

FILL = """
WITH made AS (
     SELECT id, row_number() OVER (ORDER BY id) AS n FROM unnest($2::uuid[]) AS c (id)),
     held AS (
     INSERT INTO organisation (id, practice_id, provider, environment, external_id, name, name_key, client_id,
                               created_at, last_synced_at)
     SELECT gen_random_uuid(), $1, 'pretend', 'LIVE', id::text, 'O ' || n, 'o ' || n, id, $4, $4 FROM made
     RETURNING practice_id, id, client_id)
INSERT INTO connection (id, practice_id, client_id, product, organisation_id, credential_id, mismatch, connected_at,
                        changed_at)
SELECT gen_random_uuid(), practice_id, client_id, 'BOOKKEEPING', id, $3, false, $4, $4 FROM held
"""


async def portfolio(books: Books, count: int) -> list[ClientId]:
    """So many clients, each connected to books that were read long ago."""
    clients = await books.clients(count)
    created = await books.sql.fetchval("SELECT created_at FROM practice WHERE id = $1", books.practice_id)
    await books.sql.execute(FILL, books.practice_id, clients, await books.credential(), created)
    return clients


async def test_each_client_has_its_outcome_in_the_order_of_the_request(books: Books) -> None:
    idle, running, expired, there_is_none = [*await portfolio(books, 3), *await books.clients(1, "Other")]
    [connection] = await books.sql.fetch("SELECT id FROM connection WHERE client_id = $1", running)
    run = await sync(books.admin, connection["id"])
    await books.sql.execute("UPDATE connection SET reason = 'ACCESS_LOST' WHERE client_id = $1", expired)
    unknown = ClientId(new_id())

    outcomes = await sync_clients(books.admin, [unknown, idle, running, expired, there_is_none, idle])

    assert [each.outcome for each in outcomes] == [
        Outcome.NOT_FOUND,
        Outcome.QUEUED,
        Outcome.ALREADY_RUNNING,
        Outcome.CONNECTION_EXPIRED,
        Outcome.NOT_CONNECTED,
        Outcome.NAMED_TWICE,
    ]
    [queued], [joined] = outcomes[1].runs, outcomes[2].runs
    assert (queued.state, queued.trigger, queued.lane, queued.requested_by, queued.client_id) == (
        RunState.QUEUED,
        "MANUAL",
        "BACKGROUND",
        books.me,
        idle,
    )
    assert (joined.id, joined.lane) == (run.id, "INTERACTIVE")
    assert [str(each.refusal) for each in outcomes if each.refusal][1:] == [
        f"The connection is expired, so its books cannot be read. {explanation(Status.EXPIRED, Reason.ACCESS_LOST)}",
        "Other 00000 is not connected to any books here: connect it first.",
        "An earlier row of this request syncs the same client.",
    ]
    assert {each.refusal.field for each in outcomes if each.refusal} == {"clientIds"}
    told = [(each.kind, each.client_id, each.subject_id) for each in (await list_activity(books.admin)).rows]
    assert told[:2] == [("SYNC_ASKED", running, run.id), ("SYNC_ASKED", idle, queued.id)]


async def test_a_client_with_two_organisations_has_a_run_for_each_that_works(books: Books) -> None:
    [client_id] = await books.clients(1)
    lists, health = await books.organisations("Lists", "Health")
    await books.connected(client_id, lists, BOOKKEEPING)
    other = await books.connected(client_id, health, DATA_HEALTH)

    [both] = await sync_clients(books.admin, [client_id])
    [one] = await sync_clients(books.admin, [client_id], product=DATA_HEALTH)
    await books.expire(other, "ACCESS_LOST")
    [left] = await sync_clients(books.admin, [client_id])
    [none] = await sync_clients(books.admin, [client_id], product=DATA_HEALTH)

    assert {run.organisation_id for run in both.runs} == {lists, health}
    assert [run.organisation_id for run in one.runs] == [health]
    assert ([run.organisation_id for run in left.runs], [each.id for each in left.expired]) == (
        [lists],
        [other.id],
    )
    assert (none.outcome, none.runs) == (Outcome.CONNECTION_EXPIRED, ())


async def test_two_products_of_one_organisation_are_one_run(books: Books) -> None:
    [client_id], organisation_id = await books.clients(1), await books.organisation("Both")
    for product in (BOOKKEEPING, DATA_HEALTH):
        await books.connected(client_id, organisation_id, product)

    [outcome] = await sync_clients(books.admin, [client_id])

    assert [set(run.wanted) for run in outcome.runs] == [{"accounts", "rates", "invoices"}]


async def test_all_feeds_are_read_however_lately_they_were(client: Reading) -> None:
    await client.slice()
    before = len(client.script.asked)

    [outcome] = await sync_clients(client.books.admin, [client.connection.client_id])
    [run] = outcome.runs
    await client.slice(run.id)

    assert [feed for feed, _ in client.script.asked[before:]] == ["accounts", "rates"]
    assert (await client.run(run.id)).state is RunState.SUCCEEDED


async def test_who_may_sync_which_of_them(books: Books) -> None:
    seen, unseen = await portfolio(books, 2)
    listed = await books.member(Permission.SYNC, clients=ClientAccess.LISTED)
    await books.sql.execute(
        "INSERT INTO member_client (practice_id, person_id, client_id) VALUES ($1, $2, $3)",
        books.practice_id,
        listed.person_id,
        seen,
    )
    record = await get_client(books.admin, seen)
    looking = await books.member(Permission.MANAGE_CONNECTIONS)
    theirs = await books.of_client(record, ClientRole.ADMINISTRATOR)
    reader = await books.of_client(record, ClientRole.READER)
    narrowed = await books.calling(books.me, scopes=frozenset({Permission.PUBLISH}))

    async def asked(caller: Principal) -> list[str]:
        return [each.outcome for each in await sync_clients(caller, [seen, unseen])]

    assert await asked(looking) == await asked(narrowed) == ["FORBIDDEN", "FORBIDDEN"]
    assert await asked(reader) == ["FORBIDDEN", "NOT_FOUND"]
    assert await books.runs() == []
    assert await asked(listed) == ["QUEUED", "NOT_FOUND"]
    assert await asked(theirs) == ["ALREADY_RUNNING", "NOT_FOUND"]
    assert len(await books.runs()) == 1


async def test_a_provider_that_is_no_longer_installed_is_told_and_the_rest_goes_on(books: Books) -> None:
    gone, there = await portfolio(books, 2)
    await books.sql.execute("UPDATE organisation SET provider = 'gone' WHERE client_id = $1", gone)

    outcomes = await sync_clients(books.admin, [gone, there])

    assert [each.outcome for each in outcomes] == [Outcome.NOT_FOUND, Outcome.QUEUED]
    assert str(outcomes[0].refusal) == "There is no provider with the id gone, or you may not see it."


async def test_a_thousand_are_one_transaction_of_as_many_statements_as_two(books: Books) -> None:
    clients = await portfolio(books, 1_003)
    await all_connected()
    await sync_clients(books.admin, clients[:1])  # what the driver asks of types is asked
    numbers = []
    for chosen in (clients[1:3], clients[3:]):
        with taken_down() as statements:
            outcomes = await sync_clients(books.admin, chosen)
        assert {each.outcome for each in outcomes} == {Outcome.QUEUED}
        assert transactions(statements) == 1
        numbers.append(sum(each.is_data for each in statements))

    assert numbers == [9, 9]
    with pytest.raises(Invalid, match="at most 1,000 clients; this one has 1,001"):
        await sync_clients(books.admin, clients[:1_001])


async def test_a_client_that_moves_to_other_books_at_that_moment_is_synced_from_those(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    [client_id] = await portfolio(books, 1)
    other = await books.organisation("Other Books")
    [before] = await books.sql.fetch("SELECT organisation_id FROM connection WHERE client_id = $1", client_id)
    locked = moving_while_locked(books, monkeypatch, client_id, other)

    [outcome] = await sync_clients(books.admin, [client_id])

    assert locked == [{before["organisation_id"]}, {other}]
    assert [run.organisation_id for run in outcome.runs] == [other]


def moving_while_locked(
    books: Books, monkeypatch: pytest.MonkeyPatch, client_id: ClientId, other: OrganisationId
) -> list[set[OrganisationId]]:
    """What is locked; the first time, the client has moved on by then."""
    locked: list[set[OrganisationId]] = []

    class Repository(OrganisationRepository):
        async def lock(self, ids: Collection[OrganisationId]) -> list[Organisation]:
            locked.append(set(ids))
            if len(locked) == 1:
                await books.sql.execute(
                    "UPDATE organisation SET client_id = $2 WHERE id = $1", other, client_id
                )
                await books.sql.execute(
                    "UPDATE connection SET organisation_id = $2 WHERE client_id = $1", client_id, other
                )
            return await super().lock(ids)

    monkeypatch.setattr(service, "OrganisationRepository", Repository)
    return locked
