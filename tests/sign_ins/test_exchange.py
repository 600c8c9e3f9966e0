"""What becomes of a consent when its code's exchange is cut short, or what it brought cannot be kept at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.sign_ins.desk import BOOKKEEPING, RETURN_URL, Desk
from tests.support.intuit import QuickBooks as Intuit
from tests.support.jobs import calendar
from tests.support.polling import WAIT_SECONDS
from tests.support.sandbox import Person
from tieline.errors import Busy, ProviderBroken, Unavailable
from tieline.ids import AppId, SignInId
from tieline.sign_ins import consent, exchange
from tieline.sign_ins.forgetting import end_sign_in
from tieline.sign_ins.service import (
    NewSignIn,
    answer_consent,
    complete_sign_in,
    continue_sign_in,
    get_sign_in,
    start_sign_in,
)
from tieline.sign_ins.states import Failure, Purpose, SignInState
from tieline_quickbooks import QuickBooks
from tieline_xero.provider import Xero


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
    monkeypatch.setattr(exchange, "CLAIM", timedelta(seconds=2))

    answer = await desk.back(parameters)
    monkeypatch.undo()
    monkeypatch.setattr(exchange, "_TURN_SECONDS", 0.2)  # the lost one's turn is not over yet
    again = await desk.back(await desk.consent(await continue_sign_in(desk.admin, started.sign_in.id), kim))

    assert (answer.failure, answer.proof) == (Failure.INTERRUPTED, None)
    assert answer.location == f"{RETURN_URL}?signIn={started.sign_in.id}&error=INTERRUPTED"
    assert again.proof is not None


async def test_codes_of_one_app_are_exchanged_one_after_another(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "_TURN_SECONDS", WAIT_SECONDS)
    back = [await desk.consent(await desk.start(), kim) for _ in range(3)]
    await desk.sandbox.plant("slow", "token", seconds=0.2, times=3)

    answers = await asyncio.gather(*(desk.back(each) for each in back))

    assert all(answer.proof for answer in answers)
    assert [entry["in_flight"] for entry in await desk.sandbox.log(desk.app, "token")] == [1, 1, 1]


async def test_an_exchange_that_was_cut_short_holds_others_up_for_seconds_only(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = await desk.consent(await desk.start(), kim)
    monkeypatch.setattr(consent, "ask", _die)
    with pytest.raises(KilledHere):
        await desk.back(lost)
    monkeypatch.undo()
    monkeypatch.setattr(exchange, "_TURN_SECONDS", 0.2)

    answer = await desk.back(await desk.consent(await desk.start(), kim))

    assert answer.proof is not None


@pytest.mark.parametrize("fault", [KeyError("sub"), SystemExit("sub"), KeyboardInterrupt("sub"), None])
async def test_a_plugin_that_fails_at_the_subject_fails_the_consent_at_once(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch, fault: BaseException | None
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


async def at_intuit(desk: Desk) -> tuple[AppId, SignInId, dict[str, str]]:
    """Somebody consents for a company: the app, the sign-in, and what the browser comes back with."""
    intuit = Intuit(sandbox=desk.sandbox)
    app, person = await intuit.app(desk.practice_id), await intuit.populate("Ashford Bakery Ltd")
    asked = NewSignIn(
        provider="quickbooks", purpose=Purpose.CONNECT, products=BOOKKEEPING, return_url=RETURN_URL
    )
    started = await start_sign_in(desk.admin, asked)
    back = urlsplit(await intuit.consent(str(started.authorization_url), person))
    return app.id, started.sign_in.id, dict(parse_qsl(back.query))


async def test_a_plugin_that_fails_to_tell_what_the_tokens_open_loses_no_consent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def organisations(*_: object) -> Any:
        raise KeyError("CompanyInfo")

    app_id, sign_in_id, parameters = await at_intuit(desk)
    monkeypatch.setattr(QuickBooks, "organisations", organisations)

    answer = await answer_consent("quickbooks", app_id, parameters)
    assert answer.proof is not None
    with pytest.raises(ProviderBroken, match="its plugin could not tell"):
        await complete_sign_in(desk.admin, sign_in_id, answer.proof)
    monkeypatch.undo()

    assert (await complete_sign_in(desk.admin, sign_in_id, answer.proof)).state is SignInState.READY


@pytest.mark.parametrize("is_completed", [True, False], ids=["by who completes", "by the job"])
async def test_a_death_before_the_tokens_are_checked_leaves_them_to_be_checked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, *, is_completed: bool
) -> None:
    app_id, sign_in_id, parameters = await at_intuit(desk)
    monkeypatch.setattr(consent, "check_tokens", _die)
    with pytest.raises(KilledHere):
        await answer_consent("quickbooks", app_id, parameters)
    monkeypatch.undo()
    reloaded = asyncio.create_task(answer_consent("quickbooks", app_id, parameters))
    await asyncio.sleep(0.5)
    assert not reloaded.done()

    await desk.above.execute("UPDATE consent_round SET claimed_until = claimed_until - interval '61 seconds'")
    answer = await reloaded
    assert answer.proof is not None
    if is_completed:
        assert (await complete_sign_in(desk.admin, sign_in_id, answer.proof)).state is SignInState.READY
    else:
        await end_sign_in(desk.practice_id, sign_in_id)

    [round_] = await desk.rounds(sign_in_id)
    assert round_["unchecked"] is False


async def test_while_one_looks_what_the_tokens_open_another_is_told_to_try_again(desk: Desk) -> None:
    app_id, sign_in_id, parameters = await at_intuit(desk)
    await desk.sandbox.plant("status", "companyinfo", status=503, times=3)
    answer = await answer_consent("quickbooks", app_id, parameters)
    assert answer.proof is not None
    await desk.above.execute(
        "UPDATE consent_round SET claimed_until = clock_timestamp() + interval '60 seconds'"
    )

    with pytest.raises(Busy):
        await complete_sign_in(desk.admin, sign_in_id, answer.proof)
    again = await end_sign_in(desk.practice_id, sign_in_id)
    assert again is not None
    await desk.above.execute("UPDATE consent_round SET claimed_until = NULL")

    assert again.at - await calendar() <= timedelta(minutes=1)
    assert (await complete_sign_in(desk.admin, sign_in_id, answer.proof)).state is SignInState.READY


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
    real, times = getattr(module, name), [0]

    def busy(*args: Any, **kwargs: Any) -> Any:
        times[0] += 1
        if times[0] == before:
            raise Busy
        return real(*args, **kwargs)

    monkeypatch.setattr(module, name, busy)
    return times
