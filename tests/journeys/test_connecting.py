"""Clients connected over HTTP: one by one and many at once, mended, disconnected, deleted, and shown on the board."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.firm import Caller, Firm, unknown_id
from tests.support.trips import Trip, codes
from tieline.principal import ClientAccess, Permission

CONNECTION = """id product statuses reason remedy explanation connectedAt endedAt lastSyncedAt
  client { id name } organisation { id name externalId } provider { slug name }
  integratedBy { login person { name } }"""
CONNECT = f"""mutation($input: ConnectInput!) {{ connect(input: $input) {{
  connection {{ {CONNECTION} }} errors {{ code field message }} }} }}"""
BULK = """mutation($input: BulkConnectInput!) { bulkConnect(input: $input) {
  outcomes { clientId organisationId code error { code message field }
    connection { client { name } } } errors { code field } } }"""
RECONNECT = f"""mutation($input: ReconnectInput!) {{ reconnect(input: $input) {{
  connection {{ {CONNECTION} }} errors {{ code field }} }} }}"""
DISCONNECT = f"""mutation($input: DisconnectInput!) {{ disconnect(input: $input) {{
  connection {{ {CONNECTION} }} errors {{ code field }} }} }}"""
DELETE = (
    "mutation($input: DeleteClientInput!) { deleteClient(input: $input) { deletedClientId errors { code } } }"
)
ACCEPT = """mutation($id: ID!) { acceptMismatch(input: {connectionId: $id}) {
  connection { statuses remedy } errors { code field } } }"""
RENAME = """mutation($id: ID!) { renameClient(input: {id: $id, name: "Somebody Else Again"}) { errors { code } } }"""
CLIENT = "query($id: ID!) { client(id: $id) { name connections { product statuses organisation { name } } } }"
CONNECTION_OF = f"query($id: ID!) {{ connection(id: $id) {{ {CONNECTION} }} }}"
LIST = """query($first: Int! = 50, $after: String, $clientId: ID, $provider: String, $product: Product,
  $integratedBy: ID, $statuses: [ConnectionStatus!]) {
  connections(first: $first, after: $after, clientId: $clientId, provider: $provider, product: $product,
    integratedBy: $integratedBy, statuses: $statuses) {
    totalCount eventCursor pageInfo { hasNextPage endCursor } nodes { client { name } } edges { cursor } } }"""
BOARD = """query($first: Int! = 50, $after: String, $search: String, $sort: ConnectionBoardSort! = {},
  $statuses: [ConnectionStatus!], $providers: [String!]) {
  connectionBoard(product: BOOKKEEPING, first: $first, after: $after, search: $search, sort: $sort,
    statuses: $statuses, providers: $providers) {
    totalCount eventCursor counts { unintegrated connected mismatch expired } pageInfo { hasNextPage endCursor }
    nodes { client { name } statuses remedy explanation connection { organisation { name } } } } }"""


async def connect(
    trip: Trip, sign_in_id: str, client_id: str, organisation_id: str, **more: Any
) -> dict[str, Any]:
    given = {"signInId": sign_in_id, "clientId": client_id, "organisationId": organisation_id}
    payload: dict[str, Any] = (
        await trip.firm.admin.ask(CONNECT, input=given | {"product": "BOOKKEEPING"} | more)
    )["connect"]
    return payload


async def connected(trip: Trip, name: str = "Ashford Bakery") -> dict[str, Any]:
    """A client of this name, connected to the bakery's books."""
    sign_in_id, client_id = await trip.ready(), await trip.firm.admin.create_client(name)
    organisations = await trip.found(sign_in_id)
    payload = await connect(trip, sign_in_id, client_id, organisations["Ashford Bakery Ltd"])
    assert payload["errors"] == [], payload
    connection: dict[str, Any] = payload["connection"]
    return connection


async def board(caller: Caller, **arguments: Any) -> dict[str, Any]:
    shown: dict[str, Any] = (await caller.ask(BOARD, **arguments))["connectionBoard"]
    return shown


async def test_a_client_is_connected_and_everything_about_it_can_be_read(trip: Trip) -> None:
    connection = await connected(trip)

    client = (await trip.firm.admin.ask(CLIENT, id=connection["client"]["id"]))["client"]
    again = (await trip.firm.admin.ask(CONNECTION_OF, id=connection["id"]))["connection"]

    assert (connection["product"], connection["statuses"]) == ("BOOKKEEPING", ["CONNECTED"])
    assert [connection[name] for name in ("reason", "remedy", "explanation", "endedAt", "lastSyncedAt")] == [
        None
    ] * 5
    assert connection["organisation"]["externalId"] == trip.person.named("Ashford Bakery Ltd").tenant_id
    assert connection["provider"] == {"slug": "xero", "name": "Xero"}
    assert connection["integratedBy"]["person"] == {"name": "The Admin"}
    assert trip.person.email in connection["integratedBy"]["login"]
    assert client["connections"] == [
        {"product": "BOOKKEEPING", "statuses": ["CONNECTED"], "organisation": {"name": "Ashford Bakery Ltd"}}
    ]
    assert again == connection


async def test_the_same_again_changes_nothing_and_another_organisation_is_a_change(trip: Trip) -> None:
    connection = await connected(trip)
    sign_in_id, client_id = await trip.ready(), connection["client"]["id"]
    organisations = await trip.found(sign_in_id)

    same = await connect(trip, sign_in_id, client_id, organisations["Ashford Bakery Ltd"])
    other = await connect(trip, sign_in_id, client_id, organisations["Birch & Sons"])
    taken = await connect(
        trip, sign_in_id, await trip.firm.admin.create_client("Other"), organisations["Ashford Bakery Ltd"]
    )

    assert same["connection"]["id"] == connection["id"]
    assert codes(other) == ["DIFFERENT_ORGANISATION"]
    assert [(error["code"], error["field"]) for error in taken["errors"]] == [
        ("ORGANISATION_IN_USE", "input.organisationId")
    ]
    assert "Ashford Bakery" in taken["errors"][0]["message"]


async def test_a_name_that_differs_is_a_mismatch_and_says_what_to_do(trip: Trip) -> None:
    connection = await connected(trip, name="Somebody Else")

    assert connection["statuses"] == ["CONNECTED", "MISMATCH"]
    assert connection["remedy"] == "MANAGE_CONNECTION"
    assert connection["explanation"]


async def test_a_mismatch_that_somebody_accepts_is_none_until_the_client_is_renamed(trip: Trip) -> None:
    connection = await connected(trip, "Somebody Else")
    admin, syncing = trip.firm.admin, await trip.firm.member(Permission.SYNC)
    before = (await board(admin))["counts"]

    refused = (await syncing.ask(ACCEPT, id=connection["id"]))["acceptMismatch"]
    accepted = (await admin.ask(ACCEPT, id=connection["id"]))["acceptMismatch"]
    after = (await board(admin))["counts"]
    await admin.ask(RENAME, id=connection["client"]["id"])
    renamed = (await board(admin))["counts"]

    assert codes(refused) == ["FORBIDDEN"]
    assert accepted == {"connection": {"statuses": ["CONNECTED"], "remedy": None}, "errors": []}
    assert [each["mismatch"] for each in (before, after, renamed)] == [1, 0, 1]
    assert [each["connected"] for each in (before, after, renamed)] == [1, 1, 1]


async def test_what_the_sign_in_does_not_reach_cannot_be_connected(trip: Trip, other_firm: Firm) -> None:
    connection = await connected(trip)
    started = await trip.start()
    organisation_id, client_id = connection["organisation"]["id"], connection["client"]["id"]

    assert codes(await connect(trip, started["signIn"]["id"], client_id, organisation_id)) == [
        "SIGN_IN_NOT_READY"
    ]
    assert codes(await connect(trip, unknown_id(), client_id, organisation_id)) == ["NOT_FOUND"]
    assert codes(await connect(trip, "nonsense", client_id, organisation_id)) == ["NOT_FOUND"]
    sign_in_id = await trip.ready()
    assert codes(await connect(trip, sign_in_id, client_id, unknown_id())) == ["NOT_FOUND"]
    theirs = await other_firm.admin.create_client("Theirs")
    assert codes(await connect(trip, sign_in_id, theirs, organisation_id)) == ["NOT_FOUND"]


async def test_many_are_connected_at_once_and_each_row_has_its_own_outcome(
    trip: Trip, other_firm: Firm
) -> None:
    sign_in_id = await trip.ready()
    found = await trip.found(sign_in_id)
    bakery, sons = found["Ashford Bakery Ltd"], found["Birch & Sons"]
    first, second = [
        await trip.firm.admin.create_client(name) for name in ("Ashford Bakery", "Birch and Sons")
    ]
    theirs = await other_firm.admin.create_client("Theirs")
    rows = [
        (first, bakery),
        (second, sons),
        (theirs, sons),
        ("nonsense", sons),
        (second, bakery),
        (unknown_id(), "x"),
    ]
    given = {
        "signInId": sign_in_id,
        "product": "BOOKKEEPING",
        "rows": [{"clientId": client, "organisationId": organisation} for client, organisation in rows],
    }

    payload = (await trip.firm.admin.ask(BULK, input=given))["bulkConnect"]
    again = (await trip.firm.admin.ask(BULK, input=given))["bulkConnect"]

    outcomes = payload["outcomes"]
    assert payload["errors"] == []
    assert [(one["clientId"], one["organisationId"]) for one in outcomes] == rows
    assert [one["code"] for one in outcomes[:2]] == ["CONNECTED", "CONNECTED"]
    assert [one["connection"]["client"]["name"] for one in outcomes[:2]] == [
        "Ashford Bakery",
        "Birch and Sons",
    ]
    assert {one["code"] for one in outcomes[2:4]} <= {"NOT_FOUND", "ORGANISATION_IN_USE"}
    assert (outcomes[3]["code"], outcomes[4]["code"], outcomes[5]["code"]) == (
        "NOT_FOUND",
        "NAMED_TWICE",
        "NOT_FOUND",
    )
    assert all(one["error"]["message"] and one["connection"] is None for one in outcomes[2:])
    assert [one["code"] for one in again["outcomes"][:2]] == ["ALREADY_CONNECTED"] * 2


async def test_too_many_rows_are_refused_as_a_whole(trip: Trip) -> None:
    rows = [{"clientId": unknown_id(), "organisationId": unknown_id()}] * 1_001

    given = {"signInId": unknown_id(), "product": "BOOKKEEPING", "rows": rows}
    payload = (await trip.firm.admin.ask(BULK, input=given))["bulkConnect"]

    assert (payload["outcomes"], payload["errors"]) == ([], [{"code": "INVALID", "field": "input.rows"}])


async def test_disconnected_and_reconnected_it_is_the_same_connection(trip: Trip) -> None:
    connection = await connected(trip)

    ended = (await trip.firm.admin.ask(DISCONNECT, input={"connectionId": connection["id"]}))["disconnect"]
    sign_in_id = await trip.ready()
    mended = (
        await trip.firm.admin.ask(RECONNECT, input={"connectionId": connection["id"], "signInId": sign_in_id})
    )["reconnect"]

    assert ended["connection"]["statuses"] == ["EXPIRED"]
    assert (ended["connection"]["reason"], ended["connection"]["remedy"]) == ("DISCONNECTED", "RECONNECT")
    assert mended["errors"] == []
    assert mended["connection"] == connection | {"connectedAt": mended["connection"]["connectedAt"]}


async def test_a_reconnect_needs_no_trip_while_the_callers_own_sign_in_is_alive(trip: Trip) -> None:
    connection = await connected(trip)

    started = await trip.start(purpose="RECONNECT", connectionId=connection["id"], products=[])

    assert (started["signIn"]["state"], started["authorizationUrl"]) == ("READY", None)
    seen = await trip.look(started["signIn"]["id"])
    assert seen["connection"] == {"id": connection["id"]}
    assert seen["organisations"]["nodes"][0]["client"] == {"id": connection["client"]["id"]}


async def test_rights_over_connections(trip: Trip, other_firm: Firm) -> None:
    connection = await connected(trip)
    reader = await trip.firm.member(Permission.SYNC)
    elsewhere = await trip.firm.member(Permission.MANAGE_CONNECTIONS, clients=ClientAccess.LISTED)

    async def refused(caller: Caller) -> list[list[str]]:
        gone = (await caller.ask(DISCONNECT, input={"connectionId": connection["id"]}))["disconnect"]
        deleted = (await caller.ask(DELETE, input={"id": connection["client"]["id"]}))["deleteClient"]
        return [codes(gone), codes(deleted), await caller.codes(CONNECTION_OF, id=connection["id"])]

    assert await refused(reader) == [["FORBIDDEN"], ["FORBIDDEN"], []]
    assert await refused(elsewhere) == [["NOT_FOUND"], ["NOT_FOUND"], ["NOT_FOUND"]]
    assert await refused(other_firm.admin) == [["NOT_FOUND"], ["NOT_FOUND"], ["NOT_FOUND"]]
    assert await reader.codes(BOARD) == ["FORBIDDEN"]


async def test_a_deleted_client_is_gone_everywhere_at_once_and_its_organisation_is_free(trip: Trip) -> None:
    connection = await connected(trip)
    client_id, sign_in_id = connection["client"]["id"], await trip.ready()

    deleted = (await trip.firm.admin.ask(DELETE, input={"id": client_id}))["deleteClient"]
    again = (await trip.firm.admin.ask(DELETE, input={"id": client_id}))["deleteClient"]
    other = await trip.firm.admin.create_client("Ashford Bakery Two")
    reused = await connect(trip, sign_in_id, other, connection["organisation"]["id"])

    assert (deleted["deletedClientId"], deleted["errors"]) == (client_id, [])
    assert codes(again) == ["NOT_FOUND"]
    assert await trip.firm.admin.codes(CLIENT, id=client_id) == ["NOT_FOUND"]
    assert await trip.firm.admin.codes(CONNECTION_OF, id=connection["id"]) == ["NOT_FOUND"]
    assert codes(reused) in ([], ["NOT_IN_THIS_LOGIN"])
    assert [row["client"]["name"] for row in (await board(trip.firm.admin))["nodes"]] == [
        "Ashford Bakery Two"
    ]


async def test_the_board_shows_every_client_with_its_status_and_counts_them(trip: Trip) -> None:
    sign_in_id = await trip.ready()
    found = await trip.found(sign_in_id)
    ids = [await trip.firm.admin.create_client(name) for name in ("Ashford Bakery", "Wrongly Named", "Zebra")]
    await connect(trip, sign_in_id, ids[0], found["Ashford Bakery Ltd"])
    await connect(trip, sign_in_id, ids[1], found["Birch & Sons"])

    shown = await board(trip.firm.admin)
    names = [(row["client"]["name"], row["statuses"], row["remedy"]) for row in shown["nodes"]]
    by_status = await board(trip.firm.admin, sort={"field": "STATUS", "direction": "DESC"})
    filtered = await board(trip.firm.admin, statuses=["CONNECTED"], first=1)
    rest = await board(trip.firm.admin, statuses=["CONNECTED"], after=filtered["pageInfo"]["endCursor"])
    searched = await board(trip.firm.admin, search="zeb")

    assert names == [
        ("Ashford Bakery", ["CONNECTED"], None),
        ("Wrongly Named", ["CONNECTED", "MISMATCH"], "MANAGE_CONNECTION"),
        ("Zebra", ["UNINTEGRATED"], "ADD_CONNECTION"),
    ]
    assert shown["nodes"][0]["connection"] == {"organisation": {"name": "Ashford Bakery Ltd"}}
    assert shown["nodes"][2]["connection"] is None
    assert shown["counts"] == {"unintegrated": 1, "connected": 2, "mismatch": 1, "expired": 0}
    assert [row["client"]["name"] for row in by_status["nodes"]] == [
        "Ashford Bakery",
        "Wrongly Named",
        "Zebra",
    ]
    assert (filtered["totalCount"], filtered["counts"]) == (2, shown["counts"])
    assert [row["client"]["name"] for row in rest["nodes"]] == ["Wrongly Named"]
    assert await trip.firm.admin.codes(BOARD, after=filtered["pageInfo"]["endCursor"]) == ["CURSOR_INVALID"]
    assert (searched["totalCount"], searched["counts"]["unintegrated"]) == (1, 1)


async def test_connections_are_listed_by_what_they_have_in_common(trip: Trip, other_firm: Firm) -> None:
    connection = await connected(trip)
    admin = trip.firm.admin

    async def names(**filters: Any) -> list[str]:
        page = (await admin.ask(LIST, **filters))["connections"]
        assert page["totalCount"] == len(page["nodes"])
        return [node["client"]["name"] for node in page["nodes"]]

    assert await names() == ["Ashford Bakery"]
    assert await names(clientId=connection["client"]["id"]) == ["Ashford Bakery"]
    assert await names(integratedBy=str(admin.person_id)) == ["Ashford Bakery"]
    assert await names(provider="xero", product="BOOKKEEPING", statuses=["CONNECTED"]) == ["Ashford Bakery"]
    assert await names(provider="other") == []
    assert await names(product="DATA_HEALTH") == []
    assert await names(statuses=["EXPIRED"]) == []
    theirs = await other_firm.admin.create_client("Theirs")
    for unknown in (
        {"clientId": theirs},
        {"clientId": "x"},
        {"integratedBy": str(other_firm.admin.person_id)},
    ):
        assert await admin.codes(LIST, **unknown) == ["NOT_FOUND"]


@pytest.mark.parametrize("bulk_consent", [True, False])
async def test_providers_say_what_this_practices_app_can_do(
    trip: Trip, other_firm: Firm, *, bulk_consent: bool
) -> None:
    query = "{ providers { slug name products bulkConsent guidedQueue configured callbackUrl } }"
    app = await trip.sandbox.app(other_firm.practice_id, bulk_consent=bulk_consent)

    quickbooks, xero = (await other_firm.admin.ask(query))["providers"]

    assert (quickbooks["slug"], quickbooks["configured"]) == ("quickbooks", False)
    assert (xero["slug"], xero["configured"], xero["bulkConsent"]) == ("xero", True, bulk_consent)
    assert xero["products"] == ["BOOKKEEPING", "DATA_HEALTH"]
    assert xero["callbackUrl"] == app.callback_url


async def test_a_provider_without_an_app_is_shown_as_not_configured(firm: Firm) -> None:
    providers = (await firm.admin.ask("{ providers { configured bulkConsent callbackUrl } }"))["providers"]

    assert providers == [{"configured": False, "bulkConsent": False, "callbackUrl": None}] * 2
