"""The end of a sign-in: when, and what is given back at the provider; nothing that something still uses."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.sign_ins.desk import Desk
from tests.support.jobs import calendar
from tests.support.sandbox import Books, Person
from tieline.credentials.letting_go import let_go_credential
from tieline.errors import SignInOver
from tieline.ids import SignInId
from tieline.sign_ins import consent, exchange, forgetting
from tieline.sign_ins.forgetting import end_sign_in
from tieline.sign_ins.service import complete_sign_in, continue_sign_in, get_sign_in
from tieline.sign_ins.states import SignInState
from tieline.work import Again

SIX_MINUTES = timedelta(minutes=6)
A_ROUND = timedelta(minutes=16)
A_DAY = timedelta(hours=24, minutes=1)


async def forget(desk: Desk, sign_in_id: SignInId) -> timedelta | None:
    """Run the job as if it were due; in how long it is due again."""
    again = await end_sign_in(desk.practice_id, sign_in_id)
    return None if again is None else again.at - await calendar()


async def test_a_sign_in_queues_its_own_end(desk: Desk) -> None:
    started = await desk.start()

    job = await desk.due(started.sign_in.id, "sign_ins.forget_sign_in")

    assert timedelta(minutes=14) < job["due_at"] - await calendar() <= timedelta(minutes=15)
    assert await forget(desk, started.sign_in.id) is not None
    assert (await get_sign_in(desk.admin, started.sign_in.id)).state is SignInState.STARTED


async def test_one_that_nobody_came_back_with_expires(desk: Desk) -> None:
    started = await desk.start()
    await desk.pass_time(A_ROUND)

    assert await forget(desk, started.sign_in.id) is None

    assert (await get_sign_in(desk.admin, started.sign_in.id)).state is SignInState.EXPIRED
    with pytest.raises(SignInOver):
        await continue_sign_in(desk.admin, started.sign_in.id)
    assert await desk.asked("revocation") == 0


async def test_one_that_failed_stays_failed_with_its_reason(desk: Desk, kim: Person) -> None:
    started = await desk.start()
    await desk.back(await desk.consent(started, kim, allow=False))

    assert await forget(desk, started.sign_in.id) is None

    assert (await get_sign_in(desk.admin, started.sign_in.id)).state is SignInState.FAILED


async def test_a_fresh_login_that_nobody_took_is_revoked_once_its_proof_has_run_out(
    desk: Desk, kim: Person
) -> None:
    sign_in_id, proof = await desk.consented(kim)
    wait = await forget(desk, sign_in_id)
    assert wait is not None
    assert timedelta(minutes=4) < wait <= timedelta(minutes=5)
    assert await desk.asked("revocation") == 0
    await desk.pass_time(SIX_MINUTES)

    assert await forget(desk, sign_in_id) is None
    assert await forget(desk, sign_in_id) is None

    assert await desk.asked("revocation") == 1
    assert (await desk.rounds(sign_in_id))[0]["tokens_sealed"] is None
    assert (await get_sign_in(desk.admin, sign_in_id)).state is SignInState.EXPIRED
    with pytest.raises(SignInOver):
        await complete_sign_in(desk.admin, sign_in_id, proof)


async def test_nothing_is_revoked_of_a_login_that_serves_connections(
    desk: Desk, kim: Person, bakery: Books
) -> None:
    ready = await desk.ready(kim, bakery)
    organisation_id, credential_id, _ = (await desk.found(ready.id))["Ashford Bakery Ltd"]
    await desk.connect(organisation_id, credential_id)
    abandoned_id, _ = await desk.consented(kim, bakery)
    await desk.pass_time(A_DAY)

    for sign_in_id in (abandoned_id, ready.id):
        assert await forget(desk, sign_in_id) is None
    assert await let_go_credential(desk.practice_id, credential_id) is None

    assert await desk.asked("revocation") == 0
    [credential] = await desk.credentials()
    assert (credential["state"], credential["tokens_sealed"] is None) == ("LIVE", False)
    assert (await get_sign_in(desk.admin, abandoned_id)).state is SignInState.EXPIRED
    assert (await get_sign_in(desk.admin, ready.id)).state is SignInState.EXPIRED


async def test_a_login_that_waited_while_its_credential_was_made_is_not_revoked(
    desk: Desk, kim: Person
) -> None:
    abandoned_id, _ = await desk.consented(kim)
    taken = await desk.ready(kim)
    await desk.pass_time(SIX_MINUTES)

    assert await forget(desk, abandoned_id) is None

    assert await desk.asked("revocation") == 0
    assert (await desk.rounds(abandoned_id))[0]["tokens_sealed"] is None
    assert await desk.names(taken.id) == ["Ashford Bakery Ltd", "Birch & Sons", "Cobalt Studio"]


async def test_a_login_that_another_sign_in_may_still_take_is_not_revoked(desk: Desk, kim: Person) -> None:
    abandoned_id, _ = await desk.consented(kim)
    await desk.pass_time(timedelta(minutes=4))
    pending_id, proof = await desk.consented(kim)
    await desk.pass_time(timedelta(minutes=2))

    assert await forget(desk, abandoned_id) is None

    assert await desk.asked("revocation") == 0
    assert (await complete_sign_in(desk.admin, pending_id, proof)).state is SignInState.READY


async def test_while_somebody_is_at_the_provider_nobody_knows_as_whom_they_come_back(
    desk: Desk, kim: Person
) -> None:
    abandoned_id, _ = await desk.consented(kim)
    await desk.pass_time(SIX_MINUTES)
    out = await desk.start()

    wait = await forget(desk, abandoned_id)

    assert wait is not None
    assert timedelta(minutes=14) < wait <= timedelta(minutes=15)
    assert await desk.asked("revocation") == 0
    answer = await desk.back(await desk.consent(out, kim))
    assert answer.proof is not None
    assert await forget(desk, abandoned_id) is None
    done = await complete_sign_in(desk.admin, out.sign_in.id, answer.proof)
    assert done.organisations_total == 3
    assert await desk.asked("revocation") == 0


async def test_when_they_do_not_come_back_it_is_revoked_after_all(desk: Desk, kim: Person) -> None:
    abandoned_id, _ = await desk.consented(kim)
    await desk.pass_time(SIX_MINUTES)
    await desk.start()
    assert await forget(desk, abandoned_id) is not None
    await desk.pass_time(A_ROUND)

    assert await forget(desk, abandoned_id) is None

    assert await desk.asked("revocation") == 1


async def test_where_somebody_always_is_at_the_provider_it_is_revoked_after_an_hour(
    desk: Desk, kim: Person
) -> None:
    abandoned_id, _ = await desk.consented(kim)
    await desk.pass_time(SIX_MINUTES)
    for _ in range(6):
        await desk.start()
        assert await forget(desk, abandoned_id) is not None
        assert await desk.asked("revocation") == 0
        await desk.pass_time(timedelta(minutes=9))
    await desk.pass_time(timedelta(minutes=6))
    await desk.start()

    assert await forget(desk, abandoned_id) is None

    assert await desk.asked("revocation") == 1


async def test_whoever_is_just_coming_back_is_waited_for_even_then(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    abandoned_id, _ = await desk.consented(kim)
    await desk.pass_time(timedelta(hours=2))
    parameters = await desk.consent(await desk.start(), kim)
    real, waits = exchange.ask, list[timedelta | None]()

    async def meanwhile(*arguments: Any) -> Any:
        waits.append(await forget(desk, abandoned_id))
        return await real(*arguments)

    monkeypatch.setattr(consent, "ask", meanwhile)
    answer = await desk.back(parameters)

    assert [wait is not None and wait <= timedelta(seconds=60) for wait in waits] == [True]
    assert answer.proof is not None
    assert await forget(desk, abandoned_id) is None
    assert await desk.asked("revocation") == 0


async def test_of_two_that_nobody_took_one_that_has_to_wait_keeps_no_other_waiting(
    desk: Desk, kim: Person
) -> None:
    other, started = await desk.sandbox.populate("Dune Dental"), await desk.start()
    assert (await desk.back(await desk.consent(started, kim))).proof is not None
    await desk.pass_time(timedelta(minutes=58))
    more = await continue_sign_in(desk.admin, started.sign_in.id)
    assert (await desk.back(await desk.consent(more, other))).proof is not None
    await desk.pass_time(timedelta(minutes=8))
    await desk.start()

    wait = await forget(desk, started.sign_in.id)

    assert wait is not None
    assert wait <= timedelta(minutes=15)
    assert await desk.asked("revocation") == 1
    assert [each["tokens_sealed"] is None for each in await desk.rounds(started.sign_in.id)] == [True, False]


async def test_somebody_at_another_practices_app_is_no_reason_to_wait(
    desk: Desk, other_desk: Desk, kim: Person
) -> None:
    abandoned_id, _ = await desk.consented(kim)
    await desk.pass_time(SIX_MINUTES)
    await other_desk.start()

    assert await forget(desk, abandoned_id) is None

    assert await desk.asked("revocation") == 1


async def test_trouble_at_the_provider_puts_the_revocation_off(desk: Desk, kim: Person) -> None:
    sign_in_id, _ = await desk.consented(kim)
    await desk.pass_time(SIX_MINUTES)
    await desk.sandbox.plant("status", "revocation", status=503)

    wait = await forget(desk, sign_in_id)
    assert wait is not None
    assert (await desk.rounds(sign_in_id))[0]["tokens_sealed"] is not None

    assert await forget(desk, sign_in_id) is None
    assert await desk.asked("revocation", status=200) == 1


async def test_a_death_after_the_revocation_only_revokes_again(
    desk: Desk, kim: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in_id, _ = await desk.consented(kim)
    await desk.pass_time(SIX_MINUTES)

    async def die(*_: Any) -> None:
        raise LookupError

    monkeypatch.setattr(forgetting, "_drop", die)
    with pytest.raises(LookupError):
        await forget(desk, sign_in_id)
    monkeypatch.undo()

    assert await forget(desk, sign_in_id) is None
    assert (await desk.rounds(sign_in_id))[0]["tokens_sealed"] is None
    assert (await get_sign_in(desk.admin, sign_in_id)).state is SignInState.EXPIRED


async def test_an_abandoned_round_leaves_the_sign_in_what_it_has(
    desk: Desk, kim: Person, bakery: Books
) -> None:
    lee = await desk.sandbox.populate("Delta Farm")
    ready = await desk.ready(kim, bakery)
    await desk.back(await desk.consent(await continue_sign_in(desk.admin, ready.id), lee))
    await desk.pass_time(A_ROUND)

    wait = await forget(desk, ready.id)

    assert wait is not None
    assert timedelta(hours=23) < wait < timedelta(hours=24)
    assert await desk.asked("revocation") == 1
    assert await desk.names(ready.id) == ["Ashford Bakery Ltd"]
    assert (await get_sign_in(desk.admin, ready.id)).state is SignInState.READY


async def test_a_round_that_nobody_came_back_from_leaves_the_sign_in_ready(desk: Desk, kim: Person) -> None:
    ready = await desk.ready(kim)
    await continue_sign_in(desk.admin, ready.id)
    await forget(desk, ready.id)
    assert (await get_sign_in(desk.admin, ready.id)).state is SignInState.STARTED
    await desk.pass_time(A_ROUND)

    assert await forget(desk, ready.id) is not None

    assert (await get_sign_in(desk.admin, ready.id)).state is SignInState.READY


async def test_a_completed_sign_in_of_which_nothing_was_connected_is_let_go_after_its_day(
    desk: Desk, kim: Person
) -> None:
    ready = await desk.ready(kim)
    [credential] = await desk.credentials()
    assert await forget(desk, ready.id) is not None
    assert isinstance(await let_go_credential(desk.practice_id, credential["id"]), Again)
    await desk.pass_time(A_DAY)

    assert await forget(desk, ready.id) is None
    job = await desk.above.fetchrow(
        "SELECT due_at FROM job WHERE key = $1", f"credentials.let_go_credential:{credential['id']}"
    )
    assert isinstance(job["due_at"], datetime)
    assert await let_go_credential(desk.practice_id, credential["id"]) is None

    assert await desk.asked("revocation") == 1
    assert [each["state"] for each in await desk.credentials()] == ["DEAD"]


async def test_a_sign_in_that_is_gone_is_forgotten(desk: Desk) -> None:
    started = await desk.start()
    await desk.above.execute("DELETE FROM sign_in WHERE id = $1", started.sign_in.id)

    assert await forget(desk, started.sign_in.id) is None
