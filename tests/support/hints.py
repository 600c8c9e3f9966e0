"""Hints of this process: whether they reach it, and who tells them patiently."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import pytest

from tests.support.polling import WAIT_SECONDS, until
from tieline.live.watchers import WATCHERS

_TELLING = import_module("tieline.live.telling")  # the package's attribute of this name is the function


async def hearing(*, wanted: bool = True) -> None:
    """Wait until it is so, or until it is known that it is not."""

    async def holds() -> bool:
        return WATCHERS._hearing is wanted

    await until(holds, "hints arrive" if wanted else "it is known that no hints arrive")


@contextmanager
def all_told() -> Iterator[None]:
    """Until the block ends, no hint of this process is given up because Redis takes its time."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_TELLING, "ANSWER_SECONDS", WAIT_SECONDS)
        yield
