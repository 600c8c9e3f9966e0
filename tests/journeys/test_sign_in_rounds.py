"""Sign-ins where one consent gives one company: a queue of rounds, and reconnecting that very company."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import httpx
import pytest

from tests.journeys.test_connecting import BULK, CONNECT, board
from tests.support.deployment import Deployment
from tests.support.firm import Firm
from tests.support.intuit import QuickBooks
from tests.support.jobs import calendar
from tests.support.rounds import Rounds
from tests.support.sandbox import Sandbox, land
from tests.support.trips import Trip, codes
from tieline.credentials.service import open_session
from tieline.host import host
from tieline.ids import SignInId
from tieline.sign_ins.forgetting import end_sign_in

NAMES = ("Ashford Bakery Ltd", "Birch & Sons", "Cobalt Studio")
A_ROUND = timedelta(minutes=16)


@pytest.fixture
async def rounds(firm: Firm, opened: Deployment, sandbox: Sandbox) -> AsyncIterator[Rounds]:
    """A practice with an app at Intuit, and somebody with three companies there."""
    above, quickbooks = await opened.connect(), QuickBooks(sandbox=sandbox)
    async with httpx.AsyncClient(timeout=30) as browser:
        yield Rounds(
            firm=firm,
            quickbooks=quickbooks,
            app=await quickbooks.app(firm.practice_id),
            person=await quickbooks.populate(*NAMES),
            browser=browser,
            above=above,
        )
    await above.close()


async def connected(rounds: Rounds, name: str, *, client: str | None = None) -> dict[str, Any]:
    """A client that is connected to the company of this name; its own name, unless another is given."""
    signed_in = await rounds.completed(await rounds.start(), rounds.person.named(name))
    organisation_id = (await rounds.found(signed_in["id"]))[name]
    client_id = await rounds.firm.admin.create_client(client or name)
    payload = await connect(rounds, signed_in["id"], client_id, organisation_id)
    assert payload["errors"] == [], payload
    connection: dict[str, Any] = payload["connection"]
    return connection


async def connect(rounds: Rounds, sign_in_id: str, client_id: str, organisation_id: str) -> dict[str, Any]:
    given = {"signInId": sign_in_id, "clientId": client_id, "organisationId": organisation_id}
    payload: dict[str, Any] = (
        await rounds.firm.admin.ask(CONNECT, input=given | {"product": "BOOKKEEPING"})
    )["connect"]
    return payload


async def expired(rounds: Rounds, name: str) -> dict[str, Any]:
    """A connection whose consent somebody took back at Intuit, as it was found out."""
    connection = await connected(rounds, name)
    await rounds.above.execute(
        "UPDATE connection SET reason = 'REVOKED_AT_PROVIDER' WHERE id = $1", UUID(connection["id"])
    )
    await rounds.above.execute(
        "UPDATE credential SET state = 'DEAD', tokens_sealed = NULL WHERE practice_id = $1 AND subject = $2",
        rounds.firm.practice_id,
        rounds.person.named(name).realm_id,
    )
    return connection


async def forget(rounds: Rounds, sign_in_id: str) -> None:
    """Run the job that ends a sign-in, as if it were due."""
    await end_sign_in(rounds.firm.practice_id, SignInId(UUID(sign_in_id)))


async def reaches(rounds: Rounds, name: str) -> list[str]:
    """What the company's credential reaches, asked of Intuit."""
    credential = await rounds.credential(rounds.person.named(name))
    assert credential is not None
    session = await open_session(rounds.firm.practice_id, credential["id"])
    provider = host().registry.get("quickbooks")
    assert provider is not None
    return [each.name for each in await provider.organisations(session, None)]


async def test_a_queue_of_single_consents_ends_where_one_consent_for_all_does(
    rounds: Rounds, sandbox: Sandbox
) -> None:
    clients = {name: await rounds.firm.admin.create_client(name) for name in NAMES}
    sign_in_id = await rounds.queue(*rounds.person.companies)
    async with httpx.AsyncClient(timeout=30) as browser:
        trip = Trip(
            firm=rounds.firm,
            sandbox=sandbox,
            app=await sandbox.app(rounds.firm.practice_id),
            person=await sandbox.populate(*NAMES),
            browser=browser,
        )
        at_once = await trip.look(await trip.ready())

    led = await rounds.look(sign_in_id)
    assert (led["state"], led["purpose"], led["detailsTotal"]) == ("READY", "BULK_CONNECT", 3)
    assert _as_found(led) == _as_found(at_once)
    organisations = await rounds.found(sign_in_id)
    rows = [{"clientId": clients[name], "organisationId": organisations[name]} for name in NAMES]
    given = {"signInId": sign_in_id, "product": "BOOKKEEPING", "rows": rows}
    outcomes = (await rounds.firm.admin.ask(BULK, input=given))["bulkConnect"]["outcomes"]

    assert [row["code"] for row in outcomes] == ["CONNECTED"] * 3
    shown = (await board(rounds.firm.admin))["nodes"]
    assert {row["client"]["name"]: row["statuses"] for row in shown} == {
        name: ["CONNECTED"] for name in NAMES
    }
    credentials = [await rounds.credential(company) for company in rounds.person.companies]
    assert len({credential["id"] for credential in credentials if credential}) == 3


def _as_found(sign_in: dict[str, Any]) -> list[dict[str, Any]]:
    """What a person chooses from, without the ids and what comes later by a job."""
    return [
        {
            "name": node["organisation"]["name"],
            "consented": node["consented"],
            "inUse": node["inUse"],
            "suggested": node["suggestedClients"],
        }
        for node in sign_in["organisations"]["nodes"]
    ]


async def test_what_was_found_can_be_connected_while_the_next_round_is_out(rounds: Rounds) -> None:
    bakery, birch, _ = rounds.person.companies
    sign_in_id = await rounds.queue(bakery)
    client_id = await rounds.firm.admin.create_client(bakery.name)

    more = await rounds.go_on(sign_in_id)
    payload = await connect(rounds, sign_in_id, client_id, (await rounds.found(sign_in_id))[bakery.name])
    await rounds.completed(more, birch)

    assert payload["errors"] == []
    assert sorted(await rounds.found(sign_in_id)) == [bakery.name, birch.name]


async def test_a_reconnect_leads_to_the_link_that_preselects_the_company(rounds: Rounds) -> None:
    connection = await expired(rounds, NAMES[0])
    bakery = rounds.person.named(NAMES[0])

    started = await rounds.start("RECONNECT", connectionId=connection["id"])
    again = await rounds.go_on(started["signIn"]["id"])
    fresh = await rounds.start()

    for begun in (started, again):
        parts = urlsplit(begun["authorizationUrl"])
        query = dict(parse_qsl(parts.query))
        assert parts.path == "/quickbooks/app/connect/oauth2/request"
        assert (query["appId"], query["realmId"], query["mode"]) == (
            rounds.app.client_id,
            bakery.realm_id,
            "reconnect",
        )
        assert (query["response_type"], query["redirect_uri"]) == ("code", rounds.app.callback_url)
        assert query["state"]
    assert urlsplit(fresh["authorizationUrl"]).path == "/quickbooks/connect/oauth2"
    assert "realmId" not in fresh["authorizationUrl"]


async def test_a_reconnect_by_the_link_restores_the_connection(rounds: Rounds) -> None:
    connection = await expired(rounds, NAMES[0])
    started = await rounds.start("RECONNECT", connectionId=connection["id"])

    callback = await rounds.quickbooks.consent(
        started["authorizationUrl"], rounds.person, rounds.person.named(NAMES[0])
    )
    told = dict(parse_qsl(urlsplit((await rounds.browser.get(callback)).headers["location"]).query))
    payload = await rounds.complete(told)

    assert (payload["errors"], payload["signIn"]["state"]) == ([], "READY")
    [row] = (await board(rounds.firm.admin))["nodes"]
    assert row["statuses"] == ["CONNECTED"]
    assert await reaches(rounds, NAMES[0]) == [NAMES[0]]


async def test_a_reconnect_asks_no_other_companys_credential_whether_it_will_do(rounds: Rounds) -> None:
    connection, colleague = await connected(rounds, NAMES[0]), await rounds.firm.member()
    await rounds.queue(rounds.person.named(NAMES[1]), rounds.person.named(NAMES[2]))
    own = await rounds.start("RECONNECT", connectionId=connection["id"])
    asked = await rounds.asked("companyinfo")
    await rounds.above.execute(
        "UPDATE credential SET person_id = $3 WHERE practice_id = $1 AND subject = $2",
        rounds.firm.practice_id,
        rounds.person.named(NAMES[0]).realm_id,
        colleague.person_id,
    )

    started = await rounds.start("RECONNECT", connectionId=connection["id"])

    assert (own["authorizationUrl"], own["signIn"]["state"]) == (None, "READY")
    assert started["signIn"]["state"] == "STARTED"
    assert await rounds.asked("companyinfo") == asked


async def test_another_company_than_the_one_to_reconnect_is_refused_and_given_back(
    rounds: Rounds, clock: Any
) -> None:
    connection, wrong = await expired(rounds, NAMES[0]), rounds.person.named(NAMES[1])
    started = await rounds.start("RECONNECT", connectionId=connection["id"])
    sign_in_id = started["signIn"]["id"]

    told = await rounds.told(started, wrong)
    payload = await rounds.complete(told)

    assert (told["error"], "proof" in told) == ("DIFFERENT_ORGANISATION", False)
    assert codes(payload) == ["SIGN_IN_OVER"]
    assert "choose that one" in payload["errors"][0]["message"]
    seen = await rounds.look(sign_in_id)
    assert (seen["state"], seen["failure"]["code"]) == ("FAILED", "DIFFERENT_ORGANISATION")
    assert seen["organisations"]["nodes"] == []
    assert (await rounds.credential(wrong), await rounds.is_known(wrong)) == (None, False)

    assert await rounds.live_grants(wrong) == 1
    await clock(A_ROUND)
    await forget(rounds, sign_in_id)
    assert await rounds.live_grants(wrong) == 0
    waiting = "SELECT count(*) FROM consent_round WHERE practice_id = $1 AND tokens_sealed IS NOT NULL"
    assert await rounds.above.fetchval(waiting, rounds.firm.practice_id) == 0


async def test_an_address_that_was_edited_to_name_another_company_changes_nothing(rounds: Rounds) -> None:
    await connected(rounds, NAMES[1])
    mine, theirs = rounds.person.named(NAMES[0]), rounds.person.named(NAMES[1])
    before = await rounds.credential(theirs)
    started = await rounds.start()

    callback = await rounds.quickbooks.consent(started["authorizationUrl"], rounds.person, mine)
    told = (await land(rounds.browser, callback.replace(mine.realm_id, theirs.realm_id))).told

    assert (told["error"], "proof" in told) == ("CONSENT_FAILED", False)
    assert await rounds.credential(theirs) == before
    assert await reaches(rounds, NAMES[1]) == [NAMES[1]]
    assert await rounds.asked("revocation") == 0, "whose the tokens are is not known"


async def test_the_wrong_company_whose_login_was_let_go_of_stays_so(rounds: Rounds, clock: Any) -> None:
    connection, wrong = await expired(rounds, NAMES[0]), rounds.person.named(NAMES[1])
    await connected(rounds, NAMES[1])
    await rounds.above.execute(
        "UPDATE credential SET state = 'DEAD', tokens_sealed = NULL WHERE practice_id = $1 AND subject = $2",
        rounds.firm.practice_id,
        wrong.realm_id,
    )
    started = await rounds.start("RECONNECT", connectionId=connection["id"])

    told = await rounds.told(started, wrong)
    await clock(A_ROUND)
    await forget(rounds, started["signIn"]["id"])

    assert told["error"] == "DIFFERENT_ORGANISATION"
    after = await rounds.credential(wrong)
    assert after is not None
    assert (after["state"], after["tokens_sealed"]) == ("DEAD", None)
    assert await rounds.live_grants(wrong) == 0


async def test_after_the_wrong_company_the_same_sign_in_goes_on_to_the_right_one(rounds: Rounds) -> None:
    connection = await expired(rounds, NAMES[0])
    started = await rounds.start("RECONNECT", connectionId=connection["id"])
    await rounds.told(started, rounds.person.named(NAMES[1]))

    again = await rounds.go_on(started["signIn"]["id"])
    signed_in = await rounds.completed(again, rounds.person.named(NAMES[0]))

    assert (signed_in["state"], signed_in["failure"]) == ("READY", None)
    assert list(await rounds.found(signed_in["id"])) == [NAMES[0]]
    [row] = (await board(rounds.firm.admin))["nodes"]
    assert row["statuses"] == ["CONNECTED"]


async def test_a_reconnect_that_is_ready_stays_so_when_a_later_round_is_for_the_wrong_company(
    rounds: Rounds,
) -> None:
    connection = await expired(rounds, NAMES[0])
    started = await rounds.start("RECONNECT", connectionId=connection["id"])
    sign_in_id = (await rounds.completed(started, rounds.person.named(NAMES[0])))["id"]

    told = await rounds.told(await rounds.go_on(sign_in_id), rounds.person.named(NAMES[1]))

    assert told["error"] == "DIFFERENT_ORGANISATION"
    seen = await rounds.look(sign_in_id)
    assert (seen["state"], seen["failure"]) == ("READY", None)
    assert list(await rounds.found(sign_in_id)) == [NAMES[0]]


async def test_the_wrong_company_of_another_client_goes_on_working_with_the_new_tokens(
    rounds: Rounds, clock: Any
) -> None:
    connection = await expired(rounds, NAMES[0])
    await connected(rounds, NAMES[1])
    wrong = rounds.person.named(NAMES[1])
    before = await rounds.credential(wrong)
    started = await rounds.start("RECONNECT", connectionId=connection["id"])

    told = await rounds.told(started, wrong)
    await clock(A_ROUND)
    await forget(rounds, started["signIn"]["id"])

    assert told["error"] == "DIFFERENT_ORGANISATION"
    after = await rounds.credential(wrong)
    assert before is not None
    assert after is not None
    assert (after["id"], after["version"], after["state"]) == (before["id"], before["version"] + 1, "LIVE")
    assert await rounds.live_grants(wrong) == 1
    assert await reaches(rounds, NAMES[1]) == [NAMES[1]], "the older tokens ended with the new consent"


async def test_the_wrong_company_that_another_sign_in_waits_to_take_is_not_revoked(rounds: Rounds) -> None:
    connection, wrong = await expired(rounds, NAMES[0]), rounds.person.named(NAMES[1])
    started = await rounds.start("RECONNECT", connectionId=connection["id"])
    pending = await rounds.told(await rounds.start(), wrong)
    assert (await rounds.told(started, wrong))["error"] == "DIFFERENT_ORGANISATION"

    await forget(rounds, started["signIn"]["id"])
    signed_in = await rounds.complete(pending)

    assert signed_in["errors"] == []
    assert await rounds.live_grants(wrong) == 1
    assert await reaches(rounds, NAMES[1]) == [NAMES[1]]


async def test_the_firms_own_books_are_suggested_to_nobody_and_shown_as_a_mismatch(rounds: Rounds) -> None:
    client_id = await rounds.firm.admin.create_client("Marigold Florists")
    signed_in = await rounds.completed(await rounds.start(), rounds.person.named(NAMES[2]))
    nodes = (await rounds.look(signed_in["id"]))["organisations"]["nodes"]
    assert [node["suggestedClients"] for node in nodes] == [[]]

    assert [row["statuses"] for row in (await board(rounds.firm.admin))["nodes"]] == [["UNINTEGRATED"]]
    await connect(rounds, signed_in["id"], client_id, nodes[0]["organisation"]["id"])

    [row] = (await board(rounds.firm.admin))["nodes"]
    assert row["statuses"] == ["CONNECTED", "MISMATCH"]
    assert row["remedy"] == "MANAGE_CONNECTION"


async def test_a_company_of_another_client_is_named_to_those_who_may_see_that_client(rounds: Rounds) -> None:
    await connected(rounds, NAMES[0], client="The Bakery")
    sign_in_id = await rounds.queue(rounds.person.named(NAMES[0]), rounds.person.named(NAMES[1]))
    bakery = (await rounds.look(sign_in_id))["organisations"]["nodes"][0]

    other = await rounds.firm.admin.create_client("Somebody Else")
    payload = await connect(rounds, sign_in_id, other, bakery["organisation"]["id"])

    assert (bakery["inUse"], bakery["client"] is None) == (True, False)
    assert codes(payload) == ["ORGANISATION_IN_USE"]
    assert "The Bakery" in payload["errors"][0]["message"]


async def test_the_end_of_the_grant_is_kept_and_no_refresh_moves_it(rounds: Rounds, clock: Any) -> None:
    company = rounds.person.named(NAMES[0])
    await rounds.completed(await rounds.start(), company)
    first = await rounds.credential(company)
    assert first is not None
    assert (
        timedelta(days=5 * 365 - 1) < first["hard_expires_at"] - await calendar() <= timedelta(days=5 * 365)
    )

    await clock(timedelta(minutes=61))
    await rounds.quickbooks.sandbox.move_clock(61 * 60)
    await reaches(rounds, NAMES[0])

    second = await rounds.credential(company)
    assert second is not None
    assert second["version"] == first["version"] + 1
    assert abs(second["hard_expires_at"] - first["hard_expires_at"]) < timedelta(minutes=1)
    assert second["refresh_expires_at"] > first["refresh_expires_at"]
