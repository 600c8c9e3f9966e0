"""Trying a whole service call again when two callers met: a transaction's body runs once, a function can run anew."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from tieline.errors import Busy

P = ParamSpec("P")
R = TypeVar("R")

_TRIES = 3
_PAUSE_SECONDS = 0.02


def retrying(function: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Run the function again when it ends in Busy, at most three times in all, with a jittered pause between."""

    @wraps(function)
    async def tried(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, _TRIES):
            try:
                return await function(*args, **kwargs)
            except Busy:
                await asyncio.sleep(random.uniform(0.5, 1.5) * _PAUSE_SECONDS * attempt)  # noqa: S311 - jitter
        return await function(*args, **kwargs)

    return tried
