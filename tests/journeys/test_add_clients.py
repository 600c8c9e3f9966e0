"""Clients added over HTTP from the organisations of a sign-in, and moved to another organisation afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.deployment import Deployment
from tests.support.firm import Caller, unknown_id
from tests.support.jobs import JobTable
from tests.support.polling import until
from tests.support.trips import Trip, codes
from tieline.principal import ClientAccess, Permission

ADD = """mutation($input: AddClientsInput!) { addClients(input: $input) {
  outcomes { organisationId code error { code message field } client { id name team { name } }
    connection { id statuses organisation { name } client { id } lastRun { state } } }
  errors { code field message } } }"""
OWN_BOOKS = """query($id: ID!) { signIn(id: $id) { organisations(first: 50) {
  nodes { ownBooks organisation { name } suggestedClients(product: BOOKKEEPING) { exact } } } } }"""
BOARD = """{ connectionBoard(product: BOOKKEEPING, first: 50) { totalCount
  nodes { client { name } statuses connection { lastSyncedAt lastRun { state } organisation { name } } } } }"""
CLIENTS = "{ clients(first: 50) { nodes { name connections { organisation { name } } } } }"
DETAILS = "{ clients(first: 50) { nodes { legalName country currency taxNumber registrationNumber } } }"
CHANGE = """mutation($input: ChangeConnectionInput!) { changeConnection(input: $input) {
  connection { id statuses client { id } organisation { id name } } errors { code field message } } }"""
CONNECTION = "query($id: ID!) { connection(id: $id) { endedAt remedy explanation organisation { name } } }"


async def add(
    trip: Trip, sign_in_id: str, *rows: dict[str, Any], caller: Caller | None = None
) -> dict[str, Any]:
    given = {"signInId": sign_in_id, "product": "BOOKKEEPING", "rows": list(rows)}
    payload: dict[str, Any] = (await (caller or trip.firm.admin).ask(ADD, input=given))["addClients"]
    return payload


async def change(trip: Trip, connection_id: str, sign_in_id: str, organisation_id: str) -> dict[str, Any]:
    given = {"connectionId": connection_id, "signInId": sign_in_id, "organisationId": organisation_id}
    payload: dict[str, Any] = (await trip.firm.admin.ask(CHANGE, input=given))["changeConnection"]
    return payload


def told(payload: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Code and client of each outcome."""
    assert payload["errors"] == [], payload
    return [
        (each["code"], each["client"]["name"] if each["client"] else None) for each in payload["outcomes"]
    ]


async def test_new_clients_stand_in_the_list_at_once_connected_and_syncing(trip: Trip) -> None:
    sign_in_id = await trip.ready()
    found = await trip.found(sign_in_id)
    team = str(await trip.firm.team("North"))
    rows = [
        {"organisationId": found["Ashford Bakery Ltd"], "teamId": team},
        {"organisationId": found["Birch & Sons"], "name": "Birch"},
    ]

    payload = await add(trip, sign_in_id, *rows)

    assert told(payload) == [("ADDED", "Ashford Bakery Ltd"), ("ADDED", "Birch")]
    first, second = payload["outcomes"]
    assert (first["client"]["team"], second["client"]["team"]) == ({"name": "North"}, None)
    assert [each["organisationId"] for each in (first, second)] == [row["organisationId"] for row in rows]
    assert first["connection"]["client"]["id"] == first["client"]["id"]
    assert (first["connection"]["statuses"], first["connection"]["lastRun"]) == (
        ["CONNECTED"],
        {"state": "QUEUED"},
    )
    assert second["connection"]["statuses"] == ["CONNECTED", "MISMATCH"]
    board = (await trip.firm.admin.ask(BOARD))["connectionBoard"]
    assert [(line["client"]["name"], line["connection"]) for line in board["nodes"]] == [
        (
            name,
            {
                "lastSyncedAt": None,
                "lastRun": {"state": "QUEUED"},
                "organisation": {"name": organisation},
            },
        )
        for name, organisation in (("Ashford Bakery Ltd", "Ashford Bakery Ltd"), ("Birch", "Birch & Sons"))
    ]


async def test_a_client_shows_what_its_ledger_tells_once_that_is_read(
    jobs: JobTable,  # noqa: ARG001 - empty
    trip: Trip,
    start: Callable[..., Any],
) -> None:
    sign_in_id = await trip.ready()
    found = await trip.found(sign_in_id)
    await add(trip, sign_in_id, {"organisationId": found["Ashford Bakery Ltd"]})

    async def shown() -> dict[str, Any]:
        [client] = (await trip.firm.admin.ask(DETAILS))["clients"]["nodes"]
        told: dict[str, Any] = client
        return told

    async def is_filled() -> bool:
        return (await shown())["country"] is not None

    async def is_synced() -> bool:
        [line] = (await trip.firm.admin.ask(BOARD))["connectionBoard"]["nodes"]
        return line["connection"]["lastSyncedAt"] is not None

    assert set((await shown()).values()) == {None}
    assert not await is_synced()
    start("worker")
    start("scheduler")
    await until(is_filled, "the client has the details of its ledger")
    await until(is_synced, "its first sync is done")

    nodes = (await trip.look(sign_in_id))["organisations"]["nodes"]
    [bakery] = [node["organisation"] for node in nodes if node["client"] is not None]
    client = await shown()
    assert [client[each] for each in ("legalName", "country", "currency")] == [
        bakery[each] for each in ("legalName", "country", "currency")
    ]
    assert client["taxNumber"]
    assert client["registrationNumber"]


async def test_the_same_again_adds_nothing_and_names_who_is_there(trip: Trip) -> None:
    sign_in_id = await trip.ready()
    found = await trip.found(sign_in_id)
    bakery, sons = found["Ashford Bakery Ltd"], found["Birch & Sons"]
    await trip.firm.admin.create_client("Birch and Sons")

    first = await add(trip, sign_in_id, {"organisationId": bakery}, {"organisationId": sons})
    again = await add(trip, sign_in_id, {"organisationId": bakery}, {"organisationId": sons})
    meant = await add(trip, sign_in_id, {"organisationId": sons, "evenIfDuplicate": True})

    assert told(first) == [("ADDED", "Ashford Bakery Ltd"), ("DUPLICATE", "Birch and Sons")]
    assert told(again) == [("ALREADY_ADDED", "Ashford Bakery Ltd"), ("DUPLICATE", "Birch and Sons")]
    assert again["outcomes"][0]["connection"]["id"] == first["outcomes"][0]["connection"]["id"]
    assert first["outcomes"][1]["error"]["message"] == (
        "The client Birch and Sons is there already; Birch & Sons may be the same business."
    )
    assert told(meant) == [("ADDED", "Birch & Sons")]
    names = [node["name"] for node in (await trip.firm.admin.ask(CLIENTS))["clients"]["nodes"]]
    assert names == ["Ashford Bakery Ltd", "Birch & Sons", "Birch and Sons"]


async def test_rows_that_are_no_good_say_why_and_the_request_as_a_whole_too(
    trip: Trip, opened: Deployment
) -> None:
    sign_in_id = await trip.ready()
    found = await trip.found(sign_in_id)
    team = str(await trip.firm.team("North"))
    sql = await opened.connect()
    await sql.execute("UPDATE practice SET plan = 'STANDARD' WHERE id = $1", trip.firm.practice_id)
    await sql.close()
    listed = await trip.firm.member(Permission.SYNC, clients=ClientAccess.LISTED)

    payload = await add(
        trip,
        sign_in_id,
        {"organisationId": "nonsense"},
        {"organisationId": found["Birch & Sons"], "teamId": team},
        {"organisationId": found["Birch & Sons"], "teamId": "nonsense"},
        {"organisationId": found["Birch & Sons"], "name": "\u0007"},
        {"organisationId": unknown_id()},
    )
    too_many = await add(trip, sign_in_id, *[{"organisationId": unknown_id()}] * 1_001)
    forbidden = await add(trip, sign_in_id, {"organisationId": found["Birch & Sons"]}, caller=listed)

    assert told(payload) == [
        ("NOT_FOUND", None),
        ("PLAN_TOO_SMALL", None),
        ("NOT_FOUND", None),
        ("INVALID", None),
        ("NOT_FOUND", None),
    ]
    assert payload["outcomes"][1]["error"]["message"] == "Assigning a team needs the plan ADVANCED."
    assert (codes(too_many), too_many["errors"][0]["field"]) == (["INVALID"], "input.rows")
    assert codes(forbidden) == ["FORBIDDEN"]
    assert (await trip.firm.admin.ask(CLIENTS))["clients"]["nodes"] == []


async def test_a_client_is_moved_to_another_organisation_and_its_old_connection_can_still_be_seen(
    trip: Trip,
) -> None:
    sign_in_id = await trip.ready()
    found = await trip.found(sign_in_id)
    bakery, sons = found["Ashford Bakery Ltd"], found["Birch & Sons"]
    [added] = (await add(trip, sign_in_id, {"organisationId": bakery}))["outcomes"]

    moved = await change(trip, added["connection"]["id"], sign_in_id, sons)
    again = await change(trip, added["connection"]["id"], sign_in_id, sons)
    refused = await change(trip, moved["connection"]["id"], sign_in_id, unknown_id())

    assert moved["errors"] == []
    assert moved["connection"]["organisation"]["name"] == "Birch & Sons"
    assert moved["connection"]["client"] == {"id": added["client"]["id"]}
    assert again == moved
    assert [(each["code"], each["field"]) for each in refused["errors"]] == [
        ("NOT_FOUND", "input.organisationId")
    ]
    before = (await trip.firm.admin.ask(CONNECTION, id=added["connection"]["id"]))["connection"]
    assert before["endedAt"] is not None
    assert (before["remedy"], before["explanation"]) == (
        None,
        "It has ended: another connection took its place.",
    )
    assert before["organisation"] == {"name": "Ashford Bakery Ltd"}
    [client] = (await trip.firm.admin.ask(CLIENTS))["clients"]["nodes"]
    assert client["connections"] == [{"organisation": {"name": "Birch & Sons"}}]


async def test_the_firms_own_books_are_named_and_never_connected_by_mistake(
    trip: Trip, opened: Deployment
) -> None:
    above = await opened.connect()
    await above.execute(
        "UPDATE practice SET name = 'Birch and Sons Limited' WHERE id = $1", trip.firm.practice_id
    )
    await above.close()
    sign_in_id = await trip.ready()
    found = await trip.found(sign_in_id)
    row = {"organisationId": found["Birch & Sons"]}

    nodes = (await trip.firm.admin.ask(OWN_BOOKS, id=sign_in_id))["signIn"]["organisations"]["nodes"]
    refused = await add(trip, sign_in_id, row, {"organisationId": found["Ashford Bakery Ltd"]})
    listed = (await trip.firm.admin.ask(CLIENTS))["clients"]["nodes"]
    meant = await add(trip, sign_in_id, row | {"evenIfOwnBooks": True})

    assert [each["organisation"]["name"] for each in nodes if each["ownBooks"]] == ["Birch & Sons"]
    assert told(refused) == [("OWN_BOOKS", None), ("ADDED", "Ashford Bakery Ltd")]
    assert refused["outcomes"][0]["error"]["message"] == (
        "Birch & Sons is called as your practice is: these may be its own books, and no client's."
    )
    assert [each["name"] for each in listed] == ["Ashford Bakery Ltd"]
    assert told(meant) == [("ADDED", "Birch & Sons")]
