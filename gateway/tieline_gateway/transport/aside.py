"""A thread for what keeps the interpreter busy for milliseconds: everybody on the event loop has turns meanwhile.

There is one, so that the loop shares the interpreter with one at most, however much is to be read. Callers take turns
with it: whoever has much to be read waits for itself, and everybody else for one reading of each other caller at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ParamSpec, TypeVar

from tieline_gateway.transport.errors import RequestRefused

P = ParamSpec("P")
R = TypeVar("R")

THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aside")

MOST = 200
"""So many readings are held together, and one more of each caller that has none there."""

MOST_OF_ONE = 50
"""So many are one caller's."""

_RETRY = timedelta(seconds=1)


@dataclass(kw_only=True)
class _Own:
    """What one caller has there: the lock is held by its reading that waits for the thread, or is in it."""

    next: asyncio.Lock = field(default_factory=asyncio.Lock)
    held: int = 0


class Aside:
    """Whose reading comes next. All use one thread; it belongs to one event loop."""

    def __init__(self, *, most: int = MOST, most_of_one: int = MOST_OF_ONE) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._held = 0
        self._callers: dict[str, _Own] = {}
        self._turn = asyncio.Lock()

    async def __call__(self, who: str, work: Callable[P, R], *args: P.args, **more: P.kwargs) -> R:
        """What `work` answers or raises. Raises `RequestRefused` where this caller has too much there already.

        It touches nothing that the loop changes, unless both hold a lock for that.
        """
        with self._place(who) as own:
            async with own.next, self._turn:
                return await _done(lambda: work(*args, **more))

    @contextmanager
    def _place(self, who: str) -> Iterator[_Own]:
        own = self._callers.setdefault(who, _Own())
        if own.held >= self._most_of_one or (own.held and self._held >= self._most):
            raise RequestRefused.for_a_while(_RETRY)
        own.held += 1
        self._held += 1
        try:
            yield own
        finally:
            own.held -= 1
            self._held -= 1
            if not own.held:
                del self._callers[who]


async def _done(work: Callable[[], R]) -> R:
    """A caller that leaves keeps its turn until the thread is done with it: nothing else could begin before that."""
    begun = THREAD.submit(work)
    done = asyncio.wrap_future(begun)
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        if not begun.cancel():
            await asyncio.wait({done})
        raise
    finally:
        del begun, done  # what it raised holds this frame, which would hold it
