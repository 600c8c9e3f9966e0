"""Waits for limits are counted, by the plugin's names for them alone."""

from __future__ import annotations

import asyncio

import pytest

from tests.quota.conftest import Bench
from tests.quota.limits import a_minute, at_once, call, throttled
from tests.support.counted import Counted
from tests.support.polling import until
from tieline.errors import QuotaSpent

WAITS = "tieline_quota_waits_total"


async def test_a_call_that_waits_counts_as_slept_and_one_that_is_told_so_as_spent(bench: Bench) -> None:
    gate, counted = bench.gate(a_minute(1)), Counted()
    patient = bench.gate(at_once(1), patience=20)

    await call(gate)
    first = counted.more("tieline_quota_wait_seconds_count")
    with pytest.raises(QuotaSpent):
        await call(gate)
    async with patient.call("b"):
        waiting = asyncio.create_task(call(patient, "b"))

        async def sleeps() -> bool:
            return ("slept", "concurrent", "pretend") in counted.more(WAITS)

        await until(sleeps, "the second call waits for its place")
    await waiting

    assert first == {("pretend",): 1}
    assert counted.more(WAITS)["spent", "minute", "pretend"] == 1
    assert counted.more("tieline_quota_wait_seconds_count") == {("pretend",): 3}


async def test_a_limit_that_only_the_provider_names_counts_as_another(bench: Bench) -> None:
    gate, counted = bench.gate(a_minute(5)), Counted()
    await call(gate, fault=throttled("<b>whatever</b>", 60))

    with pytest.raises(QuotaSpent):
        await call(gate)

    assert counted.more(WAITS) == {("spent", "other", "pretend"): 1}
