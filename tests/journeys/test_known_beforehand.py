"""What many rows would come to, who is there already and on whom clients hang: asked before anything is done."""

from __future__ import annotations

from typing import Any

from tests.support.firm import unknown_id
from tests.support.trips import Trip
from tieline.principal import Permission

CONNECTING = """query($input: BulkConnectInput!) { bulkConnectPreview(input: $input) {
  outcomes { clientId organisationId code error { code message field } connection { organisation { name } } } } }"""
ADDING = """query($input: AddClientsInput!) { addClientsPreview(input: $input) {
  outcomes { organisationId code error { code message field } client { id } connection { id } } } }"""
REASSIGNING = """query($input: ReassignInput!) { reassignPreview(input: $input) {
  outcomes { connectionId code error { code message field } connection { id } } } }"""
BULK = """mutation($input: BulkConnectInput!) { bulkConnect(input: $input) {
  outcomes { clientId organisationId code error { code message field } connection { id } } errors { code } } }"""
NAMESAKES = """query($id: ID!) { signIn(id: $id) { organisations(first: 50) {
  nodes { organisation { name } namesakes { name connections { organisation { name } } } } } } }"""
INTEGRATORS = """query($provider: String) { integrators(provider: $provider) {
  person { name } provider { slug } logins clientCount connectionCount expiredCount disconnectedCount } }"""


async def test_conflicts_duplicates_and_integrators_are_known_before_anything_is_done(trip: Trip) -> None:
    admin = trip.firm.admin
    sign_in_id = await trip.ready()
    found = await trip.found(sign_in_id)
    bakery, sons = found["Ashford Bakery Ltd"], found["Birch & Sons"]
    client, other = await admin.create_client("Ashford Bakery"), await admin.create_client("Other")
    given = {"signInId": sign_in_id, "product": "BOOKKEEPING"}
    rows: list[dict[str, Any]] = [
        {"clientId": client, "organisationId": bakery},
        {"clientId": other, "organisationId": bakery},
        {"clientId": "no id", "organisationId": sons},
    ]

    foreseen = await admin.ask(CONNECTING, input={**given, "rows": rows})
    happened = await admin.ask(BULK, input={**given, "rows": rows})
    after = await admin.ask(CONNECTING, input={**given, "rows": rows[:1]})
    adding = await admin.ask(
        ADDING, input={**given, "rows": [{"organisationId": bakery}, {"organisationId": sons}]}
    )
    connection_id = happened["bulkConnect"]["outcomes"][0]["connection"]["id"]
    moving = await admin.ask(
        REASSIGNING, input={"signInId": sign_in_id, "connectionIds": [connection_id, "none"]}
    )

    outcomes = foreseen["bulkConnectPreview"]["outcomes"]
    assert [each["code"] for each in outcomes] == ["CONNECTED", "ORGANISATION_IN_USE", "NOT_FOUND"]
    assert [(each["code"], each["error"]) for each in happened["bulkConnect"]["outcomes"]] == [
        (each["code"], each["error"]) for each in outcomes
    ]
    assert [each["connection"] for each in outcomes] == [None] * 3
    [kept] = after["bulkConnectPreview"]["outcomes"]
    assert (kept["code"], kept["connection"]) == (
        "ALREADY_CONNECTED",
        {"organisation": {"name": "Ashford Bakery Ltd"}},
    )
    assert [(each["code"], each["client"]) for each in adding["addClientsPreview"]["outcomes"]] == [
        ("ALREADY_ADDED", {"id": client}),
        ("ADDED", None),
    ]
    assert [each["code"] for each in moving["reassignPreview"]["outcomes"]] == ["ALREADY_YOURS", "NOT_FOUND"]
    nodes = (await admin.ask(NAMESAKES, id=sign_in_id))["signIn"]["organisations"]["nodes"]
    assert {node["organisation"]["name"]: node["namesakes"] for node in nodes if node["namesakes"]} == {
        "Ashford Bakery Ltd": [
            {"name": "Ashford Bakery", "connections": [{"organisation": {"name": "Ashford Bakery Ltd"}}]}
        ]
    }
    [integrator] = (await admin.ask(INTEGRATORS))["integrators"]
    assert integrator == {
        "person": {"name": "The Admin"},
        "provider": {"slug": "xero"},
        "logins": [trip.person.email],
        "clientCount": 1,
        "connectionCount": 1,
        "expiredCount": 0,
        "disconnectedCount": 0,
    }
    assert (await admin.ask(INTEGRATORS, provider="quickbooks"))["integrators"] == []


async def test_a_preview_is_refused_as_a_query_is_with_the_path_of_its_input(trip: Trip) -> None:
    sign_in_id = await trip.ready()
    syncer = await trip.firm.member(Permission.SYNC)
    given = {"signInId": unknown_id(), "product": "BOOKKEEPING", "rows": []}
    many = {"signInId": sign_in_id, "connectionIds": [unknown_id()] * 1_001}

    answers = [
        (await trip.firm.admin.post(CONNECTING, input=given)).json(),
        (await trip.firm.admin.post(REASSIGNING, input=many)).json(),
        (await syncer.post(ADDING, input=given)).json(),
    ]

    told = [answer["errors"][0]["extensions"] for answer in answers]
    assert [(each["code"], each.get("field")) for each in told] == [
        ("NOT_FOUND", "input.signInId"),
        ("INVALID", "input.connectionIds"),
        ("FORBIDDEN", None),
    ]
