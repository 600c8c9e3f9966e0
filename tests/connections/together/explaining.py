"""Whether what was done is what the rules make of the facts before it, in one order or another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import permutations, product
from typing import TypeAlias
from uuid import UUID

from tests.connections.together.answers import Answer, Deed, foreseen
from tests.connections.together.facts import Facts, Key, Line

Picture: TypeAlias = tuple[list[Answer], Mapping[Key, Line], Mapping[UUID, UUID], set[UUID]]
"""What was answered, the connections, who is shown for each credential, and the clients."""


def explained(
    done: Sequence[tuple[Deed, Answer]], before: Facts, after: Facts, *, with_a_job: bool = False
) -> None:
    """Raises AssertionError unless one order of these deeds leads to what was told and what there is.

    `with_a_job`: one that lets something go ran with them, before all or after all of them.
    """
    actual = _picture([answer for _, answer in done], before, after)
    starts = [before, _after_the_job(before, after)] if with_a_job else [before]
    others: list[Picture] = []
    for start, order in product(starts, permutations(range(len(done)))):
        facts, expected = start.copy(), dict[int, Answer]()
        for number in order:
            expected[number] = foreseen(done[number][0], facts)
        others.append(_picture([expected[number] for number in range(len(done))], before, facts))
        if others[-1] == actual:
            return
    assert actual in others, "what was done is neither the one order nor the other"


def _picture(answers: Sequence[Answer], before: Facts, facts: Facts) -> Picture:
    """With no ids of connections that were not there before, which nobody can foresee."""
    known = {*before.ended, *(line.id for line in before.lines.values())}

    def named(line: Line) -> Line:
        return line if line.id in known else replace(line, id=None)

    return (
        [tuple(replace(told, line=told.line and named(told.line)) for told in answer) for answer in answers],
        {key: named(line) for key, line in facts.lines.items()},
        {each: facts.credentials[each].person for each in before.credentials},
        facts.clients,
    )


def _after_the_job(before: Facts, after: Facts) -> Facts:
    """As it was before, but for what a job that lets go takes away."""
    start = before.copy()
    for credential, kept in before.credentials.items():
        start.credentials[credential] = replace(kept, is_live=after.credentials[credential].is_live)
    for sign_in, trip in before.trips.items():
        left = after.trips[sign_in].found
        start.trips[sign_in] = replace(
            trip, found={each: way for each, way in trip.found.items() if each in left}
        )
    start.consents &= after.consents
    return start
