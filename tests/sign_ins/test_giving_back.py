"""While something is given back at a provider, nobody is sent there: what they consent to would be taken with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any, TypeAlias

import pytest

from tests.sign_ins.desk import Desk
from tests.support.jobs import calendar
from tests.support.polling import WAIT_SECONDS
from tests.support.sandbox import Books, Person
from tieline.credentials import asking, letting_go
from tieline.credentials.giving_back import service as giving_back
from tieline.credentials.giving_back.repository import GivingBackRepository
from tieline.credentials.letting_go import let_go_credential, release_at_provider
from tieline.errors import Busy
from tieline.principal import Principal
from tieline.sign_ins import exchange, forgetting, prompting
from tieline.sign_ins.forgetting import end_sign_in
from tieline.sign_ins.service import continue_sign_in
from tieline.sign_ins.states import Purpose, SignInState
from tieline.sweeps.actors import prune_sign_ins
from tieline.vault import SealBroken
from tieline.work import Again, unit_of_work

SIX_MINUTES = timedelta(minutes=6)
A_DAY = timedelta(hours=24, minutes=1)

Giving: TypeAlias = Callable[[], Awaitable[Again | None]]
Meanwhile: TypeAlias = Callable[[], Awaitable[Any]]


async def _abandoned(desk: Desk, kim: Person) -> Giving:
    """A consent that nobody took."""
    sign_in_id, _ = await desk.consented(kim)
    await desk.pass_time(SIX_MINUTES)
    return lambda: end_sign_in(desk.practice_id, sign_in_id)


async def _let_go(desk: Desk, kim: Person) -> Giving:
    """A login of which nothing was connected in its day."""
    await desk.ready(kim)
    [credential] = await desk.credentials()
    await desk.pass_time(A_DAY)
    return lambda: let_go_credential(desk.practice_id, credential["id"])


async def _released(desk: Desk, kim: Person) -> Giving:
    """One organisation of such a login."""
    ready = await desk.ready(kim)
    found = await desk.found(ready.id)
    organisation_id, credential_id, _ = found[kim.organisations[0].name]
    await desk.pass_time(A_DAY)
    return lambda: release_at_provider(desk.practice_id, credential_id, organisation_id)


REVOCATION: dict[str, Any] = {"endpoint": "revocation", "method": "POST", "times": 3}
RELEASE: dict[str, Any] = {"endpoint": "connections", "method": "DELETE", "times": 3}
WAYS = {
    _abandoned: (forgetting, "revoke", REVOCATION),
    _let_go: (letting_go, "revoke", REVOCATION),
    _released: (letting_go, "ask_release", RELEASE),
}


def _in_between(monkeypatch: pytest.MonkeyPatch, way: Any, meanwhile: Meanwhile) -> None:
    """Do this when it is decided to give back, and the provider has not been asked yet."""
    module, name, _ = WAYS[way]
    real = getattr(module, name)

    async def first(*arguments: Any, **named: Any) -> Any:
        await meanwhile()
        return await real(*arguments, **named)

    monkeypatch.setattr(module, name, first)


@pytest.mark.parametrize("way", WAYS)
async def test_nobody_is_sent_to_the_provider_while_something_is_given_back(
    desk: Desk, kim: Person, way: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_back, told = await way(desk, kim), list[str]()
    going = await desk.start()
    await desk.back(await desk.consent(going, kim, allow=False))
    monkeypatch.setattr(giving_back, "_WAIT_SECONDS", 0)

    async def meanwhile() -> None:
        for trip in (desk.start(), continue_sign_in(desk.admin, going.sign_in.id)):
            with pytest.raises(Busy) as refused:
                await trip
            told.append(f"{refused.value.code}: {refused.value}")

    _in_between(monkeypatch, way, meanwhile)
    assert await give_back() is None

    sentence = (
        "BUSY: Access that was granted before is being given back at the provider, and it takes long: "
        "begin to sign in again in a minute."
    )
    assert told == [sentence, sentence]
    assert (await desk.start()).authorization_url is not None


@pytest.mark.parametrize("way", WAYS)
async def test_whoever_is_to_be_sent_there_waits_until_it_is_over_and_keeps_what_they_consent_to(
    desk: Desk, kim: Person, way: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_back, waiting = await way(desk, kim), list[asyncio.Task[Any]]()

    async def meanwhile() -> None:
        waiting.append(asyncio.create_task(desk.ready(kim)))
        await _refused_once(monkeypatch)

    _in_between(monkeypatch, way, meanwhile)
    assert await give_back() is None
    ready = await waiting[0]

    assert len(await desk.names(ready.id)) == 3
    assert len((await desk.sandbox.control("GET", "/grants"))["grants"]) == 1


async def test_who_waits_goes_before_what_would_be_given_back_next(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much is to be given back, each of them waits for what is under way and no more."""
    (first, next_one), waiting = await _two_to_give_back(desk, kim), list[asyncio.Task[Any]]()
    told = list[Again | None]()

    async def meanwhile() -> None:
        waiting.append(asyncio.create_task(desk.start()))
        await _refused_once(monkeypatch)
        told.append(await next_one())

    _in_between(monkeypatch, _let_go, meanwhile)
    assert await first() is None
    started = await waiting[0]

    assert started.authorization_url is not None
    assert [type(each) for each in told] == [Again]
    assert await desk.asked("revocation") == 1


async def test_who_was_told_to_come_again_goes_before_what_would_be_given_back_next(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, next_one = await _two_to_give_back(desk, kim)
    await desk.sandbox.plant("drop", "revocation")
    monkeypatch.setattr(giving_back, "_WAIT_SECONDS", 0)
    await first()
    with pytest.raises(Busy):
        await desk.start()
    asked = await desk.asked("revocation")

    assert isinstance(await next_one(), Again)

    await _lapse(desk)
    assert (await desk.start()).authorization_url is not None
    assert await desk.asked("revocation") == asked


@pytest.mark.parametrize("way", WAYS)
async def test_where_an_answer_was_lost_it_may_still_come_to_pass(
    desk: Desk, kim: Person, way: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_back = await way(desk, kim)
    await desk.sandbox.plant("drop", **WAYS[way][2])
    monkeypatch.setattr(giving_back, "_WAIT_SECONDS", 0)

    await give_back()

    with pytest.raises(Busy):
        await desk.start()
    await _lapse(desk)
    assert (await desk.start()).authorization_url is not None


async def test_what_was_lost_before_an_answer_came_may_still_come_to_pass(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_back = await _released(desk, kim)
    await desk.sandbox.plant("drop", "connections", method="DELETE")
    await desk.sandbox.plant("status", "connections", method="DELETE", status=400)
    monkeypatch.setattr(giving_back, "_WAIT_SECONDS", 0)

    await give_back()

    with pytest.raises(Busy):
        await desk.start()


@pytest.mark.parametrize("job", [let_go_credential, release_at_provider])
async def test_what_is_given_up_after_a_lost_answer_may_still_come_to_pass(
    desk: Desk, kim: Person, job: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = await desk.ready(kim)
    organisation_id, credential_id, _ = (await desk.found(ready.id))[kim.organisations[0].name]
    whose = [credential_id] if job is let_go_credential else [credential_id, organisation_id]
    began = await calendar()
    await desk.pass_time(timedelta(days=8))
    await desk.sandbox.plant("drop", **(REVOCATION if job is let_go_credential else RELEASE))
    monkeypatch.setattr(giving_back, "_WAIT_SECONDS", 0)

    assert await job(desk.practice_id, *whose, trouble_since=began) is None

    with pytest.raises(Busy):
        await desk.start()


@pytest.mark.parametrize(
    ("way", "status", "body"),
    [
        (_let_go, 400, {"error": "invalid_client"}),
        (_let_go, 429, {}),
        (_let_go, 503, {}),
        (_abandoned, 429, {}),
        (_abandoned, 503, {}),
        (_released, 503, {}),
    ],
)
async def test_an_answer_that_says_no_keeps_nobody_waiting(
    desk: Desk, kim: Person, way: Any, status: int, body: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_back = await way(desk, kim)
    await desk.sandbox.plant("status", **WAYS[way][2], status=status, body=body)
    monkeypatch.setattr(giving_back, "_WAIT_SECONDS", 0)

    await give_back()

    assert (await desk.start()).authorization_url is not None


@pytest.mark.parametrize("sealed", ["credential SET tokens_sealed", "provider_app SET secret_sealed"])
async def test_what_cannot_be_opened_any_more_keeps_nobody_waiting(
    desk: Desk, kim: Person, sealed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_back = await _let_go(desk, kim)
    await desk.above.execute(
        f"UPDATE {sealed} = sha512('lost') WHERE practice_id = $1",
        desk.practice_id,
    )
    monkeypatch.setattr(giving_back, "_WAIT_SECONDS", 0)

    with pytest.raises(SealBroken):
        await give_back()

    assert (await desk.start()).authorization_url is not None


@pytest.mark.parametrize("way", WAYS)
async def test_whoever_was_stopped_for_too_long_gives_nothing_back(
    desk: Desk, kim: Person, way: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_back = await way(desk, kim)
    before = await desk.asked("connections", method="DELETE") + await desk.asked("revocation")
    monkeypatch.setattr(giving_back, "_HOLD_SECONDS", 0)

    await give_back()

    assert await desk.asked("connections", method="DELETE") + await desk.asked("revocation") == before
    assert (await desk.start()).authorization_url is not None


async def test_a_code_waits_for_what_is_being_given_back(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an hour nobody waits for those who are at the consent page; they wait when they come back."""
    monkeypatch.setattr(exchange, "_TURN_SECONDS", WAIT_SECONDS)
    give_back, waiting = await _abandoned(desk, kim), list[asyncio.Task[Any]]()
    await desk.pass_time(timedelta(hours=2))
    going = await desk.start()
    exchanged = await desk.exchanges()

    async def meanwhile() -> None:
        parameters, seen = await desk.consent(going, kim), asyncio.Event()
        real = exchange._is_occupied

        async def occupied(*arguments: Any, **named: Any) -> bool:
            found = await real(*arguments, **named)
            seen.set()
            return found

        monkeypatch.setattr(exchange, "_is_occupied", occupied)
        waiting.append(asyncio.create_task(desk.back(parameters)))
        await seen.wait()
        assert await desk.exchanges() == exchanged

    _in_between(monkeypatch, _abandoned, meanwhile)
    await give_back()
    answer = await waiting[0]

    assert answer.proof is None
    assert await desk.asked("revocation") == 1


async def test_a_login_is_not_good_without_a_trip_for_what_was_let_go_since_the_provider_was_asked(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = await desk.ready(kim)
    found = await desk.found(ready.id)
    organisation_id, credential_id, _ = found[kim.organisations[0].name]
    kept_id, _, _ = found[kim.organisations[1].name]
    await desk.connect(kept_id, credential_id)
    connection = await desk.connect(organisation_id, credential_id, reason="DISCONNECTED")
    await desk.pass_time(A_DAY)
    real = asking.ask_reached

    async def asked(*arguments: Any, **named: Any) -> Any:
        reached = await real(*arguments, **named)
        await release_at_provider(desk.practice_id, credential_id, organisation_id)
        return reached

    monkeypatch.setattr(prompting, "ask_reached", asked)
    started = await desk.start(purpose=Purpose.RECONNECT, connection_id=connection.id)

    assert started.authorization_url is not None
    assert (
        await desk.above.fetch("SELECT FROM sign_in_organisation WHERE sign_in_id = $1", started.sign_in.id)
        == []
    )


@pytest.mark.parametrize("is_gone", [False, True])
async def test_whoever_waited_is_asked_nothing_only_where_the_login_still_reaches_what_it_did(
    desk: Desk, kim: Person, bakery: Books, monkeypatch: pytest.MonkeyPatch, *, is_gone: bool
) -> None:
    """What was lost on its way to the provider may have come to pass there meanwhile."""
    ready = await desk.ready(kim)
    organisation_id, credential_id, _ = (await desk.found(ready.id))[bakery.name]
    connection = await desk.connect(organisation_id, credential_id, reason="DISCONNECTED")
    async with unit_of_work(Principal.machine(desk.practice_id)):
        await giving_back.begin(desk.practice_id, desk.app.id)

    waiting = asyncio.create_task(desk.start(purpose=Purpose.RECONNECT, connection_id=connection.id))
    await _refused_once(monkeypatch)
    if is_gone:
        await desk.sandbox.revoke(desk.app, kim, bakery)
    await _lapse(desk)
    started = await waiting

    assert (started.authorization_url is None) is not is_gone
    assert started.sign_in.state is (SignInState.STARTED if is_gone else SignInState.READY)
    [trip] = await desk.rounds(started.sign_in.id)
    assert (trip["expires_at"] > await calendar()) is is_gone


async def test_what_a_process_that_died_was_giving_back_is_forgotten_in_a_day(desk: Desk) -> None:
    for _ in range(2):
        async with unit_of_work(Principal.machine(desk.practice_id)):
            await giving_back.begin(desk.practice_id, desk.app.id)
    stands = "SELECT until FROM giving_back WHERE practice_id = $1 ORDER BY until"
    [_, other] = await desk.above.fetch(stands, desk.practice_id)
    await desk.above.execute(
        "UPDATE giving_back SET until = until - interval '46 seconds' WHERE practice_id = $1 AND until < $2",
        desk.practice_id,
        other["until"],
    )

    await prune_sign_ins.function(keep_days=7)

    assert await desk.above.fetch(stands, desk.practice_id) == [other]


async def _two_to_give_back(desk: Desk, kim: Person) -> list[Giving]:
    """Two logins of which nothing was connected in their day."""
    lee = await desk.sandbox.populate("Dunmore Dairy")
    for each in (kim, lee):
        await desk.ready(each)
    ids = [each["id"] for each in await desk.credentials()]
    await desk.pass_time(A_DAY)
    return [partial(let_go_credential, desk.practice_id, each) for each in ids]


async def _refused_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until somebody has found that they have to wait."""
    real, seen = GivingBackRepository.is_one_left, asyncio.Event()

    async def looked(self: Any, ids: Any) -> bool:
        found: bool = await real(self, ids)
        seen.set()
        return found

    monkeypatch.setattr(GivingBackRepository, "is_one_left", looked)
    await seen.wait()


async def _lapse(desk: Desk) -> None:
    """As if so much real time had gone by that the lease is over."""
    await desk.above.execute(
        "UPDATE giving_back SET until = until - interval '46 seconds' WHERE practice_id = $1",
        desk.practice_id,
    )
