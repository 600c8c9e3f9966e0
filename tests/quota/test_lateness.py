"""Nobody knows when the provider counts a call that is under way: it may be at its end, but hardly seconds later."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.quota.conftest import Bench
from tests.quota.limits import call, passed
from tieline.errors import LimitScope
from tieline.plugins.limits import Limit, LimitKind

A_SECOND = Limit(
    name="second",
    scope=LimitScope.ORGANISATION,
    kind=LimitKind.RATE,
    most=1,
    window=timedelta(seconds=1),
    source="https://provider.example",
)

pytestmark = pytest.mark.usefixtures("still")


async def test_a_call_counts_for_its_second_until_a_second_after_its_end(bench: Bench) -> None:
    gate = bench.gate(A_SECOND)

    async with gate.call("a"):
        bench.offset += timedelta(seconds=3)
        assert await passed(gate, 1) == 0

    assert await passed(gate, 1) == 0
    bench.offset += timedelta(seconds=1.1)
    assert await passed(gate, 1) == 1


async def test_a_call_that_takes_longer_than_five_seconds_to_arrive_is_not_waited_for(bench: Bench) -> None:
    gate = bench.gate(A_SECOND)
    await call(gate, second=0)  # so that nothing is in doubt
    bench.offset += timedelta(seconds=10)

    async with gate.call("a"):
        bench.offset += timedelta(seconds=6.1)

        assert await passed(gate, 1) == 1
