"""Hints of this process: whether they reach it, and who tells them patiently."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.patience import TELLING, wait_long
from tests.support.polling import until
from tieline.live.watchers import WATCHERS


async def hearing(*, wanted: bool = True) -> None:
    """Wait until it is so, or until it is known that it is not."""

    async def holds() -> bool:
        return WATCHERS._hearing is wanted

    await until(holds, "hints arrive" if wanted else "it is known that no hints arrive")


@contextmanager
def all_told() -> Iterator[None]:
    """Until the block ends, no hint of this process is given up because Redis takes its time."""
    with pytest.MonkeyPatch.context() as patched:
        wait_long(patched, *TELLING)
        yield
