"""Reconnecting all where one consent is for one company: a round for each, and what became of each connection."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.journeys.test_reconnect_all import reconnect_all
from tests.journeys.test_sign_in_rounds import NAMES, connected, expired, rounds
from tests.support.rounds import Rounds
from tests.support.trips import CONTINUE, codes

__all__ = ["rounds"]

BAKERY, BIRCH, COBALT = NAMES
BROKEN = """{ connections(provider: "quickbooks", statuses: [EXPIRED]) {
  nodes { id reason client { name } } } }"""


async def became(rounds: Rounds, sign_in_id: str) -> dict[str, tuple[str, str | None]]:
    """What `reconnectAll` says of each client: the code, and the sentence."""
    mended = await reconnect_all(rounds.firm.admin, sign_in_id)
    assert mended["errors"] == []
    return {
        each["connection"]["client"]["name"]: (each["code"], each["error"] and each["error"]["message"])
        for each in mended["outcomes"]
    }


async def test_a_round_that_came_back_with_another_company_is_told_of_its_own_connection(
    rounds: Rounds,
) -> None:
    broken = {name: await expired(rounds, name) for name in NAMES}
    bakery, birch, cobalt = rounds.person.companies
    started = await rounds.start("RECONNECT_ALL")
    sign_in_id = (await rounds.completed(started, cobalt))["id"]

    meant = await rounds.go_on(sign_in_id, connectionId=broken[BAKERY]["id"])
    told = await rounds.told(meant, birch)
    first = await became(rounds, sign_in_id)
    again = await rounds.go_on(sign_in_id, connectionId=broken[BAKERY]["id"])
    await rounds.completed(again, bakery)
    second = await became(rounds, sign_in_id)

    assert dict(parse_qsl(urlsplit(meant["authorizationUrl"]).query))["realmId"] == bakery.realm_id
    assert told["error"] == "DIFFERENT_ORGANISATION"
    assert {name: code for name, (code, _) in first.items()} == {
        BAKERY: "DIFFERENT_ORGANISATION",
        BIRCH: "NOT_IN_THIS_LOGIN",
        COBALT: "RECONNECTED",
    }
    assert first[BAKERY][1] == (
        "Another organisation was chosen than the one to reconnect: sign in again and choose that one, "
        "or change the connection."
    )
    assert {name: code for name, (code, _) in second.items()} == {
        BAKERY: "RECONNECTED",
        BIRCH: "NOT_IN_THIS_LOGIN",
        COBALT: "RECONNECTED",
    }
    after = await rounds.credential(birch)
    assert after is not None
    assert after["state"] == "DEAD", "nothing is kept of the wrong company's consent"


async def test_a_round_may_be_for_any_connection_that_its_sign_in_could_mend_and_for_no_other(
    rounds: Rounds,
) -> None:
    one, other = await expired(rounds, BAKERY), await expired(rounds, BIRCH)
    of_all = (await rounds.start("RECONNECT_ALL"))["signIn"]["id"]
    of_one = (await rounds.start("RECONNECT", connectionId=one["id"]))["signIn"]["id"]

    async def go_on(sign_in_id: str, connection_id: str) -> dict[str, Any]:
        given = {"id": sign_in_id, "connectionId": connection_id}
        payload: dict[str, Any] = (await rounds.firm.admin.ask(CONTINUE, input=given))["continueSignIn"]
        return payload

    assert codes(await go_on(of_all, one["id"])) == []
    assert codes(await go_on(of_all, other["id"])) == []
    assert codes(await go_on(of_one, one["id"])) == []
    refused = await go_on(of_one, other["id"])
    unknown = await go_on(of_all, of_one)

    assert refused["errors"] == [{"code": "INVALID", "field": "input.connectionId"}]
    assert unknown["errors"] == [{"code": "NOT_FOUND", "field": "input.connectionId"}]


async def test_what_works_may_be_given_a_round_too(rounds: Rounds) -> None:
    made = await connected(rounds, BAKERY)
    bakery, birch, _ = rounds.person.companies
    sign_in_id = (await rounds.completed(await rounds.start(), birch))["id"]

    begun = await rounds.go_on(sign_in_id, connectionId=made["id"])
    signed_in = await rounds.completed(begun, bakery)

    assert sorted(await rounds.found(signed_in["id"])) == sorted([BAKERY, BIRCH])


async def test_three_broken_companies_are_mended_a_round_for_each(rounds: Rounds) -> None:
    admin = rounds.firm.admin
    for name in NAMES:
        await expired(rounds, name)
    companies = {company.name: company for company in rounds.person.companies}

    broken = (await admin.ask(BROKEN))["connections"]["nodes"]
    started = await rounds.start("RECONNECT_ALL")
    sign_in_id = started["signIn"]["id"]
    asked_for = []
    for each in broken:
        begun = await rounds.go_on(sign_in_id, connectionId=each["id"])
        asked_for.append(dict(parse_qsl(urlsplit(begun["authorizationUrl"]).query))["realmId"])
        await rounds.completed(begun, companies[each["client"]["name"]])
    mended = [await became(rounds, sign_in_id) for _ in range(2)]

    assert started["authorizationUrl"] is not None
    assert [each["reason"] for each in broken] == ["REVOKED_AT_PROVIDER"] * 3
    assert asked_for == [companies[each["client"]["name"]].realm_id for each in broken]
    assert mended == [dict.fromkeys(NAMES, ("RECONNECTED", None))] * 2
    assert (await admin.ask(BROKEN))["connections"]["nodes"] == []
