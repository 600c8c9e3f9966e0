"""A backup as an operator makes one: PostgreSQL's own programs, the login that docs/operations.md makes, a file."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tests.support.deployment import Deployment
from tieline.embedded.binaries import postgres_install


@dataclass(frozen=True, kw_only=True)
class Backup:
    """`login` may read every row; `file` is what was dumped."""

    login: str
    file: Path

    def take(self, source: Deployment) -> None:
        url = urlsplit(source.environment["TIELINE_DATABASE_URL"])
        address = urlunsplit(url._replace(netloc=f"{self.login}:test@{url.hostname}:{url.port}"))
        _run("pg_dump", "--format=custom", f"--file={self.file}", address)

    def restore(self, target: Deployment) -> None:
        address = target.environment["TIELINE_DATABASE_URL"]
        _run("pg_restore", "--exit-on-error", "--no-owner", f"--dbname={address}", str(self.file))


@asynccontextmanager
async def backup_login(deployment: Deployment, name: str, folder: Path) -> AsyncIterator[Backup]:
    """The login, until the block ends."""
    above = await deployment.connect()
    await above.execute(f"CREATE ROLE {name} LOGIN BYPASSRLS PASSWORD 'test'")
    await above.execute(f"GRANT pg_read_all_data TO {name}")
    try:
        yield Backup(login=name, file=folder / "tieline.dump")
    finally:
        await above.execute(f"DROP ROLE {name}")
        await above.close()


def _run(program: str, *arguments: str) -> None:
    ended = subprocess.run(
        [postgres_install() / "bin" / program, *arguments], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
