"""A thread for what keeps the interpreter busy for milliseconds: everybody on the event loop has turns meanwhile.

There is one, so that the loop shares the interpreter with one at most, however much is to be read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aside")


async def aside(work: Callable[P, R], *args: P.args, **more: P.kwargs) -> R:
    """What `work` answers or raises. It touches nothing that the loop changes, unless both hold a lock for that."""
    return await asyncio.get_running_loop().run_in_executor(_THREAD, lambda: work(*args, **more))
