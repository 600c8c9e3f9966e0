"""Whatever two do at once, at whatever moment of the one the other comes: every promise is kept, every word is true.

Every two deeds are played on the same things, the second one at a moment of the first: in full at all of them, in
`make test` at some, others for each two.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

import asyncpg
import pytest

from tests.connections.together import truths
from tests.connections.together.answers import Deed, answered
from tests.connections.together.cutting import Cutting, seen
from tests.connections.together.explaining import explained
from tests.connections.together.keeping import Kept, keep, put_back
from tests.connections.together.ledger import MANY, Ledger
from tests.connections.together.pairs import Deeds, JobRuns, RunsOut, furnish, grow_old, of_person, refusal
from tests.connections.together.stage import Stage, set_stage
from tests.support.deployment import Deployment
from tests.support.figures import is_full

_EVERY = 1 if is_full("proofs") else 8
_LEAST = 4
"""No deed here looks and writes with fewer statements; if one does, it goes by unseen, and nothing is tried."""
_JOBS = ("decided", "released", "revoked")
"""What is let go of goes by three jobs: each is played against those who may want it back."""

_BACK = ("connects books that were left", "reconnects", "deletes who was left", "signs in as who was left")


@dataclass(kw_only=True)
class Play:
    """Where all of it is played again and again from what is kept of each beginning."""

    stage: Stage
    cutting: Cutting
    begun: Kept

    async def every(self, firsts: Deeds, seconds: Deeds) -> None:
        """Each first with each second, at each moment, or at every so many: others for each two."""
        step = min(_EVERY, len(seconds) + 2)
        for place, (first_name, first) in enumerate(firsts.items()):
            await put_back(self.stage, self.begun)
            await self.cutting.alone(partial(answered, first))
            moments = self.cutting.moments
            assert moments >= _LEAST, f"nobody could come between when one {first_name}"
            for number, (second_name, second) in enumerate(seconds.items()):
                for cut in range(1 + (place + number) % min(step, moments), moments + 1, step):
                    try:
                        await self._once(first, second, cut)
                    except BaseException as error:
                        error.add_note(f"one {first_name}; at moment {cut} of {moments} one {second_name}")
                        raise

    async def _once(self, first: Deed, second: Deed, cut: int) -> None:
        await put_back(self.stage, self.begun)

        one, other = await self.cutting.play(partial(answered, first), partial(answered, second), cut=cut)

        now = await self.stage.facts()
        done = [(first, one), (second, other)]
        await truths.hold(self.stage, now)
        await truths.settled(self.stage, self.begun.facts)
        explained(done, self.begun.facts, now, with_a_job=any(isinstance(each, JobRuns) for each, _ in done))
        assert self.cutting.deadlocks == [], "locks are not taken in one order"


@pytest.fixture
async def play(ledger: Ledger, opened: Deployment, sql: asyncpg.Connection) -> AsyncIterator[Play]:
    stage = await set_stage(sql, ledger)
    await furnish(stage)
    watching = await opened.connect()
    cutting = Cutting(watching)
    ledger.moment = cutting.moment
    try:
        with seen(cutting):
            yield Play(stage=stage, cutting=cutting, begun=await keep(stage, "furnished"))
    finally:
        await watching.close()


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
