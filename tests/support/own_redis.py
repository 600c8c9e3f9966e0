"""A Redis of a test's own, that may be stopped, killed and started again at the same address."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis
from pydantic import SecretStr

from tests.support.deployment import Deployment
from tests.support.polling import wait_until
from tests.support.ports import free_port
from tieline.embedded import guard
from tieline.embedded.binaries import redis_program
from tieline.settings import Settings


@dataclass
class OwnRedis:
    """`settings` are the shared deployment's, but with this Redis."""

    settings: Settings
    program: Path
    port: int
    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.settings.redis_url.get_secret_value()

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port)

    def start(self) -> None:
        """On Linux it ends with the thread that starts it, so that a run which is killed leaves none behind."""
        command = [str(self.program), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        order: guard.Order = {
            "command": command,
            "parent": os.getpid(),
            "stay": False,
            "account": None,
            "steps": [(signal.SIGKILL, 0)],
        }
        tied = [sys.executable, "-I", "-S", guard.__file__, json.dumps(order)]
        with (self.folder / "redis.log").open("ab") as log:
            popen = subprocess.Popen(tied, cwd=self.folder, stdout=log, stderr=log)
        self.processes.append(popen)
        wait_until(self._answers, "Redis answers")

    def kill(self) -> None:
        self.processes[-1].kill()
        self.processes[-1].wait()

    def freeze(self) -> None:
        """From here on it takes connections and what is sent, and answers nothing."""
        self.processes[-1].send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.processes[-1].send_signal(signal.SIGCONT)

    def has_answered(self) -> None:
        """Block until it has answered all that it was asked before: it deals with one thing after the other."""
        with self.client() as client:
            client.ping()

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


@contextmanager
def running_redis(deployment: Deployment, folder: Path) -> Iterator[OwnRedis]:
    """It runs when the block begins, and no longer than that."""
    port = free_port()
    own = SecretStr(f"redis://127.0.0.1:{port}/0")
    settings = deployment.settings.model_copy(update={"redis_url": own})
    made = OwnRedis(settings=settings, program=redis_program(), port=port, folder=folder)
    made.start()
    try:
        yield made
    finally:
        made.kill()
