"""Where plugins are called: nobody waits for one longer than it may take, and what it raises goes no further.

Whoever calls a plugin catches RAISED. What takes time is asked for by `within`, in a task of its own: late, it is
cancelled, and what swallows that is left to itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from tieline.log import get_logger
from tieline.plugins.contract import Provider
from tieline.plugins.session import Session

RAISED = (Exception, SystemExit, KeyboardInterrupt)  # let out of a task, the last two end its event loop
STOP_SECONDS = 5.0

T = TypeVar("T")

_asked: set[asyncio.Task[object]] = set()
_log = get_logger(__name__)


class Late(Exception):
    """The plugin took too long; `is_left`: it swallowed its cancellation too, and goes on by itself."""

    def __init__(self, *, is_left: bool) -> None:
        super().__init__()
        self.is_left = is_left


class CancelledItself(Exception):
    """The plugin let a cancellation out that nobody had asked for."""


@dataclass(frozen=True, slots=True)
class _Outcome(Generic[T]):
    answer: T


async def within(
    seconds: float, provider: Provider, session: Session, asking: Callable[[], Awaitable[T]]
) -> T:
    """What the plugin answers. Raises Late, CancelledItself and whatever the plugin raises.

    What is left to itself makes no further calls.
    """
    task = asyncio.create_task(_outcome(asking))
    _asked.add(task)
    task.add_done_callback(_asked.discard)
    try:
        await asyncio.wait((task,), timeout=seconds)
        is_late = not task.done()
    finally:
        await _end(task, provider, session)
    if is_late:
        raise Late(is_left=not task.done())
    if task.cancelled():
        raise CancelledItself
    outcome = task.result()
    if isinstance(outcome, _Outcome):
        return outcome.answer
    raise outcome


async def _outcome(asking: Callable[[], Awaitable[T]]) -> _Outcome[T] | BaseException:
    try:
        return _Outcome(await asking())
    except RAISED as error:
        return error


async def _end(task: asyncio.Task[object], provider: Provider, session: Session) -> None:
    """Cancel it if it is still under way, and wait for it a moment."""
    if task.done():
        return
    task.cancel()
    try:
        await asyncio.wait((task,), timeout=STOP_SECONDS)
    finally:
        if not task.done():
            session.end()
            _log.error("plugin.left", provider=provider.info.slug)
