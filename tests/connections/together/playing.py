"""Two deeds played on the same things, the second one at a moment of the first, and what is true after that."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from tests.connections.together import truths
from tests.connections.together.answers import Deed, answered
from tests.connections.together.cutting import Cutting
from tests.connections.together.explaining import explained
from tests.connections.together.keeping import Kept, put_back
from tests.connections.together.pairs import Deeds, JobRuns
from tests.connections.together.stage import Stage
from tests.support.figures import is_full

_EVERY = 1 if is_full("proofs") else 24
_LEAST = 4
"""No deed here looks and writes with fewer statements; if one does, it goes by unseen, and nothing is tried."""


@dataclass(kw_only=True)
class Play:
    """Where all of it is played again and again from what is kept of each beginning."""

    stage: Stage
    cutting: Cutting
    begun: Kept

    async def every(self, firsts: Deeds, seconds: Deeds, *, all_moments: bool = False) -> None:
        """Each first with each second, at each moment, or at every so many: others for each two."""
        step = 1 if all_moments else min(_EVERY, len(seconds) + 2)
        for place, (first_name, first) in enumerate(firsts.items()):
            await put_back(self.stage, self.begun)
            await self.cutting.alone(partial(answered, first))
            moments = self.cutting.moments
            assert moments >= _LEAST, f"nobody could come between when one {first_name}"
            for number, (second_name, second) in enumerate(seconds.items()):
                for cut in range(1 + (place + number) % min(step, moments), moments + 1, step):
                    try:
                        await self.once(first, second, cut)
                    except BaseException as error:
                        error.add_note(f"one {first_name}; at moment {cut} of {moments} one {second_name}")
                        raise

    async def once(self, first: Deed, second: Deed, cut: int) -> None:
        await put_back(self.stage, self.begun)

        one, other = await self.cutting.play(partial(answered, first), partial(answered, second), cut=cut)

        now = await self.stage.facts()
        done = [(first, one), (second, other)]
        await truths.hold(self.stage, now)
        await truths.settled(self.stage, self.begun.facts)
        explained(done, self.begun.facts, now, with_a_job=any(isinstance(each, JobRuns) for each, _ in done))
        assert self.cutting.deadlocks == [], "locks are not taken in one order"
