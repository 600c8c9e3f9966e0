"""What a caller's documents may cost: a person's together, whatever keys it calls with, and a service's by its key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from tieline import rates
from tieline.rates import Rate
from tieline_gateway.graphql.context import Context
from tieline_gateway.settings import GatewaySettings

KIND = "cost"

BEGINNING_COST = 5_000
"""What it costs to begin a sign-in or to accept an invitation: by default ten a second, and 600 at once."""


def spending(gateway: GatewaySettings) -> Callable[[Context, int], Awaitable[timedelta | None]] | None:
    """What counts an operation of this cost, and says how long to wait instead; None where it is switched off."""
    if not gateway.rate_cost:
        return None
    rate = Rate(per_second=gateway.rate_cost, burst=gateway.rate_burst)

    async def spends(context: Context, cost: int) -> timedelta | None:
        return await rates.spend(KIND, await context.caller(), cost, rate)

    return spends
