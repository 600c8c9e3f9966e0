"""What there is at the beginning, what can be made, and what survives a restart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import Running, started
from tests.sandbox.quickbooks.intuit import CLIENT_ID, Books, Intuit, Person

REALM = "9341000000000007"


async def test_it_says_what_to_log_in_with(sandbox: Running) -> None:
    said = sandbox.logged()

    assert f"{sandbox.url}/quickbooks" in said
    assert "sandbox-quickbooks-secret" in said
    assert "dana.ellis@demo.invalid" in said


async def test_what_was_granted_survives_a_crash(tmp_path: Path) -> None:
    options = ("--state", str(tmp_path / "state.json"))
    with started(tmp_path / "one", *options) as running:
        async with httpx.AsyncClient(base_url=running.url, timeout=30) as http:
            intuit = Intuit(http=http)
            await intuit.configure()
            person = await intuit.populate(companies=2)
            pair = await intuit.connect(person)
            code = await intuit.code(person, person.realms[1])
            books = Books(intuit=intuit, realm=person.realms[0], access_token=pair["access_token"])
            made = await books.edit("bills", create={"DocNumber": "kept"})
        running.popen.kill()
        running.popen.wait()
        port = int(running.url.rpartition(":")[2])
        with started(tmp_path / "two", *options, port=port) as again:
            async with httpx.AsyncClient(base_url=again.url, timeout=30) as http:
                books = Books(intuit=Intuit(http=http), realm=books.realm, access_token=books.access_token)

                found = await books.query("SELECT * FROM Bill WHERE DocNumber = 'kept'")
                assert [one["MetaData"] for one in found["Bill"]] == [made["MetaData"]]
                assert (await books.intuit.refresh(pair["refresh_token"])).status_code == 200
                assert (await books.intuit.exchange(code)).status_code == 200


async def test_a_state_of_a_time_without_quickbooks_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    with started(tmp_path / "one", "--state", str(file)):
        pass
    state = json.loads(file.read_text())
    file.write_text(json.dumps({name: value for name, value in state.items() if name != "quickbooks"}))

    with started(tmp_path / "two", "--state", str(file)) as running:
        async with httpx.AsyncClient(base_url=running.url, timeout=30) as http:
            users = await Intuit(http=http).control("GET", "/users")

    assert "dana.ellis@demo.invalid" in {user["email"] for user in users["users"]}


async def test_two_runs_hold_the_same_companies(intuit: Intuit) -> None:
    first = await intuit.populate(companies=3, seed="same", prefix="Test")
    await intuit.shared("POST", "/reset")

    second = await intuit.populate(companies=3, seed="same", prefix="Test")

    assert first == second
    names = ["Test Ashford Bakery Inc", "Test Ashford Joinery Inc", "Test Ashford Bicycles Inc"]
    assert first.names == names
    assert all(realm.isdecimal() and len(realm) == 16 for realm in first.realms)


async def test_records_of_two_companies_have_the_same_ids(intuit: Intuit, person: Person) -> None:
    await intuit.control("PUT", "/limits", {"second": None})
    books = [
        Books(intuit=intuit, realm=realm, access_token=(await intuit.connect(person, realm))["access_token"])
        for realm in person.realms[:2]
    ]

    first, second = [(await one.truth("vendors")) for one in books]

    assert [one["Id"] for one in first] == [one["Id"] for one in second]
    assert first[0]["DisplayName"] != second[0]["DisplayName"]


async def test_a_company_can_be_made_and_changed(intuit: Intuit) -> None:
    made = await intuit.control("PUT", f"/companies/{REALM}", {"name": "Kelso Wines Ltd", "country": "GB"})
    changed = await intuit.control("PUT", f"/companies/{REALM}", {"name": "Kelso Cellars Ltd"})
    listed = (await intuit.control("GET", "/companies"))["companies"]

    assert (made["legal_name"], made["currency"]) == ("Kelso Wines Limited", "GBP")
    assert changed["name"] == "Kelso Cellars Ltd"
    assert await intuit.control("GET", f"/companies/{REALM}") == changed
    assert changed in listed


async def test_grants_are_told_without_their_tokens(intuit: Intuit, person: Person) -> None:
    pair = await intuit.connect(person)
    await intuit.connect(person)

    answer = await intuit.http.get("/_control/quickbooks/grants")

    grants = answer.json()["grants"]
    assert [(one["realm_id"], one["is_live"]) for one in grants] == [
        (person.realms[0], False),
        (person.realms[0], True),
    ]
    assert pair["refresh_token"] not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/companies/not-digits", {}, 400),
        ("PUT", f"/companies/{REALM}", {"colour": "red"}, 400),
        ("GET", "/companies/1", None, 404),
        ("GET", "/companies/1/books", None, 404),
        ("POST", "/companies/1/records", {"dataset": "bills", "create": {}}, 404),
        ("PUT", "/users/somebody", {"companies": ["1"]}, 400),
        ("POST", "/revoke", {}, 400),
        ("POST", "/revoke", {"user": "nobody"}, 404),
        ("POST", "/revoke", {"realm": "1"}, 404),
        ("PUT", f"/apps/{CLIENT_ID}", {"second_consent": "PERHAPS"}, 400),
        ("PUT", f"/apps/{CLIENT_ID}", {"hard_life_days": 0}, 400),
        ("PUT", "/limits", {"second": "ten"}, 400),
    ],
)
async def test_what_cannot_be_is_refused(
    intuit: Intuit, method: str, path: str, body: Any, status: int
) -> None:
    answer = await intuit.http.request(method, f"/_control/quickbooks{path}", json=body)

    assert (answer.status_code, list(answer.json())) == (status, ["error"])
