"""The browser comes back: once, again, twice at once, with a refusal, with what is not ours, or not at all."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from structlog.testing import capture_logs

from tests.sign_ins.desk import RETURN_URL, Desk
from tests.support.sandbox import Books, Person
from tieline.practices.members.service import deactivate_person, reactivate_person
from tieline.sign_ins.service import complete_sign_in, continue_sign_in, get_sign_in
from tieline.sign_ins.states import Failure, SignInState


async def test_a_reload_has_the_same_answer_and_asks_the_provider_nothing(desk: Desk, kim: Person) -> None:
    parameters = await desk.consent(await desk.start(), kim)
    first = await desk.back(parameters)

    again = await desk.back(parameters)

    assert again == first
    assert first.proof is not None
    assert await desk.exchanges() == 1


async def test_a_reload_after_completion_has_the_same_answer(desk: Desk, kim: Person) -> None:
    parameters = await desk.consent(await desk.start(), kim)
    first = await desk.back(parameters)
    assert first.proof is not None
    assert first.sign_in_id is not None
    await complete_sign_in(desk.admin, first.sign_in_id, first.proof)

    assert await desk.back(parameters) == first
    assert (await get_sign_in(desk.admin, first.sign_in_id)).state is SignInState.READY


async def test_two_callbacks_at_once_exchange_the_code_once_and_have_one_answer(
    desk: Desk, kim: Person
) -> None:
    parameters = await desk.consent(await desk.start(), kim)
    await desk.sandbox.plant("slow", "token", seconds=0.5)

    answers = await asyncio.gather(*(desk.back(parameters) for _ in range(5)))

    assert {answer.location for answer in answers} == {answers[0].location}
    assert answers[0].proof is not None
    assert await desk.exchanges() == 1


async def test_without_a_return_url_the_proof_is_there_for_a_page(desk: Desk, kim: Person) -> None:
    answer = await desk.back(await desk.consent(await desk.start(return_url=None), kim))

    assert answer.location is None
    assert answer.proof is not None
    assert answer.proof.reveal() not in repr(answer)


async def test_a_denied_consent_fails_the_sign_in(desk: Desk, kim: Person) -> None:
    started = await desk.start()
    parameters = await desk.consent(started, kim, allow=False)

    answer = await desk.back(parameters)

    assert answer.failure is Failure.CONSENT_DENIED
    assert answer.location == f"{RETURN_URL}?signIn={started.sign_in.id}&error=CONSENT_DENIED"
    failed = await get_sign_in(desk.admin, started.sign_in.id)
    assert (failed.state, failed.failure) == (SignInState.FAILED, Failure.CONSENT_DENIED)
    assert await desk.back(parameters) == answer
    assert await desk.exchanges() == 0


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        ("invalid_scope", Failure.PROVIDER_MISCONFIGURED),
        ("unauthorized_client", Failure.PROVIDER_MISCONFIGURED),
        ("invalid_request", Failure.PROVIDER_MISCONFIGURED),
        ("server_error", Failure.PROVIDER_UNAVAILABLE),
        ("temporarily_unavailable", Failure.PROVIDER_UNAVAILABLE),
        ("app_already_purchased", Failure.CONSENT_FAILED),
        ("<script>", Failure.CONSENT_FAILED),
    ],
)
async def test_a_consent_page_that_refuses_says_whose_fault_it_is_and_blames_no_app_by_it(
    desk: Desk, error: str, failure: Failure
) -> None:
    started = await desk.start()
    [state] = parse_qs(urlsplit(str(started.authorization_url)).query)["state"]

    with capture_logs() as logs:
        answer = await desk.back({"state": state, "error": error})

    assert answer.failure is failure
    assert await _fault(desk) is None
    [told] = [entry for entry in logs if entry["event"] == "sign_in.refused"]
    assert told["provider_error"] == (None if "<" in error else error)


async def test_a_denied_round_leaves_what_the_sign_in_has(desk: Desk, kim: Person, bakery: Books) -> None:
    ready = await desk.ready(kim, bakery)
    more = await continue_sign_in(desk.admin, ready.id)

    answer = await desk.back(await desk.consent(more, kim, allow=False))

    assert answer.failure is Failure.CONSENT_DENIED
    after = await get_sign_in(desk.admin, ready.id)
    assert (after.state, after.failure) == (SignInState.READY, None)
    assert await desk.names(ready.id) == ["Ashford Bakery Ltd"]


async def test_a_failed_sign_in_can_be_gone_on_with(desk: Desk, kim: Person) -> None:
    started = await desk.start()
    await desk.back(await desk.consent(started, kim, allow=False))

    answer = await desk.back(await desk.consent(await continue_sign_in(desk.admin, started.sign_in.id), kim))
    assert answer.proof is not None
    done = await complete_sign_in(desk.admin, started.sign_in.id, answer.proof)

    assert (done.state, done.failure) == (SignInState.READY, None)


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        ({"kind": "status", "status": 503}, Failure.PROVIDER_UNAVAILABLE),
        ({"kind": "html"}, Failure.PROVIDER_UNAVAILABLE),
        ({"kind": "lost_answer"}, Failure.PROVIDER_UNAVAILABLE),
        ({"kind": "throttle"}, Failure.PROVIDER_UNAVAILABLE),
        ({"kind": "status", "status": 400, "body": {"error": "invalid_grant"}}, Failure.CONSENT_FAILED),
        (
            {"kind": "status", "status": 400, "body": {"error": "invalid_client"}},
            Failure.PROVIDER_MISCONFIGURED,
        ),
    ],
    ids=["down", "page", "lost", "throttled", "refused", "misconfigured"],
)
async def test_a_failed_exchange_fails_the_sign_in(
    desk: Desk, kim: Person, fault: dict[str, Any], failure: Failure
) -> None:
    started = await desk.start()
    parameters = await desk.consent(started, kim)
    await desk.sandbox.plant(fault.pop("kind"), "token", **fault)

    answer = await desk.back(parameters)

    assert answer.failure is failure
    assert await desk.back(parameters) == answer
    failed = await get_sign_in(desk.admin, started.sign_in.id)
    assert (failed.state, failed.failure) == (SignInState.FAILED, failure)
    assert await desk.exchanges() == 1


async def test_what_is_wrong_with_the_app_is_kept_for_the_operator_until_it_works(
    desk: Desk, kim: Person
) -> None:
    parameters = await desk.consent(await desk.start(), kim)
    await desk.sandbox.plant("status", "token", status=400, body={"error": "invalid_client"})
    await desk.back(parameters)
    assert await _fault(desk) == "PROVIDER_MISCONFIGURED"

    await desk.ready(kim)

    assert await _fault(desk) is None


async def test_whoever_was_deactivated_comes_back_in_vain_and_a_colleague_does_not(
    desk: Desk, kim: Person
) -> None:
    leaver = await desk.colleague()
    assert leaver.person_id is not None
    trips = [await desk.consent(await desk.start(who), kim) for who in (leaver, desk.admin)]

    await deactivate_person(desk.admin, leaver.person_id)
    gone, there = [await desk.back(parameters) for parameters in trips]
    await reactivate_person(desk.admin, leaver.person_id)

    assert (gone.failure, gone.proof) == (Failure.ROUND_OVER, None)
    assert there.failure is None
    assert await desk.back(trips[0]) == gone
    assert await desk.exchanges() == 1


async def test_a_subject_that_is_known_gets_the_new_pair_at_once_and_nothing_else_changes(
    desk: Desk, kim: Person, bakery: Books
) -> None:
    ready = await desk.ready(kim, bakery)
    organisation_id, credential_id, _ = (await desk.found(ready.id))["Ashford Bakery Ltd"]
    connection = await desk.connect(organisation_id, credential_id, reason="TOKEN_EXPIRED")
    [before] = await desk.credentials()
    colleague = await desk.colleague()

    sign_in_id, _ = await desk.consented(kim, bakery, principal=colleague)

    [after] = await desk.credentials()
    assert after["tokens_sealed"] != before["tokens_sealed"]
    assert after["version"] == before["version"] + 1
    assert after["person_id"] == desk.admin.person_id
    [round_] = await desk.rounds(sign_in_id)
    assert (round_["tokens_sealed"], round_["credential_id"]) == (None, after["id"])
    assert await desk.reason(connection) == "TOKEN_EXPIRED"
    assert await desk.events() == []


async def test_a_new_subject_waits_sealed_in_the_round(desk: Desk, kim: Person) -> None:
    sign_in_id, _ = await desk.consented(kim)

    [round_] = await desk.rounds(sign_in_id)
    assert await desk.credentials() == []
    assert round_["tokens_sealed"] is not None
    assert b"refresh" not in round_["tokens_sealed"]
    assert (round_["subject"], round_["login"]) == (kim.id, kim.email)


async def _fault(desk: Desk) -> str | None:
    fault: str | None = await desk.above.fetchval("SELECT fault FROM provider_app WHERE id = $1", desk.app.id)
    return fault
