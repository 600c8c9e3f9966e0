"""The details of what a sign-in found: read by a job, counted as they come, skipped where they cannot be read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.sign_ins.desk import Desk
from tests.support.jobs import calendar
from tests.support.sandbox import Person
from tieline.ids import SignInId
from tieline.sign_ins import details
from tieline.sign_ins.details import read_details
from tieline.sign_ins.service import get_sign_in, list_organisations
from tieline.worker.roster import ACTORS
from tieline.worker.runner import Runner


async def run(desk: Desk, sign_in_id: SignInId) -> timedelta | None:
    """Run the job; in how long it is due again."""
    again = await read_details(desk.practice_id, sign_in_id)
    return None if again is None else again.at - await calendar()


async def progress(desk: Desk, sign_in_id: SignInId) -> tuple[int, int]:
    sign_in = await get_sign_in(desk.admin, sign_in_id)
    return sign_in.details_done, sign_in.organisations_total


async def test_a_completed_sign_in_queues_the_reading_of_details(desk: Desk, kim: Person) -> None:
    ready = await desk.ready(kim)
    assert await progress(desk, ready.id) == (0, 3)
    assert (await desk.due(ready.id, "sign_ins.fetch_details"))["lane"] == "INTERACTIVE"

    assert await run(desk, ready.id) is None

    assert await progress(desk, ready.id) == (3, 3)
    page = await list_organisations(desk.admin, ready.id)
    assert all(row.organisation.country and row.organisation.currency for row in page.rows)
    assert await desk.asked("organisation") == 3


async def test_a_worker_runs_both_jobs_of_a_sign_in(desk: Desk, kim: Person) -> None:
    ready = await desk.ready(kim)
    runner = Runner(ACTORS)

    await runner.run((await desk.due(ready.id, "sign_ins.fetch_details"))["id"])
    assert await desk.due(ready.id, "sign_ins.fetch_details") is None
    assert await progress(desk, ready.id) == (3, 3)
    await desk.pass_time(timedelta(minutes=15))
    forgetting = await desk.due(ready.id, "sign_ins.forget_sign_in")
    await runner.run(forgetting["id"])
    put_off = await desk.due(ready.id, "sign_ins.forget_sign_in")
    assert put_off["due_at"] == (await get_sign_in(desk.admin, ready.id)).usable_until
    await desk.pass_time(timedelta(hours=24))
    await runner.run(put_off["id"])

    assert await desk.due(ready.id, "sign_ins.forget_sign_in") is None


async def test_details_are_read_once(desk: Desk, kim: Person) -> None:
    ready = await desk.ready(kim)
    await run(desk, ready.id)

    await run(desk, ready.id)
    again = await desk.ready(kim)
    await run(desk, again.id)

    assert await desk.asked("organisation") == 3
    assert await progress(desk, again.id) == (3, 3)


async def test_one_organisation_that_cannot_be_read_holds_nobody_up_and_counts_as_done(
    desk: Desk, kim: Person
) -> None:
    ready = await desk.ready(kim)
    await desk.sandbox.revoke(desk.app, kim, kim.named("Birch & Sons"))

    assert await run(desk, ready.id) is None

    assert await progress(desk, ready.id) == (3, 3)


async def test_trouble_that_passes_is_waited_out(desk: Desk, kim: Person) -> None:
    ready = await desk.ready(kim)
    await desk.sandbox.plant(
        "throttle", "organisation", organisation=kim.named("Birch & Sons").tenant_id, retry_after=70
    )

    wait = await run(desk, ready.id)

    assert wait is not None
    assert timedelta(seconds=60) < wait <= timedelta(seconds=70)
    assert await progress(desk, ready.id) == (2, 3)
    await desk.move(timedelta(seconds=71))
    assert await run(desk, ready.id) is None
    assert await progress(desk, ready.id) == (3, 3)


async def test_one_organisation_over_its_limit_holds_nobody_else_up(desk: Desk) -> None:
    many = await desk.sandbox.populate(organisations=12)
    ready = await desk.ready(many)
    await desk.sandbox.plant("throttle", "organisation", organisation=await first(desk), retry_after=70)

    wait = await run(desk, ready.id)

    assert wait is not None
    assert timedelta(seconds=60) < wait <= timedelta(seconds=70)
    assert await progress(desk, ready.id) == (11, 12)


async def test_what_is_worth_no_wait_does_without(desk: Desk) -> None:
    many = await desk.sandbox.populate(organisations=12)
    ready = await desk.ready(many)
    await desk.sandbox.plant(
        "throttle", "organisation", organisation=await first(desk), retry_after=36_000, times=50
    )

    assert await run(desk, ready.id) is None

    assert await progress(desk, ready.id) == (12, 12)
    page = await list_organisations(desk.admin, ready.id, first=50)
    assert sum(row.organisation.country is None for row in page.rows) == 1


async def test_nothing_is_waited_for_beyond_the_sign_ins_day(desk: Desk, kim: Person) -> None:
    ready = await desk.ready(kim)
    await desk.pass_time(timedelta(hours=23, minutes=56))
    named: dict[str, Any] = {"organisation": await first(desk), "retry_after": 300}
    await desk.sandbox.plant("throttle", "organisation", **named)

    assert await run(desk, ready.id) is None

    assert await progress(desk, ready.id) == (3, 3)


@pytest.mark.parametrize(("retry_after", "done"), [(70, 0), (36_000, 12)])
async def test_a_limit_of_the_whole_app_holds_all_up_or_none_is_read(
    desk: Desk, retry_after: int, done: int
) -> None:
    many = await desk.sandbox.populate(organisations=12)
    ready = await desk.ready(many)
    await desk.sandbox.plant(
        "throttle", "organisation", problem="appminute", retry_after=retry_after, times=50
    )

    wait = await run(desk, ready.id)

    assert (wait is None) == (done == 12)
    assert await progress(desk, ready.id) == (done, 12)
    assert await desk.asked("organisation") <= 4


async def first(desk: Desk) -> str:
    """The organisation that is read first, by the provider's id."""
    found: str = await desk.above.fetchval(
        "SELECT external_id FROM organisation WHERE practice_id = $1 ORDER BY id LIMIT 1", desk.practice_id
    )
    return found


async def test_after_a_slice_the_job_gives_up_its_place(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    many = await desk.sandbox.populate(organisations=6)
    ready = await desk.ready(many)
    monkeypatch.setattr(details, "_SLICE_SECONDS", 1e-9)
    monkeypatch.setattr(details, "_AT_A_TIME", 2)

    assert await run(desk, ready.id) is not None
    monkeypatch.setattr(details, "_SLICE_SECONDS", 20.0)
    assert await run(desk, ready.id) is None

    assert await progress(desk, ready.id) == (6, 6)


async def test_a_legal_name_that_agrees_ends_a_mismatch(desk: Desk, kim: Person) -> None:
    ready = await desk.ready(kim)
    organisation_id, credential_id, _ = (await desk.found(ready.id))["Birch & Sons"]
    connection = await desk.connect(organisation_id, credential_id)
    await desk.above.execute("UPDATE connection SET mismatch = true WHERE id = $1", connection.id)

    await run(desk, ready.id)

    assert await desk.events() == [("CONNECTION_MISMATCH_CHANGED", connection.id)]


async def test_once_the_sign_in_is_over_nobody_watches(desk: Desk, kim: Person) -> None:
    ready = await desk.ready(kim)
    await desk.pass_time(timedelta(hours=25))

    assert await run(desk, ready.id) is None

    assert await desk.asked("organisation") == 0
