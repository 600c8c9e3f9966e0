"""A sign-in from its start to its use."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.sign_ins.desk import RETURN_URL, Desk
from tests.support.sandbox import Books, Person
from tieline.errors import NotFound, SignInOver
from tieline.sign_ins.service import complete_sign_in, continue_sign_in, get_sign_in, list_organisations
from tieline.sign_ins.states import SignInState


async def test_a_person_signs_in_and_finds_what_the_consent_was_for(desk: Desk, kim: Person) -> None:
    started = await desk.start()
    assert started.sign_in.state is SignInState.STARTED

    answer = await desk.back(await desk.consent(started, kim))
    assert answer.failure is None
    assert answer.proof is not None
    proof = answer.proof.reveal()
    assert answer.location == f"{RETURN_URL}?signIn={started.sign_in.id}&proof={proof}"
    assert (await get_sign_in(desk.admin, started.sign_in.id)).state is SignInState.CONSENTED

    ready = await complete_sign_in(desk.admin, started.sign_in.id, answer.proof)

    assert ready.state is SignInState.READY
    assert ready.usable_until is not None
    assert ready.ready_at is not None
    assert ready.usable_until - ready.ready_at == timedelta(hours=24)
    assert (ready.organisations_total, ready.details_done) == (3, 0)
    assert await desk.names(ready.id) == ["Ashford Bakery Ltd", "Birch & Sons", "Cobalt Studio"]
    [credential] = await desk.credentials()
    assert credential["person_id"] == desk.admin.person_id
    assert credential["login"] == kim.email
    assert {credential_id for _, credential_id, _ in (await desk.found(ready.id)).values()} == {
        credential["id"]
    }


async def test_what_only_the_login_reaches_is_told_from_what_the_consent_was_for(
    desk: Desk, kim: Person, bakery: Books
) -> None:
    await desk.ready(kim, bakery, kim.named("Birch & Sons"))

    again = await desk.ready(kim, kim.named("Cobalt Studio"))

    found = await desk.found(again.id)
    assert {name: consented for name, (_, _, consented) in found.items()} == {
        "Ashford Bakery Ltd": False,
        "Birch & Sons": False,
        "Cobalt Studio": True,
    }


async def test_organisations_come_in_pages_by_name(desk: Desk, kim: Person) -> None:
    ready = await desk.ready(kim)

    first = await list_organisations(desk.admin, ready.id, first=2)
    rest = await list_organisations(desk.admin, ready.id, first=2, after=first.cursors[-1])

    assert [row.organisation.name for row in first.rows] == ["Ashford Bakery Ltd", "Birch & Sons"]
    assert (first.has_next, first.total) == (True, 3)
    assert [row.organisation.name for row in rest.rows] == ["Cobalt Studio"]
    assert (rest.has_next, rest.has_previous) == (False, True)


async def test_nobody_else_sees_a_sign_in(desk: Desk, other_desk: Desk, kim: Person) -> None:
    ready = await desk.ready(kim)

    for stranger in (await desk.colleague(), other_desk.admin):
        with pytest.raises(NotFound):
            await get_sign_in(stranger, ready.id)
        with pytest.raises(NotFound):
            await list_organisations(stranger, ready.id)
        with pytest.raises(NotFound):
            await continue_sign_in(stranger, ready.id)


async def test_going_on_with_a_sign_in_keeps_what_it_has_found(
    desk: Desk, kim: Person, bakery: Books
) -> None:
    ready = await desk.ready(kim, bakery)

    more = await continue_sign_in(desk.admin, ready.id)
    meanwhile = await get_sign_in(desk.admin, ready.id)
    assert meanwhile.state is SignInState.STARTED
    assert meanwhile.usable_until is not None
    assert await desk.names(ready.id) == ["Ashford Bakery Ltd"]
    answer = await desk.back(await desk.consent(more, kim, kim.named("Cobalt Studio")))
    assert answer.proof is not None
    done = await complete_sign_in(desk.admin, ready.id, answer.proof)

    assert done.state is SignInState.READY
    found = await desk.found(ready.id)
    assert {name: consented for name, (_, _, consented) in found.items()} == {
        "Ashford Bakery Ltd": True,
        "Cobalt Studio": True,
    }


async def test_going_on_closes_the_round_that_was_out(desk: Desk, kim: Person) -> None:
    started = await desk.start()
    first = await desk.consent(started, kim)
    await continue_sign_in(desk.admin, started.sign_in.id)

    answer = await desk.back(first)

    assert answer.proof is None
    assert await desk.exchanges() == 0


async def test_another_login_in_the_same_sign_in_is_another_credential(
    desk: Desk, kim: Person, bakery: Books
) -> None:
    lee = await desk.sandbox.populate("Delta Farm")
    ready = await desk.ready(kim, bakery)

    more = await continue_sign_in(desk.admin, ready.id)
    answer = await desk.back(await desk.consent(more, lee))
    assert answer.proof is not None
    await complete_sign_in(desk.admin, ready.id, answer.proof)

    found = await desk.found(ready.id)
    assert sorted(found) == ["Ashford Bakery Ltd", "Delta Farm"]
    assert len({credential_id for _, credential_id, _ in found.values()}) == 2


async def test_a_day_after_its_completion_a_sign_in_is_over(desk: Desk, kim: Person) -> None:
    ready = await desk.ready(kim)

    await desk.pass_time(timedelta(hours=24, seconds=1))

    assert (await get_sign_in(desk.admin, ready.id)).state is SignInState.EXPIRED
    with pytest.raises(SignInOver):
        await continue_sign_in(desk.admin, ready.id)
