"""Completing a sign-in: by whom, with which proof, how late, how often, and what trouble on the way does."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.sign_ins.desk import Desk
from tests.support.sandbox import Books, Person
from tieline.connections.states import Reason
from tieline.credentials.rejection import credential_rejected
from tieline.credentials.repository import CredentialRepository
from tieline.errors import (
    ProviderBroken,
    ProviderUnavailable,
    QuotaSpent,
    SignInOver,
)
from tieline.plugins import Consent
from tieline.sign_ins import completion
from tieline.sign_ins.service import complete_sign_in, continue_sign_in, get_sign_in
from tieline.sign_ins.states import Failure, SignInState
from tieline.vault import Secret
from tieline_xero.provider import Xero

WRONG = Secret("x" * 43)


async def test_a_failed_sign_in_says_why_it_is_over(desk: Desk, kim: Person) -> None:
    started = await desk.start()
    await desk.back(await desk.consent(started, kim, allow=False))

    with pytest.raises(SignInOver, match=r"The consent was denied\. Begin a new sign-in\."):
        await complete_sign_in(desk.admin, started.sign_in.id, WRONG)


async def test_the_same_proof_again_has_the_same_answer_and_asks_nothing(desk: Desk, kim: Person) -> None:
    sign_in_id, proof = await desk.consented(kim)
    first = await complete_sign_in(desk.admin, sign_in_id, proof)
    asked = await desk.asked("connections")

    await desk.move(timedelta(hours=1))
    again = await complete_sign_in(desk.admin, sign_in_id, proof)

    assert again == first
    assert await desk.asked("connections") == asked == 1


async def test_completing_twice_at_once_is_completing_once(desk: Desk, kim: Person) -> None:
    sign_in_id, proof = await desk.consented(kim)

    done = await asyncio.gather(*(complete_sign_in(desk.admin, sign_in_id, proof) for _ in range(4)))

    assert {each.state for each in done} == {SignInState.READY}
    assert {each.ready_at for each in done} == {done[0].ready_at}
    assert len(await desk.credentials()) == 1


async def test_two_sign_ins_of_one_login_at_once_share_its_credential(desk: Desk, kim: Person) -> None:
    taken = [await desk.consented(kim) for _ in range(3)]

    done = await asyncio.gather(*(complete_sign_in(desk.admin, *each) for each in taken))

    assert {each.organisations_total for each in done} == {3}
    assert len(await desk.credentials()) == 1


async def test_a_consent_that_ends_the_pair_before_leaves_the_sign_in_before_as_good(
    desk: Desk, kim: Person, bakery: Books
) -> None:
    earlier_id, earlier = await desk.consented(kim, bakery)
    later_id, later = await desk.consented(kim, kim.named("Cobalt Studio"))

    first = await complete_sign_in(desk.admin, earlier_id, earlier)
    second = await complete_sign_in(desk.admin, later_id, later)

    assert (first.organisations_total, second.organisations_total) == (2, 2)
    assert len(await desk.credentials()) == 1


async def test_two_consents_of_one_new_login_that_come_back_at_once_are_both_good(
    desk: Desk, kim: Person
) -> None:
    started = [await desk.start() for _ in range(4)]
    parameters = [await desk.consent(each, kim) for each in started]
    answers = await asyncio.gather(*(desk.back(each) for each in parameters))

    done = [
        await complete_sign_in(desk.admin, each.sign_in.id, answer.proof or WRONG)
        for each, answer in zip(started, answers, strict=True)
    ]

    assert {each.organisations_total for each in done} == {3}


@pytest.mark.parametrize(
    ("kind", "more", "error"),
    [
        ("status", {"status": 503, "times": 9}, ProviderUnavailable),
        ("throttle", {"times": 1, "retry_after": 700}, QuotaSpent),
        ("drop", {"times": 9}, ProviderUnavailable),
    ],
)
async def test_trouble_at_the_provider_is_gone_through_by_the_same_call(
    desk: Desk, kim: Person, kind: str, more: dict[str, Any], error: type[Exception]
) -> None:
    sign_in_id, proof = await desk.consented(kim)
    await desk.sandbox.plant(kind, "connections", **more)
    with pytest.raises(error):
        await complete_sign_in(desk.admin, sign_in_id, proof)
    assert (await get_sign_in(desk.admin, sign_in_id)).state is SignInState.CONSENTED

    await desk.sandbox.control("DELETE", "/faults")
    await desk.move(timedelta(minutes=20))  # the proof was shown in time
    done = await complete_sign_in(desk.admin, sign_in_id, proof)

    assert (done.state, done.organisations_total) == (SignInState.READY, 3)
    assert await desk.exchanges() == 1


@pytest.mark.parametrize("found", [KeyError("id"), None, [None]])
async def test_a_plugin_that_fails_to_tell_what_is_reached_is_named_and_the_same_call_goes_on_later(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch, found: object
) -> None:
    async def organisations(*_: object) -> Any:
        if isinstance(found, Exception):
            raise found
        return found

    sign_in_id, proof = await desk.consented(kim)
    monkeypatch.setattr(Xero, "organisations", organisations)
    with pytest.raises(ProviderBroken, match="its plugin could not tell what a login reaches") as raised:
        await complete_sign_in(desk.admin, sign_in_id, proof)
    monkeypatch.undo()
    done = await complete_sign_in(desk.admin, sign_in_id, proof)

    assert raised.value.provider == "xero"
    assert (done.state, done.organisations_total) == (SignInState.READY, 3)


async def test_a_consent_that_was_withdrawn_meanwhile_fails_the_sign_in(desk: Desk, kim: Person) -> None:
    sign_in_id, proof = await desk.consented(kim)
    await desk.sandbox.revoke(desk.app, kim)

    for _ in range(2):
        with pytest.raises(SignInOver, match="withdrawn"):
            await complete_sign_in(desk.admin, sign_in_id, proof)

    failed = await get_sign_in(desk.admin, sign_in_id)
    assert (failed.state, failed.failure) == (SignInState.FAILED, Failure.CONSENT_GONE)


async def test_a_consent_that_was_withdrawn_leaves_what_the_sign_in_has(
    desk: Desk, kim: Person, bakery: Books
) -> None:
    lee = await desk.sandbox.populate("Delta Farm")
    ready = await desk.ready(kim, bakery)
    answer = await desk.back(await desk.consent(await continue_sign_in(desk.admin, ready.id), lee))
    assert answer.proof is not None
    await desk.sandbox.revoke(desk.app, lee)

    with pytest.raises(SignInOver, match="withdrawn"):
        await complete_sign_in(desk.admin, ready.id, answer.proof)

    after = await get_sign_in(desk.admin, ready.id)
    assert (after.state, after.failure) == (SignInState.READY, None)
    assert await desk.names(ready.id) == ["Ashford Bakery Ltd"]


async def test_a_credential_that_dies_after_the_provider_was_asked_fails_the_sign_in_and_heals_nothing(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = await desk.ready(kim)
    organisation_id, credential_id, _ = (await desk.found(ready.id))["Birch & Sons"]
    connection = await desk.connect(organisation_id, credential_id, reason="TOKEN_EXPIRED")
    sign_in_id, proof = await desk.consented(kim)
    asked = Xero.organisations

    async def dying(self: Xero, *arguments: Any) -> Any:
        found = await asked(self, *arguments)
        [row] = await desk.credentials()
        await credential_rejected(
            desk.practice_id, credential_id, Reason.REVOKED_AT_PROVIDER, version=row["version"]
        )
        return found

    monkeypatch.setattr(Xero, "organisations", dying)
    with pytest.raises(SignInOver, match="withdrawn"):
        await complete_sign_in(desk.admin, sign_in_id, proof)
    monkeypatch.undo()
    with pytest.raises(SignInOver, match="withdrawn"):
        await complete_sign_in(desk.admin, sign_in_id, proof)

    failed = await get_sign_in(desk.admin, sign_in_id)
    assert (failed.state, failed.failure) == (SignInState.FAILED, Failure.CONSENT_GONE)
    assert await desk.reason(connection) == "TOKEN_EXPIRED"
    assert await desk.events("CONNECTION_RESTORED") == []


async def test_what_a_quicker_completion_consented_to_is_not_lost_by_one_that_was_asked_before(
    desk: Desk, kim: Person, bakery: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    birch = kim.named("Birch & Sons")
    ready = await desk.ready(kim)
    organisation_id, credential_id, _ = (await desk.found(ready.id))["Birch & Sons"]
    connection = await desk.connect(organisation_id, credential_id)
    await desk.sandbox.revoke(desk.app, kim, birch)
    slow_id, slow = await desk.consented(kim, bakery)
    quick_started = await desk.start()
    reads, may_go = asyncio.Event(), asyncio.Event()
    real = CredentialRepository.reach

    async def reach(self: CredentialRepository, of_credential: Any) -> Any:
        found = await real(self, of_credential)
        if not reads.is_set():
            reads.set()
            await may_go.wait()
        return found

    monkeypatch.setattr(CredentialRepository, "reach", reach)
    completing = asyncio.create_task(complete_sign_in(desk.admin, slow_id, slow))
    await reads.wait()
    answer = await desk.back(await desk.consent(quick_started, kim, birch))
    await complete_sign_in(desk.admin, quick_started.sign_in.id, answer.proof or WRONG)
    may_go.set()
    await completing

    assert await desk.reason(connection) is None
    assert await desk.events("CONNECTION_EXPIRED") == []


async def test_the_provider_is_told_which_consent_and_when_it_came_back(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in_id, proof = await desk.consented(kim)
    [round_] = await desk.rounds(sign_in_id)
    asked, told = Xero.organisations, []

    async def organisations(self: Xero, session: Any, about: Consent | None) -> Any:
        told.append(about)
        return await asked(self, session, about)

    monkeypatch.setattr(Xero, "organisations", organisations)
    await desk.move(timedelta(minutes=4))
    await complete_sign_in(desk.admin, sign_in_id, proof)

    assert told == [Consent(mark=round_["consent_mark"], at=round_["consented_at"])]
    assert round_["consent_mark"] is not None


async def test_a_colleague_who_completes_takes_the_login_over(desk: Desk, kim: Person, bakery: Books) -> None:
    await desk.ready(kim, bakery)
    colleague = await desk.colleague()

    await desk.ready(kim, bakery, principal=colleague)

    [credential] = await desk.credentials()
    assert credential["person_id"] == colleague.person_id


@pytest.mark.parametrize("step", ["open_session", "find_organisations", "make_ready"])
async def test_a_death_between_the_steps_is_gone_through_by_the_same_call(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    sign_in_id, proof = await desk.consented(kim)
    monkeypatch.setattr(completion, step, _die)
    with pytest.raises(KilledHere):
        await complete_sign_in(desk.admin, sign_in_id, proof)
    monkeypatch.undo()
    assert (await get_sign_in(desk.admin, sign_in_id)).state is SignInState.CONSENTED
    assert await desk.names(sign_in_id) == []

    done = await complete_sign_in(desk.admin, sign_in_id, proof)

    assert (done.state, done.organisations_total) == (SignInState.READY, 3)
    [round_] = await desk.rounds(sign_in_id)
    assert round_["tokens_sealed"] is None
    assert round_["taken_at"] is not None


class KilledHere(Exception):
    """Stands for a kill."""


async def _die(*_: Any, **__: Any) -> None:
    raise KilledHere
