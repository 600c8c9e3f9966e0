"""Queueing and cancelling syncs: one live run for an organisation, whoever asks and however often."""

from __future__ import annotations

import asyncio

from tests.support.books import Books
from tieline.ids import CredentialId, OrganisationId, PersonId
from tieline.principal import Principal
from tieline.sync.repository import Run, RunState, Trigger, WantedRun, cancel_runs, live_runs, queue_runs
from tieline.work import unit_of_work


async def queue(
    books: Books,
    *wanted: tuple[OrganisationId, CredentialId, tuple[str, ...]],
    person_id: PersonId | None = None,
) -> list[Run]:
    async with unit_of_work(Principal.machine(books.practice_id)) as work:
        runs = [
            WantedRun(organisation_id=organisation_id, credential_id=credential_id, feeds=feeds)
            for organisation_id, credential_id, feeds in wanted
        ]
        return await queue_runs(
            books.practice_id, runs, trigger=Trigger.CONNECT, person_id=person_id, at=work.now
        )


async def test_asking_again_adds_feeds_to_the_live_run(books: Books) -> None:
    one, other = await books.organisations("A", "B")
    first, second = await books.credential(), await books.credential()

    (queued,) = await queue(books, (one, first, ("z", "b")), person_id=books.me)
    again = await queue(books, (one, second, ("a", "b")), (other, first, ("x",)), (one, second, ("c",)))

    by_organisation = {run.organisation_id: run for run in again}
    assert by_organisation[one].id == queued.id
    assert by_organisation[one].wanted == ("z", "b", "a", "c")
    assert by_organisation[one].credential_id == second
    assert by_organisation[one].requested_by == books.me
    assert len(await books.runs()) == 2


async def test_a_run_that_is_over_is_followed_by_a_new_one(books: Books) -> None:
    organisation_id, credential_id = await books.organisation("A"), await books.credential()
    (before,) = await queue(books, (organisation_id, credential_id, ("a",)))

    for state in ("SUCCEEDED", "FAILED", "CANCELLED"):
        await books.sql.execute("UPDATE sync_run SET state = $2 WHERE id = $1", before.id, state)
        (after,) = await queue(books, (organisation_id, credential_id, ("b",)))
        assert (after.id != before.id, after.wanted) == (True, ("b",))
        before = after
    for state in ("RUNNING", "PAUSED"):
        await books.sql.execute(
            "UPDATE sync_run SET state = $2, resume_at = CASE WHEN $3 THEN created_at END WHERE id = $1",
            before.id,
            state,
            state == "PAUSED",
        )
        (same,) = await queue(books, (organisation_id, credential_id, ("c",)))
        assert (same.id, same.state) == (before.id, RunState(state))


async def test_many_who_ask_at_once_get_one_run(books: Books) -> None:
    credential_id = await books.credential()
    for number in range(20):
        pair = await books.organisations(f"A {number}", f"B {number}")

        results = await asyncio.gather(
            *(
                queue(books, *((each, credential_id, (name,)) for each in order))
                for name, order in (("x", pair), ("y", pair[::-1]))
            )
        )

        assert [run.id for run in results[0]] == [run.id for run in results[1]]
    assert await books.count("sync_run") == 40


async def test_live_runs_are_cancelled_by_organisation(books: Books) -> None:
    one, two = await books.organisations("A", "B")
    credential_id = await books.credential()
    await queue(books, (one, credential_id, ()), (two, credential_id, ()))

    async with unit_of_work(Principal.machine(books.practice_id)) as work:
        cancelled = await cancel_runs(
            books.practice_id, organisation_ids=[one], reason="DISCONNECTED", at=work.now
        )
        none = await cancel_runs(books.practice_id, organisation_ids=[], reason="DISCONNECTED", at=work.now)
        left = await live_runs(books.practice_id, [one, two])

    assert [(run.organisation_id, run.state, run.reason) for run in cancelled] == [
        (one, RunState.CANCELLED, "DISCONNECTED")
    ]
    assert none == []
    assert [run.organisation_id for run in left] == [two]
    assert await queue(books) == []
