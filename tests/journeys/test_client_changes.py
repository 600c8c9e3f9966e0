"""One client over HTTP: its details changed, and what would become of it told before it is done."""

from __future__ import annotations

from typing import Any

from tests.journeys.test_connecting import connected
from tests.support.firm import Firm
from tests.support.trips import Trip

UPDATE = """mutation($input: UpdateClientInput!) { updateClient(input: $input) {
  client { name legalName practiceCode country currency team { name } } errors { code field } } }"""
DISCONNECTING = """query($id: ID!) { disconnectPreview(input: {connectionId: $id}) {
  connection { id } sharing { clients { name } hidden total } otherProducts { product }
  releasesOrganisation endsConsent keepsUntil } }"""
DELETING = """query($id: ID!) { deleteClientPreview(input: {id: $id}) {
  client { name } connections organisationsFreed organisationsKept records syncRuns people } }"""


async def test_what_is_left_out_stays_and_null_or_an_empty_text_clears(firm: Firm) -> None:
    team_id = str(await firm.team("North"))
    client_id = await firm.admin.create_client(
        "Acorn", legalName="Acorn Ltd", practiceCode="A1", country="GB", currency="GBP"
    )

    async def update(**changes: Any) -> dict[str, Any]:
        given = {"id": client_id, **changes}
        payload: dict[str, Any] = (await firm.admin.ask(UPDATE, input=given))["updateClient"]
        return payload

    cleared = await update(practiceCode=None, country=" ", teamId=team_id)
    left = await update(teamId=None, name="Oak")
    refused = await update(name=None, currency="pounds", legalName=None)

    assert cleared == {
        "client": {
            "name": "Acorn",
            "legalName": "Acorn Ltd",
            "practiceCode": None,
            "country": None,
            "currency": "GBP",
            "team": {"name": "North"},
        },
        "errors": [],
    }
    assert left["client"] == cleared["client"] | {"name": "Oak", "team": None}
    assert refused == {
        "client": None,
        "errors": [
            {"code": "INVALID", "field": "input.name"},
            {"code": "INVALID", "field": "input.currency"},
        ],
    }


async def test_what_disconnecting_and_deleting_would_do_is_told_before(trip: Trip) -> None:
    connection = await connected(trip)
    await trip.firm.admin.create_client("Bystander")
    client_id = connection["client"]["id"]

    disconnecting = (await trip.firm.admin.ask(DISCONNECTING, id=connection["id"]))["disconnectPreview"]
    deleting = (await trip.firm.admin.ask(DELETING, id=client_id))["deleteClientPreview"]

    assert disconnecting.pop("keepsUntil") is not None
    assert disconnecting == {
        "connection": {"id": connection["id"]},
        "sharing": {"clients": [], "hidden": 0, "total": 0},
        "otherProducts": [],
        "releasesOrganisation": True,
        "endsConsent": True,
    }
    assert deleting == {
        "client": {"name": "Ashford Bakery"},
        "connections": 1,
        "organisationsFreed": 1,
        "organisationsKept": 0,
        "records": 0,
        "syncRuns": 1,
        "people": 0,
    }
