"""What stories of faults share: stands to strike at, and figures that are printed after a full run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.chaos.seeds import SEED
from tests.chaos.sizes import IS_FULL
from tests.chaos.stand import ANSWER_SECONDS, NOTHING_KEPT, Stand, standing
from tests.sign_ins.conftest import sandbox_url
from tests.support.deployment import Deployment, make_database, with_path
from tests.support.figures import Figures, summary
from tests.support.own_postgres import running_postgres
from tests.support.sandbox import Sandbox

__all__ = ["sandbox_url"]

_counted: list[Figures] = []


@pytest.fixture
def figures() -> Figures:
    """The figures of one story; those of all of them are printed together."""
    made = Figures(full=IS_FULL)
    _counted.append(made)
    return made


@pytest.fixture
async def sandbox(sandbox_url: str) -> AsyncIterator[Sandbox]:
    """As it is at its beginning. No connection is kept: a busy server closes one at the moment it is used again."""
    async with httpx.AsyncClient(timeout=ANSWER_SECONDS, limits=NOTHING_KEPT) as http:
        made = Sandbox(url=sandbox_url, http=http)
        await made.control("POST", "/reset")
        yield made


@pytest.fixture
async def stand(
    deployment: Deployment, worker_id: str, sandbox: Sandbox, tmp_path: Path
) -> AsyncIterator[Stand]:
    """One with a database of its own in the session's server."""
    name = f"tieline_stand_{worker_id}"
    above = await make_database(deployment.admin_url, name, template=deployment.migrated)
    login = with_path(deployment.environment["TIELINE_DATABASE_URL"], name)
    async with standing(tmp_path, sandbox, database_url=login, admin_url=above) as made:
        yield made


@pytest.fixture
async def durable_stand(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[Stand]:
    """One with a PostgreSQL of its own, which may be stopped at once."""
    with running_postgres(tmp_path) as own:
        above = with_path(own.admin_url, "tieline")
        async with standing(
            tmp_path, sandbox, database_url=own.database_url, admin_url=above, postgres=own
        ) as made:
            migrating = made.deployment.run("migrate")
            assert migrating.returncode == 0, migrating.stderr
            yield made


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if IS_FULL:
        for line in summary(_counted, f"CHAOS_SEED={SEED}"):
            terminalreporter.write_line(line)
