"""Whoever is cancelled closes what it held and had not begun.

The fields of an operation are coroutines within coroutines. Where a task is cancelled before its first step, or before
it gets to what it holds, these are dropped, and the interpreter tells of each, past our log, that it was never awaited.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator, Iterable, Mapping
from inspect import CORO_CREATED, getcoroutinelocals, getcoroutinestate, iscoroutine
from traceback import walk_tb
from typing import Any, TypeGuard


def close_what_never_began() -> None:
    """Tasks that the running event loop makes from now on do, where they are cancelled before their first step."""
    asyncio.get_running_loop().set_task_factory(_made)


def close_what_was_held(cancelled: BaseException) -> None:
    """Where this came by, below who calls: nothing goes on there."""
    traceback = cancelled.__traceback__
    for frame, _ in walk_tb(traceback and traceback.tb_next):
        _close(_held(frame.f_locals))


class _Closing(asyncio.Task[Any]):
    def cancel(self, msg: Any | None = None) -> bool:
        coroutine = self.get_coro()
        if not self.done() and _never_began(coroutine):
            held = _held(getcoroutinelocals(coroutine))
            self.add_done_callback(lambda _: _close(held))
        return super().cancel(msg)


def _made(
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
    **more: Any,
) -> _Closing:
    return _Closing(coroutine, loop=loop, **more)


def _close(held: Iterable[Any]) -> None:
    for value in held:
        if _never_began(value):
            within = _held(getcoroutinelocals(value))
            value.close()
            _close(within)


def _held(variables: Mapping[str, Any]) -> list[Any]:
    return [member for value in variables.values() for member in _members(value)]


def _members(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list | tuple) else (value,)


def _never_began(value: Any) -> TypeGuard[Coroutine[Any, Any, Any]]:
    return iscoroutine(value) and getcoroutinestate(value) == CORO_CREATED
