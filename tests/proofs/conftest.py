"""What proofs share: time that they move, processes that refresh, figures that are printed after a full run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeAlias

import pytest

from tests.proofs.refreshers import Refreshers, refreshers
from tests.support.deployment import Deployment
from tests.support.figures import Figures, is_full, summary
from tests.support.sandbox import Sandbox

PassTime: TypeAlias = Callable[[timedelta], Awaitable[None]]

IS_FULL = is_full("proofs")
_counted: list[Figures] = []


@pytest.fixture
def figures() -> Figures:
    """The figures of one proof; those of all of them are printed together."""
    made = Figures(full=IS_FULL)
    _counted.append(made)
    return made


@pytest.fixture
async def forking(opened: Deployment) -> AsyncIterator[Refreshers]:
    async with refreshers(opened) as made:
        yield made


@pytest.fixture
async def pass_time(clock: Any, sandbox: Sandbox) -> PassTime:
    """Calendar time goes on, for us and for the providers."""

    async def both(by: timedelta) -> None:
        await asyncio.gather(clock(by), sandbox.move_clock(by.total_seconds()))

    return both


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if IS_FULL:
        for line in summary(_counted):
            terminalreporter.write_line(line)
