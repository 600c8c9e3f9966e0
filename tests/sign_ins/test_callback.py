"""The browser comes back: once, again, twice at once, with a refusal, with what is not ours, or not at all."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.sign_ins.desk import RETURN_URL, Desk
from tests.support.sandbox import Books, Person
from tieline.errors import Unavailable
from tieline.sign_ins import consent, exchange
from tieline.sign_ins.forgetting import end_sign_in
from tieline.sign_ins.service import answer_consent, complete_sign_in, continue_sign_in, get_sign_in
from tieline.sign_ins.states import Failure, SignInState
from tieline_xero.provider import Xero


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


@pytest.mark.parametrize("state", ["", "unknown", "x" * 5_000])
async def test_a_state_that_is_not_ours_is_told_so_and_nowhere_redirected(desk: Desk, state: str) -> None:
    answer = await desk.back({"state": state, "code": "c"})

    assert (answer.failure, answer.location, answer.sign_in_id) == (Failure.UNKNOWN_STATE, None, None)


async def test_a_state_is_good_on_the_path_of_its_own_app_only(
    desk: Desk, other_desk: Desk, kim: Person
) -> None:
    started = await desk.start()
    parameters = await desk.consent(started, kim)

    elsewhere = await answer_consent("xero", other_desk.app.id, parameters)
    of_another = await answer_consent("quickbooks", desk.app.id, parameters)

    assert (elsewhere.failure, of_another.failure) == (Failure.UNKNOWN_STATE, Failure.UNKNOWN_STATE)
    assert elsewhere.location is None
    assert (await get_sign_in(desk.admin, started.sign_in.id)).state is SignInState.STARTED
    assert (await desk.back(parameters)).proof is not None


async def test_a_round_that_was_used_is_not_for_another_code(desk: Desk, kim: Person) -> None:
    parameters = await desk.consent(await desk.start(), kim)
    first = await desk.back(parameters)
    assert first.sign_in_id is not None

    other = await desk.back(parameters | {"code": "another"})

    assert (other.failure, other.proof) == (Failure.ROUND_OVER, None)
    assert (await get_sign_in(desk.admin, first.sign_in_id)).state is SignInState.CONSENTED
    assert (await desk.back(parameters)).proof == first.proof
    assert await desk.exchanges() == 1


async def test_who_comes_back_after_a_quarter_of_an_hour_is_too_late(desk: Desk, kim: Person) -> None:
    started = await desk.start()
    parameters = await desk.consent(started, kim)
    await desk.pass_time(timedelta(minutes=15))

    answer = await desk.back(parameters)

    assert (answer.failure, answer.proof) == (Failure.ROUND_OVER, None)
    assert answer.location == f"{RETURN_URL}?signIn={started.sign_in.id}&error=ROUND_OVER"
    assert (await get_sign_in(desk.admin, started.sign_in.id)).state is SignInState.STARTED
    assert await desk.exchanges() == 0


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


async def test_a_death_between_claim_and_exchange_is_told_once_the_claim_has_lapsed(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = await desk.start()
    parameters = await desk.consent(started, kim)
    monkeypatch.setattr(consent, "ask", _die)
    with pytest.raises(KilledHere):
        await desk.back(parameters)
    monkeypatch.undo()
    waiting = asyncio.create_task(desk.back(parameters))
    await asyncio.sleep(0.5)
    assert not waiting.done()

    await desk.above.execute("UPDATE consent_round SET claimed_until = claimed_until - interval '61 seconds'")
    answer = await waiting

    assert answer.failure is Failure.INTERRUPTED
    failed = await get_sign_in(desk.admin, started.sign_in.id)
    assert (failed.state, failed.failure) == (SignInState.FAILED, Failure.INTERRUPTED)
    assert await desk.exchanges() == 0


async def test_a_transaction_that_fails_after_the_exchange_is_tried_again(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = await desk.consent(await desk.start(), kim)
    times = _busy_at_first(monkeypatch, exchange, "hashed", before=2)

    answer = await desk.back(parameters)

    assert answer.proof is not None
    assert times[0] > 2
    assert await desk.exchanges() == 1


async def test_who_names_another_issuer_is_refused_and_the_code_is_not_spent(desk: Desk, kim: Person) -> None:
    started = await desk.start()
    parameters = await desk.consent(started, kim)

    answer = await desk.back(parameters | {"iss": "https://evil.example"})

    assert (answer.failure, answer.proof) == (Failure.CONSENT_FAILED, None)
    assert await desk.exchanges() == 0
    failed = await get_sign_in(desk.admin, started.sign_in.id)
    assert (failed.state, failed.failure) == (SignInState.FAILED, Failure.CONSENT_FAILED)


async def test_who_names_the_issuer_that_the_browser_was_sent_to_is_heard(desk: Desk, kim: Person) -> None:
    parameters = await desk.consent(await desk.start(), kim)

    answer = await desk.back(parameters | {"iss": desk.sandbox.xero})

    assert answer.proof is not None


async def test_a_database_that_is_away_for_a_while_loses_no_consent(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = await desk.consent(await desk.start(), kim)
    times = _away(monkeypatch, times=3)

    answer = await desk.back(parameters)

    assert answer.proof is not None
    assert times[0] == 4
    assert await desk.exchanges() == 1


async def test_when_the_claim_is_over_first_one_is_told_to_begin_again_and_that_works(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = await desk.start()
    parameters = await desk.consent(started, kim)
    _away(monkeypatch, times=10_000)
    monkeypatch.setattr(consent, "CLAIM", timedelta(seconds=2))

    answer = await desk.back(parameters)
    monkeypatch.undo()
    again = await desk.back(await desk.consent(await continue_sign_in(desk.admin, started.sign_in.id), kim))

    assert (answer.failure, answer.proof) == (Failure.INTERRUPTED, None)
    assert answer.location == f"{RETURN_URL}?signIn={started.sign_in.id}&error=INTERRUPTED"
    assert again.proof is not None


@pytest.mark.parametrize("fault", [KeyError("sub"), None])
async def test_a_plugin_that_fails_at_the_subject_fails_the_consent_at_once(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch, fault: Exception | None
) -> None:
    def subject(*_: Any) -> Any:
        if fault is not None:
            raise fault

    started = await desk.start()
    parameters = await desk.consent(started, kim)
    monkeypatch.setattr(Xero, "subject", subject)

    answer = await desk.back(parameters)

    assert answer.failure is Failure.CONSENT_FAILED
    failed = await get_sign_in(desk.admin, started.sign_in.id)
    assert (failed.state, failed.failure) == (SignInState.FAILED, Failure.CONSENT_FAILED)


async def test_what_a_code_brought_after_its_round_had_ended_is_given_back(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = await desk.start()
    parameters = await desk.consent(started, kim)
    real = exchange.ask

    async def overtaken(*arguments: Any) -> Any:
        found = await real(*arguments)
        await desk.above.execute(
            "UPDATE consent_round SET claimed_until = claimed_until - interval '61 seconds'"
        )
        assert (await desk.back(parameters)).failure is Failure.INTERRUPTED
        return found

    monkeypatch.setattr(consent, "ask", overtaken)
    answer = await desk.back(parameters)
    [round_] = await desk.rounds(started.sign_in.id)

    assert (answer.failure, answer.proof) == (Failure.INTERRUPTED, None)
    assert (round_["outcome"], round_["subject"]) == ("REFUSED", kim.id)
    assert await end_sign_in(desk.practice_id, started.sign_in.id) is None
    assert await desk.asked("revocation") == 1
    assert (await desk.rounds(started.sign_in.id))[0]["tokens_sealed"] is None


async def test_waiting_tokens_that_cannot_be_opened_any_more_are_replaced(desk: Desk, kim: Person) -> None:
    first_id, first = await desk.consented(kim)
    await desk.above.execute(
        "UPDATE consent_round SET tokens_sealed = 'broken' WHERE sign_in_id = $1", first_id
    )

    second_id, second = await desk.consented(kim)

    for sign_in_id, proof in ((first_id, first), (second_id, second)):
        assert (await complete_sign_in(desk.admin, sign_in_id, proof)).organisations_total == 3


class KilledHere(Exception):
    """Stands for a kill."""


async def _die(*_: Any, **__: Any) -> None:
    raise KilledHere


def _away(monkeypatch: pytest.MonkeyPatch, *, times: int) -> list[int]:
    """Let the database be away when a consent is to be kept, so many times."""
    real, counted = exchange.keep, [0]

    async def away(*arguments: Any) -> bool:
        counted[0] += 1
        if counted[0] <= times:
            raise Unavailable
        return await real(*arguments)

    monkeypatch.setattr(consent, "keep", away)
    return counted


def _busy_at_first(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, *, before: int) -> list[int]:
    """Let this function raise Busy at its second call."""
    from tieline.errors import Busy

    real, times = getattr(module, name), [0]

    def busy(*args: Any, **kwargs: Any) -> Any:
        times[0] += 1
        if times[0] == before:
            raise Busy
        return real(*args, **kwargs)

    monkeypatch.setattr(module, name, busy)
    return times


async def _fault(desk: Desk) -> str | None:
    fault: str | None = await desk.above.fetchval("SELECT fault FROM provider_app WHERE id = $1", desk.app.id)
    return fault
