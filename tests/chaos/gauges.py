"""What a gateway tells of itself at /metrics, and what was under way in it when it was told to stop."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.stand import GATEWAY, Stand
from tests.support.counted import exposed, pool_in, pool_of
from tests.support.polling import left_of

REST_SECONDS = 15.0
"""Twice as long, and the server itself ends a transaction that somebody forgot."""
_SOCKETS, _SUBSCRIPTIONS = "tieline_sockets_open", "tieline_subscriptions_open"


@dataclass(frozen=True, kw_only=True)
class Gauges:
    """`taken` are the pooled connections that are not idle, of at most `limit`."""

    limit: int
    taken: int
    sockets: int
    subscriptions: int

    @property
    def left(self) -> int:
        """What is not at rest."""
        return self.taken + self.sockets + self.subscriptions


async def gauges(stand: Stand) -> Gauges:
    """A gateway that lacks one of them fails the test; of subscriptions it tells once it has had one."""
    figures = await exposed(stand.gateway.url)
    pool = pool_in(figures)
    return Gauges(
        limit=pool["limit"],
        taken=pool["size"] - pool["idle"],
        sockets=int(figures[_SOCKETS, ()]),
        subscriptions=int(sum(value for (name, _), value in figures.items() if name == _SUBSCRIPTIONS)),
    )


async def at_rest(stand: Stand, *, since: float | None = None) -> tuple[Gauges, float]:
    """What is still taken and open once nothing is, or after `REST_SECONDS`; and how many seconds that is after
    `since`, by `time.monotonic`, or after now.
    """
    began = time.monotonic() if since is None else since
    seen: list[Gauges] = []

    async def left() -> int:
        seen.append(await gauges(stand))
        return seen[-1].left

    await left_of(left, seconds=REST_SECONDS)
    return seen[-1], time.monotonic() - began


async def lent_at_rest(addresses: Sequence[str]) -> int:
    """Of the pools of all processes that answer there, the connections that are lent in the end."""

    async def lent() -> int:
        pools = [await pool_of(address) for address in addresses]
        return sum(pool["size"] - pool["idle"] for pool in pools)

    return await left_of(lent)


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
