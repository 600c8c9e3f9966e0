"""What a person switches on is read by a run of its own, which is no sync of everything that is wanted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.books import BOOKKEEPING, Books
from tests.sync.scripted import ACCOUNTS, INVOICES, RATES, Reading, Script, page, reading, record
from tieline.connections.settings.reading import AskedSetting
from tieline.connections.settings.service import update_settings
from tieline.errors import ProviderBroken
from tieline.ids import RunId
from tieline.plugins import ConnectionSetting, SettingKind
from tieline.principal import Permission, Principal
from tieline.sync.pausing import pause_syncs
from tieline.sync.runs import RunState, Trigger
from tieline.sync.scheduling import queue_due
from tieline.sync.service import sync
from tieline.work import Lane

READ_RATES = ConnectionSetting(
    name="read_rates",
    kind=SettingKind.SWITCH,
    label="Read rates",
    meaning="Whether rates are read.",
    products=(BOOKKEEPING,),
    default="false",
    feeds=("rates",),
)


@pytest.fixture
async def client(books: Books, script: Script) -> Reading:
    """A client whose books were read to the end, but for their rates, and are due again in less than a day."""
    script.info = replace(
        script.info, feeds={BOOKKEEPING: (ACCOUNTS, RATES, INVOICES)}, connection_settings=(READ_RATES,)
    )
    made = await reading(books, script)
    await made.slice()
    await books.sql.execute(
        "UPDATE organisation SET next_sync_at = next_sync_at - interval '2 hours' WHERE id = $1",
        made.organisation_id,
    )
    script.asked.clear()
    return made


async def times(client: Reading) -> tuple[object, object]:
    row = await client.organisation()
    return row["last_synced_at"], row["next_sync_at"]


async def settle(client: Reading, read_rates: str, *, by: Principal | None = None) -> None:
    asked = [AskedSetting(name="read_rates", value=read_rates)]
    await update_settings(by or client.books.admin, client.connection.id, asked)


async def due(client: Reading) -> None:
    await client.books.sql.execute(
        "UPDATE organisation SET next_sync_at = now() - interval '1 hour' WHERE id = $1",
        client.organisation_id,
    )
    await queue_due()


async def switched_on(client: Reading) -> RunId:
    await settle(client, "true")
    [run] = await client.books.runs()
    return RunId(run["id"])


async def test_only_what_was_switched_on_is_read_and_the_books_do_not_count_as_synced(
    client: Reading,
) -> None:
    client.script.answers["rates", None] = page(record("new", "rates"))
    before = await times(client)

    run_id = await switched_on(client)
    asked, during = await client.run(run_id), await times(client)
    await client.slice(run_id)

    assert (asked.trigger, asked.lane, asked.requested_by) == (
        Trigger.SETTINGS,
        Lane.BACKGROUND,
        client.books.me,
    )
    assert asked.wanted == ("rates",)
    assert client.script.asked == [("rates", None)]
    assert await client.ids("rates") == ["new"]
    assert (await client.run(run_id)).state is RunState.SUCCEEDED
    assert before == during == await times(client)


async def test_a_sync_that_is_asked_for_meanwhile_takes_it_along_and_is_one(client: Reading) -> None:
    before = await times(client)

    run_id = await switched_on(client)
    whole = await sync(client.books.admin, client.connection.id)
    await client.slice(run_id)

    assert (whole.id, whole.trigger, whole.lane) == (run_id, Trigger.MANUAL, Lane.INTERACTIVE)
    assert sorted(whole.wanted) == ["accounts", "invoices", "rates"]
    assert all(now != then for now, then in zip(await times(client), before, strict=True))


@pytest.mark.usefixtures("jobs")
@pytest.mark.parametrize("by_service", [False, True])
@pytest.mark.parametrize("due_first", [False, True])
async def test_what_was_switched_on_is_read_while_syncs_are_paused_although_it_was_due_as_well(
    client: Reading, *, due_first: bool, by_service: bool
) -> None:
    books = client.books
    service = await books.calling(None, scopes=frozenset({Permission.MANAGE_CONNECTIONS}))
    if due_first:
        await due(client)
    await settle(client, "true", by=service if by_service else None)
    if not due_first:
        await due(client)
    [run] = await books.runs()

    paused = await pause_syncs(books.admin)
    await client.slice(run["id"])

    assert (run["trigger"], paused.cancelled) == ("SCHEDULE", 0)
    assert (await client.run(run["id"])).state is RunState.SUCCEEDED
    assert ("rates", None) in client.script.asked


async def test_switched_off_before_it_is_read_the_run_ends_and_says_why(client: Reading) -> None:
    run_id = await switched_on(client)

    await settle(client, "false")

    run = await client.run(run_id)
    assert (run.state, run.reason) == (RunState.CANCELLED, "SWITCHED_OFF")


async def test_one_that_fails_puts_nothing_off(client: Reading) -> None:
    client.script.answers["rates", None] = ProviderBroken("pretend", "it is no JSON")
    await client.books.sql.execute(
        "UPDATE organisation SET next_sync_at = last_synced_at + $2 WHERE id = $1",
        client.organisation_id,
        timedelta(minutes=1),
    )
    before = await times(client)

    run_id = await switched_on(client)
    await client.slice(run_id)

    assert (await client.run(run_id)).state is RunState.FAILED
    assert await times(client) == before
