"""A consent whose company cannot be asked just now: it is not lost, breaks nothing that works, and is made good."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tests.journeys.test_connecting import board
from tests.journeys.test_sign_in_rounds import A_ROUND, NAMES, connected, expired, forget, reaches, rounds
from tests.support.intuit import Company
from tests.support.jobs import calendar
from tests.support.rounds import Rounds
from tests.support.sandbox import land
from tests.support.trips import codes
from tieline import host
from tieline.credentials.reaching import check_reach
from tieline.ids import SignInId
from tieline.plugins.registry import Registry
from tieline.sign_ins.forgetting import end_sign_in

__all__ = ["rounds"]

TRIES = 3
UNCHECKED = "SELECT count(*) FROM consent_round WHERE practice_id = $1 AND unchecked"
WAITING = "SELECT count(*) FROM consent_round WHERE practice_id = $1 AND tokens_sealed IS NOT NULL"


async def down(rounds: Rounds, company: Company, *, asked: int = 1) -> None:
    """Intuit does not answer the next so many questions for this company, however patiently they are asked."""
    await rounds.quickbooks.sandbox.plant(
        "status", "companyinfo", organisation=company.realm_id, status=503, times=asked * TRIES
    )


async def move(rounds: Rounds, clock: Any, by: timedelta) -> None:
    await clock(by)
    await rounds.quickbooks.sandbox.move_clock(by.total_seconds())


async def waiting(rounds: Rounds) -> int:
    number: int = await rounds.above.fetchval(WAITING, rounds.firm.practice_id)
    return number


async def statuses(rounds: Rounds) -> list[list[str]]:
    return [row["statuses"] for row in (await board(rounds.firm.admin))["nodes"]]


async def test_a_company_that_cannot_be_asked_is_asked_again_by_whoever_completes_the_sign_in(
    rounds: Rounds,
) -> None:
    await connected(rounds, NAMES[0])
    bakery = rounds.person.named(NAMES[0])
    before = await rounds.credential(bakery)
    await down(rounds, bakery, asked=2)

    told = await rounds.told(await rounds.start(), bakery)
    in_trouble = await rounds.credential(bakery)
    too_early = await rounds.complete(told)
    seen = await rounds.look(told["signIn"])
    payload = await rounds.complete(told)

    assert ("proof" in told, in_trouble == before) == (True, True)
    assert codes(too_early) == ["PROVIDER_UNAVAILABLE"]
    assert "try again later" in too_early["errors"][0]["message"]
    assert too_early["errors"][0]["retryAt"] is None
    assert (seen["state"], seen["failure"]) == ("CONSENTED", None)
    assert (payload["errors"], payload["signIn"]["state"]) == ([], "READY")
    assert await reaches(rounds, NAMES[0]) == [NAMES[0]], "the older tokens ended with the new consent"
    assert (await rounds.live_grants(bakery), await waiting(rounds)) == (1, 0)
    assert await statuses(rounds) == [["CONNECTED"]]


async def test_a_new_company_that_cannot_be_asked_is_found_once_it_can(rounds: Rounds) -> None:
    birch = rounds.person.named(NAMES[1])
    await down(rounds, birch)

    told = await rounds.told(await rounds.start(), birch)
    none_yet = await rounds.credential(birch)
    payload = await rounds.complete(told)

    assert none_yet is None
    assert (payload["errors"], payload["signIn"]["state"]) == ([], "READY")
    assert list(await rounds.found(told["signIn"])) == [NAMES[1]]


async def test_a_month_that_is_spent_costs_no_consent(rounds: Rounds, clock: Any) -> None:
    await connected(rounds, NAMES[0])
    bakery, app = rounds.person.named(NAMES[0]), f"/apps/{rounds.app.client_id}"
    await rounds.quickbooks.control("PUT", app, {"month_remaining": 0})

    told = await rounds.told(await rounds.start(), bakery)
    spent = await rounds.complete(told)
    retry_at = datetime.fromisoformat(spent["errors"][0]["retryAt"])
    await rounds.quickbooks.control("PUT", app, {"month_remaining": None})
    await move(rounds, clock, retry_at - await calendar() - timedelta(minutes=1))
    too_early = await rounds.complete(told)
    await move(rounds, clock, timedelta(minutes=1))
    payload = await rounds.complete(told)

    assert "proof" in told
    assert (codes(spent), codes(too_early)) == (["QUOTA_SPENT"], ["QUOTA_SPENT"])
    assert f"{retry_at:%Y-%m-%d %H:%M:%S} UTC" in spent["errors"][0]["message"]
    assert (payload["errors"], payload["signIn"]["state"]) == ([], "READY")
    assert await reaches(rounds, NAMES[0]) == [NAMES[0]]


async def test_a_lapsed_subscription_says_nothing_of_the_tokens_which_wait_until_it_is_renewed(
    rounds: Rounds,
) -> None:
    await connected(rounds, NAMES[0])
    bakery = rounds.person.named(NAMES[0])
    before = await rounds.credential(bakery)
    await rounds.quickbooks.control("PUT", f"/companies/{bakery.realm_id}", {"suspended": True})

    told = await rounds.told(await rounds.start(), bakery)
    lapsed = await rounds.complete(told)
    kept = await rounds.credential(bakery)
    await rounds.quickbooks.control("PUT", f"/companies/{bakery.realm_id}", {"suspended": False})
    payload = await rounds.complete(told)

    assert ("error" in told, kept == before) == (False, True)
    assert codes(lapsed) == ["SUBSCRIPTION_LAPSED"]
    assert (payload["errors"], payload["signIn"]["state"]) == ([], "READY")
    assert await reaches(rounds, NAMES[0]) == [NAMES[0]]


async def test_an_edited_address_gains_nothing_where_a_lapse_is_told_before_the_token_is_looked_at(
    rounds: Rounds,
) -> None:
    await connected(rounds, NAMES[1])
    mine, theirs = rounds.person.named(NAMES[0]), rounds.person.named(NAMES[1])
    before = await rounds.credential(theirs)
    await rounds.quickbooks.sandbox.plant(
        "fault", "companyinfo", organisation=theirs.realm_id, status=400, code="6190", times=2
    )

    started = await rounds.start()
    callback = await rounds.quickbooks.consent(started["authorizationUrl"], rounds.person, mine)
    told = (await land(rounds.browser, callback.replace(mine.realm_id, theirs.realm_id))).told
    lapsed = await rounds.complete(told)
    renewed = await rounds.complete(told)

    assert (codes(lapsed), codes(renewed)) == (["SUBSCRIPTION_LAPSED"], ["SIGN_IN_OVER"])
    assert await rounds.credential(theirs) == before


async def test_where_nobody_completes_it_a_job_makes_the_consent_good(rounds: Rounds, clock: Any) -> None:
    await connected(rounds, NAMES[0])
    bakery = rounds.person.named(NAMES[0])
    await down(rounds, bakery, asked=2)
    told = await rounds.told(await rounds.start(), bakery)
    due = "SELECT due_at FROM job WHERE key LIKE '%.forget_sign_in:' || $1"
    soon = await rounds.above.fetchval(due, told["signIn"]) - await calendar()

    again = await end_sign_in(rounds.firm.practice_id, SignInId(UUID(told["signIn"])))
    still_waiting = await waiting(rounds)
    await move(rounds, clock, timedelta(hours=2))
    await forget(rounds, told["signIn"])

    assert soon <= timedelta(minutes=1)
    assert (again is not None, still_waiting, await waiting(rounds)) == (True, 1, 0)
    assert await reaches(rounds, NAMES[0]) == [NAMES[0]]
    assert await rounds.live_grants(bakery) == 1


async def test_where_the_plugin_is_not_there_the_tokens_wait_until_it_is(rounds: Rounds) -> None:
    birch = rounds.person.named(NAMES[1])
    await down(rounds, birch)
    told = await rounds.told(await rounds.start(), birch)
    there = host.host()

    host.install(replace(there, registry=Registry.of()))
    try:
        again = await end_sign_in(rounds.firm.practice_id, SignInId(UUID(told["signIn"])))
    finally:
        host.install(there)
    payload = await rounds.complete(told)

    assert again is not None
    assert (payload["errors"], payload["signIn"]["state"]) == ([], "READY")


async def test_while_nobody_can_be_asked_the_job_tries_few_and_all_once_somebody_answers(
    rounds: Rounds,
) -> None:
    begun = await rounds.start("BULK_CONNECT")
    for company in rounds.person.companies:
        await down(rounds, company, asked=2)
        told = await rounds.told(begun, company)
        begun = await rounds.go_on(told["signIn"])
    before = await rounds.asked("companyinfo")

    again = await end_sign_in(rounds.firm.practice_id, SignInId(UUID(told["signIn"])))
    asked = await rounds.asked("companyinfo") - before
    unchecked = await rounds.above.fetchval(UNCHECKED, rounds.firm.practice_id)
    for _ in range(2):  # the one that had no turn is still down
        await forget(rounds, told["signIn"])

    assert (again is not None, asked, unchecked) == (True, 2 * TRIES, 3)
    assert await rounds.above.fetchval(UNCHECKED, rounds.firm.practice_id) == 0


async def test_what_was_found_expired_while_its_new_consent_waited_is_restored_by_completing(
    rounds: Rounds,
) -> None:
    await connected(rounds, NAMES[0])
    bakery = rounds.person.named(NAMES[0])
    credential = await rounds.credential(bakery)
    assert credential is not None
    await down(rounds, bakery)
    told = await rounds.told(await rounds.start(), bakery)

    await check_reach(rounds.firm.practice_id, credential["id"])
    meanwhile = await statuses(rounds)
    payload = await rounds.complete(told)

    assert meanwhile == [["EXPIRED"]]
    assert payload["errors"] == []
    assert await statuses(rounds) == [["CONNECTED"]]


async def test_an_edited_address_gains_nothing_where_the_company_cannot_be_asked(rounds: Rounds) -> None:
    await connected(rounds, NAMES[1])
    mine, theirs = rounds.person.named(NAMES[0]), rounds.person.named(NAMES[1])
    before = await rounds.credential(theirs)
    await down(rounds, theirs)

    started = await rounds.start()
    callback = await rounds.quickbooks.consent(started["authorizationUrl"], rounds.person, mine)
    told = (await land(rounds.browser, callback.replace(mine.realm_id, theirs.realm_id))).told
    payload = await rounds.complete(told)

    assert "proof" in told
    assert codes(payload) == ["SIGN_IN_OVER"]
    seen = await rounds.look(told["signIn"])
    assert (seen["state"], seen["failure"]["code"]) == ("FAILED", "CONSENT_FAILED")
    assert await rounds.credential(theirs) == before
    assert await reaches(rounds, NAMES[1]) == [NAMES[1]]
    assert (await waiting(rounds), await rounds.asked("revocation")) == (0, 0)


async def test_an_edited_address_gets_none_of_the_tokens_that_the_company_brings_next(
    rounds: Rounds,
) -> None:
    mine, theirs = rounds.person.named(NAMES[0]), rounds.person.named(NAMES[1])
    await down(rounds, theirs)
    started = await rounds.start()
    callback = await rounds.quickbooks.consent(started["authorizationUrl"], rounds.person, mine)
    forged = (await land(rounds.browser, callback.replace(mine.realm_id, theirs.realm_id))).told

    honest = await rounds.told(await rounds.start(), theirs)
    refused = await rounds.complete(forged)
    payload = await rounds.complete(honest)

    assert codes(refused) == ["SIGN_IN_OVER"]
    assert payload["errors"] == []
    assert await reaches(rounds, NAMES[1]) == [NAMES[1]]


async def test_the_wrong_company_that_cannot_be_asked_goes_on_working_once_it_can(
    rounds: Rounds,
) -> None:
    connection = await expired(rounds, NAMES[0])
    await connected(rounds, NAMES[1])
    wrong = rounds.person.named(NAMES[1])
    await down(rounds, wrong)
    started = await rounds.start("RECONNECT", connectionId=connection["id"])

    told = await rounds.told(started, wrong)
    await forget(rounds, started["signIn"]["id"])

    assert told["error"] == "DIFFERENT_ORGANISATION"
    assert await reaches(rounds, NAMES[1]) == [NAMES[1]]
    assert (await rounds.live_grants(wrong), await waiting(rounds)) == (1, 0)


async def test_what_cannot_be_checked_for_longer_than_a_month_is_dropped_and_not_revoked(
    rounds: Rounds, clock: Any
) -> None:
    birch = rounds.person.named(NAMES[1])
    await down(rounds, birch, asked=9)
    told = await rounds.told(await rounds.start(), birch)

    await move(rounds, clock, timedelta(days=34))
    await forget(rounds, told["signIn"])
    kept = await waiting(rounds)
    await move(rounds, clock, timedelta(days=2))
    await forget(rounds, told["signIn"])

    assert (kept, await waiting(rounds)) == (1, 0)
    assert (await rounds.credential(birch), await rounds.asked("revocation")) == (None, 0)


async def test_a_new_company_that_nobody_takes_is_given_back_once_it_could_be_asked(
    rounds: Rounds, clock: Any
) -> None:
    birch = rounds.person.named(NAMES[1])
    await down(rounds, birch)
    told = await rounds.told(await rounds.start(), birch)

    await move(rounds, clock, A_ROUND)
    await forget(rounds, told["signIn"])

    assert (await rounds.live_grants(birch), await waiting(rounds)) == (0, 0)
    assert await rounds.asked("revocation") == 1


async def test_a_company_that_removes_the_app_before_the_sign_in_is_completed_was_withdrawn(
    rounds: Rounds,
) -> None:
    birch = rounds.person.named(NAMES[1])
    told = await rounds.told(await rounds.start(), birch)
    await rounds.quickbooks.revoke(company=birch)

    payload = await rounds.complete(told)

    assert codes(payload) == ["SIGN_IN_OVER"]
    assert "withdrawn" in payload["errors"][0]["message"]
