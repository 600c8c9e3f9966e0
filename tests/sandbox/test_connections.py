"""Connections, and who gets into an organisation."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from tests.sandbox.xero import CLIENT_ID, Person, Xero, bearer, claims

SEVEN_DECIMALS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}")


async def test_connections_of_one_consent_are_found_by_its_event(xero: Xero, person: Person) -> None:
    await xero.configure(bulk_consent=True)
    await xero.connect(person, person.tenants[0])
    pair = await xero.connect(person, *person.tenants[1:])

    event = claims(pair["access_token"])["authentication_event_id"]
    everything = (await xero.connections(pair["access_token"])).json()
    of_this = (await xero.connections(pair["access_token"], authEventId=event)).json()

    assert [one["tenantId"] for one in everything] == person.tenants
    assert [one["tenantId"] for one in of_this] == person.tenants[1:]
    assert {one["authEventId"] for one in of_this} == {event}


async def test_an_entry_has_the_documented_form(xero: Xero, person: Person) -> None:
    pair = await xero.connect(person, person.tenants[0])

    answer = await xero.connections(pair["access_token"])
    entry = answer.json()[0]

    assert set(entry) == {
        *("id", "authEventId", "tenantId", "tenantType", "tenantName", "createdDateUtc", "updatedDateUtc"),
    }
    assert entry["tenantType"] == "ORGANISATION"
    assert entry["tenantName"] == person.names[0]
    assert SEVEN_DECIMALS.fullmatch(entry["createdDateUtc"])
    assert len({entry["id"], entry["tenantId"], entry["authEventId"]}) == 3
    assert int(answer.headers["x-appminlimit-remaining"]) < 10_000
    assert "x-daylimit-remaining" not in answer.headers
    assert "x-minlimit-remaining" not in answer.headers


async def test_reconnecting_keeps_the_connection_and_moves_its_date(xero: Xero, person: Person) -> None:
    first = await xero.connect(person, person.tenants[0])
    before = (await xero.connections(first["access_token"])).json()[0]

    second = await xero.connect(person, person.tenants[0])
    after = (await xero.connections(second["access_token"])).json()[0]

    assert (after["id"], after["createdDateUtc"]) == (before["id"], before["createdDateUtc"])
    assert after["updatedDateUtc"] > before["updatedDateUtc"]
    assert after["authEventId"] == claims(second["access_token"])["authentication_event_id"]


async def test_an_app_may_be_told_that_reconnecting_keeps_the_event(xero: Xero, person: Person) -> None:
    await xero.configure(reconnecting_keeps_auth_event=True)
    first = await xero.connect(person, person.tenants[0])
    before = (await xero.connections(first["access_token"])).json()[0]

    second = await xero.connect(person, person.tenants[0])

    assert (await xero.connections(second["access_token"])).json()[0]["authEventId"] == before["authEventId"]


async def test_disconnecting_wants_the_connections_own_id(xero: Xero, person: Person) -> None:
    pair = await xero.connect(person, person.tenants[0])
    entry = (await xero.connections(pair["access_token"])).json()[0]

    async def delete(id_: str) -> int:
        answer = await xero.http.delete(f"/xero/connections/{id_}", headers=bearer(pair["access_token"]))
        return answer.status_code

    assert await delete(entry["tenantId"]) == 403
    assert await delete(entry["authEventId"]) == 403
    assert await delete("00000000-0000-4000-8000-000000000000") == 404
    assert await delete(entry["id"]) == 204
    assert await delete(entry["id"]) == 404
    assert (await xero.connections(pair["access_token"])).json() == []
    assert (await xero.refresh(pair["refresh_token"])).status_code == 200


async def test_a_token_lives_for_half_an_hour(xero: Xero, person: Person) -> None:
    pair = await xero.connect(person, person.tenants[0])
    await xero.advance(minutes=30)

    answer = await xero.connections(pair["access_token"])

    assert answer.status_code == 401
    assert problem(answer)["Title"] == "Unauthorized"
    assert re.fullmatch(
        r"TokenExpired: token expired at \d\d/\d\d/\d{4} \d\d:\d\d:\d\d", problem(answer)["Detail"]
    )


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic eDp5"}])
async def test_no_token_is_not_an_expired_one(xero: Xero, header: dict[str, str]) -> None:
    answer = await xero.http.get("/xero/connections", headers=header)

    assert answer.status_code == 401
    assert problem(answer)["Detail"] == "AuthenticationUnsuccessful"


async def test_an_organisation_shows_itself_in_full(xero: Xero, person: Person) -> None:
    pair = await xero.connect(person, person.tenants[0])

    answer = await xero.read(pair["access_token"], person.tenants[0])
    envelope = answer.json()
    organisation = envelope["Organisations"][0]

    assert envelope["Status"] == "OK"
    assert re.fullmatch(r"/Date\(\d+\)/", envelope["DateTimeUTC"])
    assert organisation["OrganisationID"] == person.tenants[0]
    assert organisation["Name"] == person.names[0]
    assert organisation["LegalName"] == person.names[0].replace("Ltd", "Limited")
    assert (organisation["BaseCurrency"], organisation["CountryCode"]) == ("GBP", "GB")
    assert organisation["OrganisationStatus"] == "ACTIVE"
    assert organisation["Timezone"] == "GMTSTANDARDTIME"
    assert organisation["IsDemoCompany"] is False


async def test_the_default_is_xml(xero: Xero, person: Person) -> None:
    pair = await xero.connect(person, person.tenants[0])

    answer = await xero.read(pair["access_token"], person.tenants[0], headers={"Accept": "*/*"})

    root = ET.fromstring(answer.text)  # noqa: S314 - our own words
    assert answer.headers["content-type"].startswith("text/xml")
    assert root.tag == "Response"
    assert root.findtext("Organisations/Organisation/Name") == person.names[0]


async def test_only_a_connected_tenant_opens(xero: Xero, person: Person) -> None:
    pair = await xero.connect(person, person.tenants[0])

    unconnected = await xero.read(pair["access_token"], person.tenants[1])
    unknown = await xero.read(pair["access_token"], "00000000-0000-4000-8000-000000000000")
    missing = await xero.http.get("/xero/api.xro/2.0/Organisation", headers=bearer(pair["access_token"]))

    for answer in (unconnected, unknown, missing):
        assert answer.status_code == 403
        assert problem(answer)["Title"] == "Forbidden"
        assert problem(answer)["Detail"] == "AuthenticationUnsuccessful"


async def test_a_tenant_that_is_no_organisation_is_listed_and_has_no_books(
    xero: Xero, person: Person
) -> None:
    await xero.control("PUT", f"/organisations/{person.tenants[0]}", {"tenant_type": "PRACTICE"})
    token = (await xero.connect(person, person.tenants[0]))["access_token"]

    [listed] = (await xero.connections(token)).json()

    assert listed["tenantType"] == "PRACTICE"
    assert (await xero.read(token, person.tenants[0])).status_code == 403


async def test_a_missing_scope_is_401_and_says_so(xero: Xero, person: Person) -> None:
    pair = await xero.connect(person, person.tenants[0], scope="openid accounting.contacts")

    answer = await xero.read(pair["access_token"], person.tenants[0])

    assert answer.status_code == 401
    assert problem(answer)["Detail"] == "AuthorizationUnsuccessful"


async def test_what_is_not_there_is_said_in_plain_text(xero: Xero, person: Person) -> None:
    pair = await xero.connect(person, person.tenants[0])

    answer = await xero.read(pair["access_token"], person.tenants[0], "Nonsense")

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text == "The resource you're looking for cannot be found"


async def test_a_person_removes_one_organisation_at_the_provider(xero: Xero, person: Person) -> None:
    await xero.configure(bulk_consent=True)
    pair = await xero.connect(person, *person.tenants)
    gone = {"user": person.id, "client_id": CLIENT_ID, "organisation": person.tenants[0]}

    await xero.control("POST", "/revoke", gone)

    assert (await xero.read(pair["access_token"], person.tenants[0])).status_code == 403
    assert (await xero.read(pair["access_token"], person.tenants[1])).status_code == 200
    assert len((await xero.connections(pair["access_token"])).json()) == 2
    assert (await xero.refresh(pair["refresh_token"])).status_code == 200


async def test_a_person_removes_the_app_at_the_provider(xero: Xero, person: Person) -> None:
    pair = await xero.connect(person, person.tenants[0])

    await xero.control("POST", "/revoke", {"user": person.email, "client_id": CLIENT_ID})

    assert (await xero.refresh(pair["refresh_token"])).json() == {"error": "invalid_grant"}
    assert (await xero.connections(pair["access_token"])).status_code == 401
    assert (await xero.control("GET", "/grants"))["grants"] == []


async def test_somebody_who_lost_the_right_is_still_listed_and_refused(xero: Xero, person: Person) -> None:
    pair = await xero.connect(person, person.tenants[0])

    await xero.control("PUT", f"/users/{person.id}", {"organisations": person.tenants[1:]})

    assert len((await xero.connections(pair["access_token"])).json()) == 1
    assert (await xero.read(pair["access_token"], person.tenants[0])).status_code == 403


async def test_grants_are_listed_without_any_token(xero: Xero, person: Person) -> None:
    pair = await xero.connect(person, person.tenants[0])
    await xero.refresh(pair["refresh_token"])

    told = await xero.control("GET", "/grants")

    assert told["grants"][0]["user"] == person.id
    assert told["grants"][0]["refresh_tokens"] == {"current": 1, "in_grace": 1, "dead": 0}
    assert told["grants"][0]["connections"][0]["tenant_id"] == person.tenants[0]
    assert pair["refresh_token"] not in str(told)


def problem(answer: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert set(body) == {"Type", "Title", "Status", "Detail", "Instance", "Extensions"}
    assert body["Status"] == answer.status_code
    return body
