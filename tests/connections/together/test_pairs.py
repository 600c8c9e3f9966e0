"""Whatever two do at once, at whatever moment of the one the other comes: every promise is kept, every word is true.

Every two deeds are played on the same things, the second one at a moment of the first: in full at all of them, in
`make test` at some, others for each two.
"""

from __future__ import annotations

from tests.connections.together.keeping import keep, put_back
from tests.connections.together.ledger import MANY
from tests.connections.together.pairs import JobRuns, RunsOut, grow_old, of_person, refusal
from tests.connections.together.playing import Play

_JOBS = ("decided", "released", "revoked")
"""What is let go of goes by three jobs: each is played against those who may want it back."""

_BACK = ("connects books that were left", "reconnects", "deletes who was left", "signs in as who was left")


async def test_a_login_that_is_refused_while_somebody_hangs_something_on_it(play: Play) -> None:
    admin, *_ = play.stage.people
    people = of_person(play.stage, play.begun.facts, admin)
    refused = {"refused by the provider": await refusal(play.stage, play.begun.facts, admin)}

    await play.every(people, refused)
    await play.every(refused, people)


async def test_a_consent_that_has_run_out_while_somebody_does_something_about_it(play: Play) -> None:
    _, manager, *_ = play.stage.people
    await grow_old(play.stage)
    play.begun = await keep(play.stage, "old")
    people = of_person(play.stage, play.begun.facts, manager)
    swept = {"swept": RunsOut(practice_id=play.stage.practice_id)}

    await play.every(people, swept)
    await play.every(swept, people)


async def test_what_is_let_go_of_while_somebody_wants_it_back(play: Play) -> None:
    stage, manager = play.stage, play.stage.people[1]
    for step in _JOBS:
        play.begun = await keep(stage, step)
        back = {name: of_person(stage, play.begun.facts, manager)[name] for name in _BACK}
        [job_id] = await stage.due()
        job = JobRuns(stage=stage, job_id=job_id)

        await play.every(back, {step: job})
        await play.every({step: job}, back)

        await put_back(stage, play.begun)
        await job.do()
    assert (stage.apps[MANY][1], "cam") not in stage.ledger.granted


async def test_two_people_at_once_at_any_moment_of_the_one(play: Play) -> None:
    admin, manager, *_ = play.stage.people
    firsts, seconds = (of_person(play.stage, play.begun.facts, by) for by in (admin, manager))

    await play.every(firsts, seconds)
