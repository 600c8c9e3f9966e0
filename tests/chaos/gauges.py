"""What a gateway tells of itself at /metrics, and what was under way in it when it was told to stop."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.chaos.stand import GATEWAY, Stand
from tests.support.polling import until

REST_SECONDS = 15.0
"""Twice as long, and the server itself ends a transaction that somebody forgot."""
_POOL, _SOCKETS, _SUBSCRIPTIONS = (
    "tieline_database_connections",
    "tieline_sockets_open",
    "tieline_subscriptions_open",
)


@dataclass(frozen=True, kw_only=True)
class Gauges:
    """`taken` are the pooled connections that are not idle."""

    taken: int
    sockets: int
    subscriptions: int

    @property
    def are_at_rest(self) -> bool:
        return not (self.taken or self.sockets or self.subscriptions)


async def gauges(stand: Stand) -> Gauges:
    exposed = (await stand.http.get("/metrics")).text
    values: Counter[str] = Counter()
    for family in text_string_to_metric_families(exposed):
        for sample in family.samples:
            if sample.name in {_POOL, _SOCKETS, _SUBSCRIPTIONS}:
                values[sample.labels.get("state", sample.name)] += int(sample.value)
    return Gauges(
        taken=values["size"] - values["idle"], sockets=values[_SOCKETS], subscriptions=values[_SUBSCRIPTIONS]
    )


async def at_rest(stand: Stand) -> tuple[Gauges, float]:
    """What is still taken and open once nothing is, or after `REST_SECONDS`; and how many seconds it took."""
    began = time.monotonic()
    seen: list[Gauges] = []

    async def over() -> bool:
        seen.append(await gauges(stand))
        return seen[-1].are_at_rest or time.monotonic() - began > REST_SECONDS

    await until(over, "the gateway tells of itself", seconds=10 * REST_SECONDS)
    return seen[-1], time.monotonic() - began


def stopped(stand: Stand) -> int:
    """Stop the gateway; how many requests and sockets were under way in it then."""
    process = stand.running[GATEWAY]
    stand.stop(GATEWAY)
    [told] = [line for line in process.logged().splitlines() if '"gateway.draining"' in line]
    return int(json.loads(told)["running"])


def resident_megabytes(stand: Stand) -> float:
    """The memory that the gateway holds, as the kernel counts it."""
    status = Path(f"/proc/{stand.pids()[GATEWAY]}/status").read_text()
    [kilobytes] = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(kilobytes) / 1024
