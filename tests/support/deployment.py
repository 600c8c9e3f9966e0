"""One deployment for one test process: a database and a Redis database of its own, and Tieline's processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx

from tests.support.forked import Forked, run_forked
from tests.support.ports import free_port
from tests.support.processes import assert_unbroken
from tieline.settings import Settings, load_settings
from tieline.vault import generate_key

WAIT_SECONDS = 45.0
RUN_SECONDS = 180.0  # the longest command is the story
_ONE_ROUND = "SELECT set_config(name, '1', false) FROM pg_settings WHERE name = 'scram_iterations'"
_LOOKED_UP = frozenset({"up"})
"""Commands whose processes are looked up in the process list, so they begin as a person's do."""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """`environment` is what its processes are started with; `admin_url` is for looking in from above.

    `migrated` is the name of a database with this version's tables and nothing in them, to make others from.
    """

    environment: dict[str, str] = field(repr=False)
    admin_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    logs: Path
    migrated: str = "template1"

    @property
    def public_port(self) -> int:
        """Where browsers and providers find the deployment's gateway."""
        return int(self.environment["TIELINE_PUBLIC_URL"].rpartition(":")[2])

    @property
    def settings(self) -> Settings:
        with _environment(self.environment):
            return load_settings()

    def at(self, name: str) -> Deployment:
        """The same on the database of this name."""
        address = with_path(self.environment["TIELINE_DATABASE_URL"], name)
        environment = self.environment | {"TIELINE_DATABASE_URL": address}
        return replace(self, environment=environment, admin_url=with_path(self.admin_url, name))

    async def connect(self) -> asyncpg.Connection:
        """A superuser's connection to this database: row-level security does not bind it."""
        return await asyncpg.connect(self.admin_url)

    def run(
        self, *arguments: str, prepare: Callable[[], None] | None = None, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of `tieline` to its end; `prepare`, a function of a module, is called in its process first."""
        if arguments[0] not in _LOOKED_UP:
            return run_forked(arguments, self.environment | more, seconds=RUN_SECONDS, prepare=prepare)
        return subprocess.run(
            [sys.executable, "-m", "tieline", *arguments],
            env=self.environment | more,
            capture_output=True,
            text=True,
            check=False,
            timeout=RUN_SECONDS,
        )

    def start(self, *arguments: str, prepare: Callable[[], None] | None = None, **more: str) -> Process:
        """Start a command of `tieline` that stays."""
        return self.begin(arguments, more, prepare=prepare)

    def begin(
        self,
        arguments: Sequence[str],
        more: dict[str, str],
        *,
        prepare: Callable[[], None] | None = None,
    ) -> Process:
        """The same; `prepare`, a function of a module, is called in the process before the command is."""
        log = self.logs / f"{'-'.join(arguments)}-{time.monotonic_ns()}.log"
        log.touch()
        environment = self.environment | more
        if arguments[0] not in _LOOKED_UP:
            forked = Forked(
                arguments, environment, said=Path(os.devnull), output=log, errors=log, prepare=prepare
            )
            return Process(popen=forked, log=log)
        if prepare is not None:
            raise ValueError(f"nothing can be prepared in a process of '{arguments[0]}'")
        with log.open("wb") as output:
            popen = subprocess.Popen(
                [sys.executable, "-m", "tieline", *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return Process(popen=popen, log=log)


@dataclass(frozen=True, kw_only=True)
class Process:
    """A running command and what it logged."""

    popen: subprocess.Popen[bytes]
    log: Path

    def logged(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, text: str, *, seconds: float = WAIT_SECONDS) -> None:
        """Wait until this stands in the log."""
        deadline = time.monotonic() + seconds
        while True:
            is_over = self.popen.poll() is not None or time.monotonic() > deadline
            if text in self.logged():  # read after that is known: its last words count
                return
            assert not is_over, f"{text!r} did not come: {self.logged()}"
            time.sleep(0.02)

    def assert_unbroken(self) -> None:
        """No code of ours broke off in it so far."""
        assert_unbroken(self.logged())

    def kill(self) -> None:
        """End it as a crash would."""
        self.popen.kill()
        self.popen.wait()

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
        try:
            return self.popen.wait(timeout=30)
        finally:
            self.popen.kill()


@contextmanager
def serving(
    deployment: Deployment, prepare: Callable[[], None] | None = None, /, **more: str
) -> Iterator[Gateway]:
    """A gateway on a port of its own, until the block ends; a traceback in its log fails the test."""
    port = int(more.setdefault("TIELINE_PORT", str(free_port())))
    process = deployment.start("serve", prepare=prepare, **more)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url, process)
        yield Gateway(url=url, process=process)
        assert process.stop() == 0, process.logged()
        process.assert_unbroken()
    finally:
        process.kill()


def wait_until_ready(url: str, process: Process) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            if httpx.get(f"{url}/readyz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        if process.popen.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"the gateway did not become ready: {process.logged()}")
        time.sleep(0.05)


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """A running gateway: `url` without a slash at the end."""

    url: str
    process: Process

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def graphql(self) -> str:
        return f"{self.url}/graphql"

    @property
    def socket(self) -> str:
        return f"{self.graphql.replace('http', 'ws', 1)}"


async def make_database(
    admin_url: str, name: str, *, owner: str = "tieline", template: str = "template1"
) -> str:
    """A fresh database of this name, as the template is; its superuser's address."""
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}" OWNER "{owner}" TEMPLATE "{template}"')
    finally:
        await connection.close()
    return with_path(admin_url, name)


async def make_logins_cheap(admin_url: str, *others: str) -> None:
    """Let one round of hashing prove these logins: thousands of rounds are for passwords that people choose.

    Servers before PostgreSQL 16 know no other number, and go on as they do.
    """
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute(_ONE_ROUND)
        for login in map(urlsplit, (admin_url, *others)):
            order = "SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)"
            await connection.execute(await connection.fetchval(order, login.username, login.password))
    finally:
        await connection.close()


def with_path(url: str, path: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{path}"))


def environment_of(*, database_url: str, redis_url: str) -> dict[str, str]:
    """What a deployment's processes are started with, on top of a bare environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TIELINE_")}
    return kept | {
        "TIELINE_ENVIRONMENT": "development",
        "TIELINE_DATABASE_URL": database_url,
        "TIELINE_REDIS_URL": redis_url,
        "TIELINE_ENCRYPTION_KEYS": generate_key("test"),
        "TIELINE_CLOCK": "movable",
        "TIELINE_SCHEDULER_INTERVAL": "0.2",
        "TIELINE_ALLOWED_ORIGINS": "https://app.example",
        "TIELINE_PUBLIC_URL": f"http://localhost:{free_port()}",
        "TIELINE_RATE_COST": "0",  # tests ask much in a short time; those of the limits set them
        "TIELINE_RATE_ADDRESS": "0",
        "TIELINE_SOCKETS_PER_CALLER": "0",
        "PYTHONWARNINGS": "default",
    }


@contextmanager
def _environment(wanted: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
