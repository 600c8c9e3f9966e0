"""Rows of the product's table from consent to books, over HTTP, with a real worker and the pretended providers.

CONTRIBUTING lists which journey stands for which row; those that no other file goes through to the end are here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.journeys.portfolio import bulk
from tests.journeys.test_sign_in_rounds import rounds
from tests.support.firm import Caller
from tests.support.jobs import JobTable
from tests.support.ledgers import LISTS, Ledger, by_id, read_to_end
from tests.support.polling import until
from tests.support.rounds import Rounds
from tests.support.syncing import SYNC
from tests.support.trips import Trip, codes
from tieline.principal import Permission
from tieline.spreadsheets import read, render

__all__ = ["rounds"]

_CONNECTION = """id statuses reason remedy lastSyncedAt lastRun { id trigger state } organisation { name legalName }
  settings { setting { name } value }"""
BOARD = f"""{{ connectionBoard(product: BOOKKEEPING, sort: {{field: STATUS, direction: ASC}}) {{
  counts {{ unintegrated connected mismatch expired }}
  nodes {{ client {{ id name practiceCode }} statuses remedy connection {{ {_CONNECTION} }} }} }} }}"""
CONNECT = f"""mutation($input: ConnectInput!) {{ connect(input: $input) {{
  connection {{ {_CONNECTION} }} errors {{ code }} }} }}"""
LOOK = f"query($id: ID!) {{ connection(id: $id) {{ endedAt {_CONNECTION} }} }}"
SETTLE = """mutation($input: UpdateSettingsInput!) { updateSettings(input: $input) { errors { code } } }"""
RECONNECT = f"""mutation($input: ReconnectInput!) {{ reconnect(input: $input) {{
  connection {{ {_CONNECTION} }} errors {{ code field }} }} }}"""
CHANGE = f"""mutation($input: ChangeConnectionInput!) {{ changeConnection(input: $input) {{
  connection {{ {_CONNECTION} }} errors {{ code }} }} }}"""
_ROWS = "{ outcomes { code connection { id organisation { name } } }"
PREVIEW = f"query($input: BulkConnectInput!) {{ bulkConnectPreview(input: $input) {_ROWS} }} }}"
BULK = f"mutation($input: BulkConnectInput!) {{ bulkConnect(input: $input) {_ROWS} errors {{ code }} }} }}"
CSV = "{ clientsCsv { content } }"
CODES = """query($csv: String!) { practiceCodesPreview(input: {csv: $csv}) {
  matched { practiceCode client { id } } } }"""
GIVE = """mutation($rows: [PracticeCodeRow!]!) { setPracticeCodes(input: {rows: $rows}) {
  outcomes { code } errors { code } } }"""

Shown = dict[str, Any]


@pytest.fixture
def worked(jobs: JobTable, start: Callable[..., Any]) -> None:  # noqa: ARG001 - empty
    """What is queued is done."""
    start("worker")
    start("scheduler")


async def connected(
    trip: Trip, sign_in_id: str, client: str, organisation: str, *, product: str = "BOOKKEEPING"
) -> Shown:
    """A new client's connection."""
    given = {
        "signInId": sign_in_id,
        "clientId": await trip.firm.admin.create_client(client),
        "organisationId": (await trip.found(sign_in_id))[organisation],
        "product": product,
    }
    payload = (await trip.firm.admin.ask(CONNECT, input=given))["connect"]
    assert payload["errors"] == [], payload
    return dict(payload["connection"])


async def seen(caller: Caller, connection_id: str) -> Shown:
    return dict((await caller.ask(LOOK, id=connection_id))["connection"])


async def synced(caller: Caller, *connection_ids: str) -> list[Shown]:
    """These connections when the books of each were read to their end."""

    async def are_over() -> bool:
        found = [await seen(caller, each) for each in connection_ids]
        return all(each["lastRun"]["state"] == "SUCCEEDED" for each in found)

    await until(are_over, "all of them are synced")
    return [await seen(caller, each) for each in connection_ids]


async def expired(caller: Caller, connection_id: str) -> Shown:
    """The connection when a sync has found that it ended at the provider."""
    asked = (await caller.ask(SYNC, id=connection_id))["sync"]
    assert asked["errors"] == [], asked

    async def is_found() -> bool:
        return bool((await seen(caller, connection_id))["statuses"] == ["EXPIRED"])

    await until(is_found, "the end is found")
    return await seen(caller, connection_id)


async def accounts(caller: Caller, connection_id: str) -> list[Shown]:
    return await read_to_end(caller, connection_id, "accounts", LISTS["accounts"])


async def test_the_board_and_its_spreadsheet_show_each_clients_status_last_sync_and_what_mends_it(
    trip: Trip,
    worked: None,  # noqa: ARG001 - its effect
) -> None:
    """M1, M2, M9, M26."""
    admin = trip.firm.admin
    trip = replace(trip, person=await trip.sandbox.populate("Alder Ltd", "Birch & Sons", "Cedar Ltd"))
    sign_in = await trip.ready()
    pairs = {"Alder Limited": "Alder Ltd", "Beech": "Birch & Sons", "Cedar": "Cedar Ltd"}
    found = await trip.found(sign_in)
    rows = [(await admin.create_client(client), found[books]) for client, books in pairs.items()]
    await admin.create_client("Dogwood")
    ids = [each["connection"]["id"] for each in await bulk(admin, sign_in, rows)]
    await synced(admin, *ids)
    await trip.until_detailed(sign_in)
    await trip.sandbox.revoke(trip.app, trip.person, trip.person.named("Cedar Ltd"))
    await expired(admin, ids[-1])

    board = (await admin.ask(BOARD))["connectionBoard"]
    header, *lines = read((await admin.ask(CSV))["clientsCsv"]["content"])
    for row in lines:
        row[header.index("Practice code")] = row[header.index("Name")][0]
    matched = (await admin.ask(CODES, csv=render([header, *lines])))["practiceCodesPreview"]["matched"]
    coded = [{"clientId": each["client"]["id"], "practiceCode": each["practiceCode"]} for each in matched]
    given = (await admin.ask(GIVE, rows=coded))["setPracticeCodes"]
    after = (await admin.ask(BOARD))["connectionBoard"]

    assert board["counts"] == {"unintegrated": 1, "connected": 2, "mismatch": 1, "expired": 1}
    assert [(line["client"]["name"], line["statuses"], line["remedy"]) for line in board["nodes"]] == [
        ("Dogwood", ["UNINTEGRATED"], "ADD_CONNECTION"),
        ("Cedar", ["EXPIRED"], "RECONNECT"),
        ("Beech", ["CONNECTED", "MISMATCH"], "MANAGE_CONNECTION"),
        ("Alder Limited", ["CONNECTED"], None),
    ]
    shown = {line["client"]["name"]: line["connection"] for line in board["nodes"] if line["connection"]}
    assert {name: each["organisation"]["name"] for name, each in shown.items()} == pairs
    assert all(each["organisation"]["legalName"] and each["lastSyncedAt"] for each in shown.values())
    of = [f"Bookkeeping: {each}" for each in ("status", "reason", "organisation's legal name", "last sync")]
    assert {row[1]: tuple(row[header.index(each)] for each in of) for row in lines} == {
        "Dogwood": ("UNINTEGRATED", "", "", ""),
        **{
            name: (
                ", ".join(each["statuses"]),
                each["reason"] or "",
                each["organisation"]["legalName"],
                f"{each['lastSyncedAt'][:19]}Z",
            )
            for name, each in shown.items()
        },
    }
    assert ([each["code"] for each in given["outcomes"]], given["errors"]) == (["SET"] * 4, [])
    assert [line["client"]["practiceCode"] for line in after["nodes"]] == ["D", "C", "B", "A"]
    assert await (await trip.firm.member(*Permission)).codes(BOARD) == ["FORBIDDEN"]


async def test_a_reconnect_syncs_by_itself_and_leaves_settings_and_books_as_they_were(
    trip: Trip,
    worked: None,  # noqa: ARG001 - its effect
) -> None:
    """M3, M4, M5."""
    admin, (bakery, sons) = trip.firm.admin, trip.person.organisations
    told = await trip.proof(await trip.start(products=["DATA_HEALTH"]))
    assert codes(await trip.complete(told)) == []
    made = await connected(trip, told["signIn"], "Ashford Bakery", bakery.name, product="DATA_HEALTH")
    await synced(admin, made["id"])
    await trip.until_detailed(told["signIn"])
    settings = [{"name": "read_journals", "value": "false"}]
    settled = await admin.ask(SETTLE, input={"connectionId": made["id"], "settings": settings})
    ledger = Ledger(caller=admin, sandbox=trip.sandbox, connection_id=made["id"], organisation=bakery)
    before, books = await seen(admin, made["id"]), await ledger.shown()
    await trip.sandbox.revoke(trip.app, trip.person)
    ended = await expired(admin, made["id"])
    unread = await ledger.edit("invoices", create={"Type": "ACCREC"})
    wanted = {"purpose": "RECONNECT", "connectionId": made["id"], "products": []}

    wrong = (await trip.land(await trip.consent(await trip.start(**wanted), sons))).told
    assert codes(await trip.complete(wrong)) == []
    refused = await admin.ask(RECONNECT, input={"connectionId": made["id"], "signInId": wrong["signIn"]})
    right = (await trip.land(await trip.consent(await trip.start(**wanted), bakery))).told
    assert codes(await trip.complete(right)) == []
    mended = await admin.ask(RECONNECT, input={"connectionId": made["id"], "signInId": right["signIn"]})
    [after] = await synced(admin, made["id"])

    assert settled["updateSettings"]["errors"] == []
    assert (ended["reason"], ended["remedy"]) == ("REVOKED_AT_PROVIDER", "RECONNECT")
    assert refused["reconnect"]["errors"] == [{"code": "DIFFERENT_ORGANISATION", "field": "input.signInId"}]
    assert (mended["reconnect"]["errors"], mended["reconnect"]["connection"]["statuses"]) == (
        [],
        ["CONNECTED"],
    )
    assert (after["lastRun"]["trigger"], after["lastRun"]["state"]) == ("RESTORED", "SUCCEEDED")
    assert after["lastSyncedAt"] > before["lastSyncedAt"]
    changed = {"lastRun", "lastSyncedAt"}
    assert {name: after[name] for name in after if name not in changed} == {
        name: before[name] for name in before if name not in changed
    }
    now = await ledger.shown()
    fresh = [one for one in now["ledgerDocuments"] if one["externalId"] == unread["InvoiceID"]]
    assert len(fresh) == 1
    assert by_id(
        now | {"ledgerDocuments": [one for one in now["ledgerDocuments"] if one not in fresh]}
    ) == by_id(books)


async def test_a_queue_of_single_consents_connects_many_and_moves_one_that_keeps_its_old_books(
    trip: Trip,
    rounds: Rounds,
    worked: None,  # noqa: ARG001 - its effect
) -> None:
    """M7, M9."""
    admin = trip.firm.admin
    made = await connected(trip, await trip.ready(), "Ashford Bakery", "Ashford Bakery Ltd")
    await synced(admin, made["id"])
    old_books = await accounts(admin, made["id"])
    sign_in = await rounds.queue(*rounds.person.companies)
    bakery, sons, studio = [(await rounds.found(sign_in))[one.name] for one in rounds.person.companies]
    pairs = [(await admin.create_client(name), to) for name, to in (("Birch", sons), ("Cobalt", studio))]
    [there] = [
        line["client"]["id"]
        for line in (await admin.ask(BOARD))["connectionBoard"]["nodes"]
        if line["connection"]
    ]
    asked = {
        "signInId": sign_in,
        "product": "BOOKKEEPING",
        "rows": [{"clientId": who, "organisationId": to} for who, to in [*pairs, (there, bakery)]],
    }

    shown = (await admin.ask(PREVIEW, input=asked))["bulkConnectPreview"]
    done = (await admin.ask(BULK, input=asked))["bulkConnect"]
    moving = {"connectionId": made["id"], "signInId": sign_in, "organisationId": bakery}
    moved = (await admin.ask(CHANGE, input=moving))["changeConnection"]
    ids = [each["connection"]["id"] for each in done["outcomes"][:2]] + [moved["connection"]["id"]]
    await synced(admin, *ids)
    old = await seen(admin, made["id"])

    expected = ["CONNECTED", "CONNECTED", "DIFFERENT_ORGANISATION"]
    assert [each["code"] for each in shown["outcomes"]] == expected
    assert ([each["code"] for each in done["outcomes"]], done["errors"]) == (expected, [])
    assert moved["errors"] == []
    assert (old["endedAt"] is not None, old["remedy"]) == (True, None)
    assert await accounts(admin, made["id"]) == old_books
    for connection_id, company in zip(
        ids, [*rounds.person.companies[1:], rounds.person.companies[0]], strict=True
    ):
        truth = (await rounds.quickbooks.books(company))["accounts"]
        read_now = await accounts(admin, connection_id)
        assert {one["externalId"] for one in read_now} == {one["Id"] for one in truth}
