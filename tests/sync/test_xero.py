"""The books of the sandbox's Xero and our copy of them: equal after every sync, whatever came in between."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.plugins.xero_books import by_dataset, ids_of
from tests.sign_ins.conftest import desk, sandbox, sandbox_url
from tests.sign_ins.desk import Desk
from tests.support.jobs import JobTable, calendar
from tests.sync.synced import FEEDS, PAGES, Synced, connected
from tieline.ledger.service import list_set_aside
from tieline.sync.runs import RunState, Trigger
from tieline.sync.scheduling import queue_due

__all__ = ["desk", "sandbox", "sandbox_url"]

pytestmark = pytest.mark.usefixtures("opened")


@pytest.fixture
async def client(desk: Desk) -> Synced:
    return await connected(desk)


async def test_a_first_sync_brings_exactly_what_is_there(client: Synced) -> None:
    run = await client.finish()

    assert run.state is RunState.SUCCEEDED
    kept = await client.kept()
    assert kept == await client.truth()
    assert len(kept) == sum(each.records for each in run.feeds)
    calls = await client.calls()
    assert [entry["resource"] for entry in calls] == [
        "Organisation",
        "Accounts",
        "TaxRates",
        "TrackingCategories",
        "Contacts",
        "Items",
        "Currencies",
        "BrandingThemes",
        "Invoices",
        "CreditNotes",
        "Payments",
        "Prepayments",
        "Overpayments",
        "BankTransactions",
        "BankTransfers",
        "ManualJournals",
    ]
    assert sum(each.calls for each in run.feeds) == len(calls) == FEEDS


async def test_a_second_sync_brings_what_changed_and_no_more(client: Synced) -> None:
    await client.finish()
    before, calls = await client.kept(), len(await client.calls())
    await client.move(timedelta(hours=1))
    invoice = next(key for key in before if key[0] == "invoices")[1]
    await client.edit("invoices", id=invoice, change={"Reference": "Another"})
    await client.edit("contacts", create={"Name": "Newcomer"})

    run = await client.again()

    assert await client.kept() == await client.truth() != before
    assert {each.feed: each.changed for each in run.feeds if each.changed} == {"invoices": 1, "contacts": 1}
    since = (await client.calls())[calls:]
    assert len(since) == FEEDS
    assert {entry["status"] for entry in since} <= {200, 304}
    snapshots = {"organisation", "tax_rates", "tracking_categories", "items", "currencies", "branding_themes"}
    assert all(each.records <= 1 for each in run.feeds if each.feed not in snapshots)


async def test_what_is_deleted_or_archived_there_is_so_here(client: Synced) -> None:
    await client.finish()
    kept = await client.kept()
    await client.move(timedelta(hours=1))
    contact = next(key for key in kept if key[0] == "contacts" and kept[key][0])[1]
    transaction = next(key for key in kept if key[0] == "bank_transactions" and kept[key][0])[1]
    category = next(key for key in kept if key[0] == "tracking_categories")[1]
    item = next(key for key in kept if key[0] == "items")[1]
    transfer = next(key for key in kept if key[0] == "bank_transfers")[1]
    journal = next(key for key in kept if key[0] == "journals" and kept[key][1]["status"] == "POSTED")[1]
    await client.edit("contacts", id=contact, archived=True)
    await client.edit("bank_transactions", id=transaction, deleted=True)
    await client.edit("tracking_categories", id=category, deleted=True)
    await client.edit("items", id=item, deleted=True)
    await client.edit("bank_transfers", id=transfer, deleted=True)
    await client.edit("manual_journals", id=journal, deleted=True)

    await client.again()

    now = await client.kept()
    assert now == await client.truth()
    assert now["contacts", contact][0] is False
    assert ("bank_transactions", transaction) not in now
    assert ("tracking_categories", category) not in now
    assert ("items", item) not in now
    assert ("bank_transfers", transfer) not in now
    assert now["journals", journal][0] is False


async def test_the_same_ids_are_here_and_there_without_asking_the_plugin(client: Synced) -> None:
    await client.finish()

    there = await client.desk.sandbox.control("GET", f"/organisations/{client.at_provider.tenant_id}/books")

    kept = await client.kept()
    for dataset, records in by_dataset(there).items():
        assert ids_of(dataset, records) == sorted(external_id for of, external_id in kept if of == dataset)


async def test_a_token_that_ends_in_the_middle_is_refreshed(client: Synced) -> None:
    for _ in range(3):
        await client.slice(seconds=0)
    await client.move(timedelta(minutes=31))

    run = await client.finish()

    assert run.state is RunState.SUCCEEDED
    tokens = await client.desk.sandbox.log(client.desk.app, "token")
    assert [entry["grant_type"] for entry in tokens] == ["authorization_code", "refresh_token"]
    assert await client.kept() == await client.truth()


async def test_a_day_that_is_spent_pauses_the_run_and_the_same_run_goes_on(desk: Desk) -> None:
    client = await connected(desk, PAGES)
    await client.leave(104)  # a tenth of the day is for people who wait

    again = await client.slice()

    paused = await client.run()
    assert again is not None
    assert (paused.state, paused.limit_name, paused.resume_at) == (RunState.PAUSED, "day", again.at)
    assert again.at > await calendar() + timedelta(minutes=5)
    before = len(await client.calls())
    assert sum(each.calls for each in paused.feeds) == before
    assert 0 < sum(each.pages for each in paused.feeds) < FEEDS

    run = await client.finish()

    assert (run.id, run.state) == (paused.id, RunState.SUCCEEDED)
    assert await client.kept() == await client.truth()
    calls = await client.calls()
    assert sum(each.calls for each in run.feeds) == len(calls)
    asked = [entry["asked"] for entry in calls if entry["status"] != 429]
    assert len(asked) == len(set(asked)) == sum(each.pages for each in run.feeds)
    assert len(calls) - len(asked) <= 1


async def test_one_record_that_cannot_be_read_is_set_aside_until_it_can(client: Synced) -> None:
    invoice = (await client.edit("invoices", create={"Type": "ACCREC", "Date": "someday", "Total": "a lot"}))[
        "InvoiceID"
    ]

    run = await client.finish()

    assert run.state is RunState.SUCCEEDED
    assert await client.kept() == await client.truth()
    aside = "SELECT external_id, why FROM record_set_aside WHERE organisation_id = $1"
    [row] = await client.desk.above.fetch(aside, client.organisation_id)
    assert row["external_id"] == invoice.lower()
    assert row["why"]

    await client.move(timedelta(hours=1))
    await client.edit("invoices", id=invoice, change={"Date": "2026-05-04", "Total": 12.5})
    await client.again()

    assert await client.desk.above.fetch(aside, client.organisation_id) == []
    assert await client.kept() == await client.truth()


async def test_slow_lists_wait_for_their_own_beat_in_the_syncs_that_nobody_asked_for(
    client: Synced, jobs: JobTable
) -> None:
    await client.finish()
    asked = []

    for days in (1.2, 1.2, 5):
        before = len(await client.calls())
        await client.move(timedelta(days=days))
        await queue_due()
        [run, *_] = await client.runs()
        assert (await client.finish(run.id)).trigger is Trigger.SCHEDULE
        await jobs.clear()
        asked.append({entry["resource"] for entry in (await client.calls())[before:]})

    weekly = {"Currencies", "BrandingThemes"}
    assert [len(resources) for resources in asked] == [FEEDS - 2, FEEDS - 2, FEEDS]
    assert [resources & weekly for resources in asked] == [set(), set(), weekly]


async def test_who_became_a_supplier_without_a_date_that_shows_it_is_found_within_a_week(
    client: Synced, jobs: JobTable
) -> None:
    await client.finish()
    contact = next(key for key in await client.kept() if key[0] == "contacts")[1]
    await client.desk.sandbox.move_clock(-timedelta(days=900).total_seconds())
    await client.edit("contacts", id=contact, change={"IsSupplier": True, "Name": "Both"})
    await client.desk.sandbox.move_clock(timedelta(days=900).total_seconds())
    await client.again()
    assert await client.kept() != await client.truth()

    await client.move(timedelta(days=7, minutes=1))
    await queue_due()
    [run, *_] = await client.runs()
    done = await client.finish(run.id)

    assert await client.kept() == await client.truth()
    assert (done.trigger, sum(each.changed for each in done.feeds)) == (Trigger.SCHEDULE, 1)
    assert done.feeds[0].records == 1
    since = [entry for entry in await client.calls() if entry["resource"] == "Contacts"]
    await client.again()
    await jobs.clear()
    [later] = [entry for entry in await client.calls() if entry["resource"] == "Contacts"][len(since) :]
    assert [entry["asked"][2] is None for entry in (*since, later)] == [True, False, False, True, False]


@pytest.mark.parametrize(
    "refusal",
    [
        {"status": 401, "body": {"Title": "Unauthorized", "Detail": "AuthorizationUnsuccessful"}},
        {"status": 403, "body": {"Title": "Forbidden", "Detail": "AuthenticationUnsuccessful"}},
    ],
)
async def test_journals_that_this_user_may_not_see_are_said_to_be_missing_and_the_rest_is_read(
    client: Synced, refusal: dict[str, Any]
) -> None:
    fault = {"kind": "status", **refusal}
    await client.desk.sandbox.control(
        "POST", "/faults", {"endpoint": "accounting", "path_contains": "ManualJournals", "fault": fault}
    )

    run = await client.finish()

    truth = {key: value for key, value in (await client.truth()).items() if key[0] != "journals"}
    assert run.state is RunState.SUCCEEDED
    assert await client.kept() == truth
    [aside] = await list_set_aside(client.desk.admin, client.connection.id)
    assert (aside.dataset, aside.external_id) == ("journals", "")
    assert "accounting.manualjournals.read" in aside.why

    await client.move(timedelta(hours=1))
    await client.again()

    assert await client.kept() == await client.truth()


async def test_somebody_who_is_removed_at_the_provider_in_the_middle_is_told(client: Synced) -> None:
    await client.slice(seconds=0)
    person = (await client.desk.sandbox.control("GET", "/users"))["users"][-1]
    await client.desk.sandbox.control(
        "POST",
        "/revoke",
        {
            "user": person["id"],
            "client_id": client.desk.app.client_id,
            "organisation": client.at_provider.tenant_id,
        },
    )

    assert await client.slice() is None

    assert (await client.run()).reason == "REVOKED_AT_PROVIDER"
    reason = await client.desk.above.fetchval(
        "SELECT reason FROM connection WHERE id = $1", client.connection.id
    )
    assert reason == "REVOKED_AT_PROVIDER"
