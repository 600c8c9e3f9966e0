"""A PostgreSQL of a test's own, that may be stopped at once and started again at the same address, and loses nothing.

The session's PostgreSQL is not durable: stopped at once it forgets the last half a second, and a test would blame us.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.ports import free_port
from tieline.embedded import default_data_folder, embedded_servers, folder
from tieline.embedded import postgres as pg
from tieline.embedded.binaries import postgres_install, usable_install
from tieline.embedded.process import Server, Start


@dataclass
class OwnPostgres:
    """`database_url` is the product's login, `admin_url` the superuser's."""

    start_of: Start = field(repr=False)
    program: Path
    port: int
    servers: list[Server] = field(default_factory=list, repr=False)

    @property
    def database_url(self) -> str:
        return self._url(pg.LOGIN, self.start_of.passwords.tieline, pg.DATABASE)

    @property
    def admin_url(self) -> str:
        return self._url(pg.ADMIN, self.start_of.passwords.admin, pg.ADMIN)

    def start(self) -> None:
        """It is ready when this returns."""
        self._pid_file.unlink(missing_ok=True)
        server = pg._begin(self.program, self.port, self.start_of)
        self.servers.append(server)
        server.wait_until(lambda: pg._is_ready(self.start_of.data, self.port))

    def stop_at_once(self) -> None:
        """All connections break off, and what was under way is not ended: the next start recovers from its log."""
        with self.servers[-1].process as process:
            os.kill(int(self._pid_file.read_text().splitlines()[0]), signal.SIGQUIT)
            process.wait()

    def restart(self) -> None:
        self.stop_at_once()
        self.start()

    @property
    def _pid_file(self) -> Path:
        return pg.cluster(self.start_of.data) / "postmaster.pid"

    def _url(self, login: str, password: str, database: str) -> str:
        return f"postgres://{login}:{password}@127.0.0.1:{self.port}/{database}"


@contextmanager
def running_postgres(base: Path) -> Iterator[OwnPostgres]:
    """It runs when the block begins, and no longer than that; nothing is left of it then."""
    data = default_data_folder(base)
    try:
        with embedded_servers(data, redis=False):
            pass  # its cluster is made and set up
        account = folder.unprivileged_account()
        with folder.locked(data) as lock:
            made = OwnPostgres(
                start_of=Start(
                    data=data,
                    lock=lock,
                    account=account,
                    passwords=folder.passwords(data, may_make=False),
                    durable=True,
                    progress=lambda _: None,
                ),
                program=usable_install(postgres_install(), data, account) / "bin" / "postgres",
                port=free_port(),
            )
            made.start()
            try:
                yield made
            finally:
                made.servers[-1].stop()
    finally:
        shutil.rmtree(data, ignore_errors=True)
