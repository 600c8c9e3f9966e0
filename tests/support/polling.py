"""Waiting for what other processes do: looked at again and again until a deadline, never slept for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

WAIT_SECONDS = 45.0
_PAUSE_SECONDS = 0.02


async def until(holds: Callable[[], Awaitable[bool]], what: str, *, seconds: float = WAIT_SECONDS) -> None:
    """Look until it holds; fails the test when it does not in time."""
    deadline = time.monotonic() + seconds
    while not await holds():
        assert time.monotonic() < deadline, f"in {seconds:.0f} s it did not come to be that {what}"
        await asyncio.sleep(_PAUSE_SECONDS)


async def left_of(count: Callable[[], Awaitable[int]], *, seconds: float = WAIT_SECONDS) -> int:
    """0 as soon as nothing is left, or what still is at the deadline: for figures, which say how much."""
    deadline = time.monotonic() + seconds
    left = await count()
    while left and time.monotonic() < deadline:
        await asyncio.sleep(_PAUSE_SECONDS)
        left = await count()
    return left


def wait_until(holds: Callable[[], bool], what: str, *, seconds: float = WAIT_SECONDS) -> None:
    """The same outside of an event loop."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"in {seconds:.0f} s it did not come to be that {what}"
        time.sleep(_PAUSE_SECONDS)
