"""The board and the list of connections, filtered as a front end asks for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.firm import unknown_id
from tests.support.trips import Trip

CONNECT = "mutation($input: ConnectInput!) { connect(input: $input) { connection { id } errors { code } } }"
DISCONNECT = "mutation($input: DisconnectInput!) { disconnect(input: $input) { errors { code } } }"
BOARD = """query($search: String, $sort: ConnectionBoardSort! = {}, $reasons: [ConnectionReason!], $teamIds: [ID!],
  $integratedBy: ID, $expiringBefore: DateTime) {
  connectionBoard(product: BOOKKEEPING, search: $search, sort: $sort, reasons: $reasons, teamIds: $teamIds,
    integratedBy: $integratedBy, expiringBefore: $expiringBefore) {
    totalCount counts { unintegrated connected expired } nodes { client { name } } } }"""
LIST = """query($search: String, $reasons: [ConnectionReason!], $teamIds: [ID!]) {
  connections(search: $search, reasons: $reasons, teamIds: $teamIds) { totalCount nodes { client { name } } } }"""


async def shown(trip: Trip, document: str, **variables: Any) -> list[str]:
    """The names of clients on a page, which is all of it."""
    (page,) = (await trip.firm.admin.ask(document, **variables)).values()
    assert page["totalCount"] == len(page["nodes"])
    return [node["client"]["name"] for node in page["nodes"]]


async def test_board_and_list_are_filtered_by_reason_team_integrator_and_end(trip: Trip) -> None:
    admin, team = trip.firm.admin, str(await trip.firm.team("Bakers"))
    sign_in_id = await trip.ready()
    found = await trip.found(sign_in_id)
    ids = {
        "Ashford Bakery": await admin.create_client("Ashford Bakery", teamId=team),
        "Birch and Sons": await admin.create_client("Birch and Sons"),
    }
    await admin.create_client("Zebra", teamId=team)
    for name, organisation in (("Ashford Bakery", "Ashford Bakery Ltd"), ("Birch and Sons", "Birch & Sons")):
        given = {"signInId": sign_in_id, "clientId": ids[name], "organisationId": found[organisation]}
        made = (await admin.ask(CONNECT, input=given | {"product": "BOOKKEEPING"}))["connect"]["connection"]
    await admin.ask(DISCONNECT, input={"connectionId": made["id"]})
    now = datetime.now(UTC)

    by_team = (await admin.ask(BOARD, teamIds=[team]))["connectionBoard"]

    assert by_team["counts"] == {"unintegrated": 1, "connected": 1, "expired": 0}
    assert await shown(trip, BOARD, teamIds=[team]) == ["Ashford Bakery", "Zebra"]
    assert await shown(trip, BOARD, reasons=["DISCONNECTED"]) == ["Birch and Sons"]
    assert await shown(trip, BOARD, integratedBy=str(admin.person_id)) == ["Ashford Bakery", "Birch and Sons"]
    assert await shown(trip, BOARD, expiringBefore=(now + timedelta(days=364)).isoformat()) == []
    assert await shown(trip, BOARD, expiringBefore=(now + timedelta(days=366)).isoformat()) == [
        "Ashford Bakery"
    ]
    assert await shown(trip, BOARD, sort={"field": "INTEGRATED_BY"}) == [
        "Zebra",
        "Ashford Bakery",
        "Birch and Sons",
    ]
    assert await shown(trip, LIST, teamIds=[team], search="ash") == ["Ashford Bakery"]
    assert await shown(trip, LIST, reasons=["DISCONNECTED"]) == ["Birch and Sons"]


async def test_what_no_filter_can_be_is_refused_by_its_field(trip: Trip) -> None:
    cases: list[tuple[str, dict[str, Any], str]] = [
        (BOARD, {"expiringBefore": "2031-05-04T00:00:00"}, "expiringBefore"),
        (BOARD, {"expiringBefore": "0001-01-01T00:00:00+14:00"}, "expiringBefore"),
        (BOARD, {"teamIds": [unknown_id()] * 101}, "teamIds"),
        (LIST, {"teamIds": [unknown_id()] * 101}, "teamIds"),
    ]

    for document, variables, field in cases:
        answer = (await trip.firm.admin.post(document, **variables)).json()
        (error,) = answer["errors"]
        assert (error["extensions"]["code"], error["extensions"]["field"]) == ("INVALID", field)
    assert await trip.firm.admin.codes(BOARD, teamIds=[unknown_id()]) == ["NOT_FOUND"]
    assert await shown(trip, BOARD, expiringBefore="0001-01-01T00:00:00Z") == []
