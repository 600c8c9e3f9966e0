"""A Redis of a test's own, that may be stopped, killed and started again at the same address."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr

from tests.support.deployment import Deployment
from tests.support.polling import wait_until
from tieline.embedded.binaries import redis_program
from tieline.embedded.process import free_port
from tieline.ids import new_id
from tieline.practices.service import NewMember, create_practice
from tieline.principal import Principal, Role
from tieline.settings import Settings


@dataclass
class OwnRedis:
    """`settings` are the shared deployment's, but with this Redis."""

    settings: Settings
    program: Path
    port: int
    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port)

    def start(self) -> None:
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        with (self.folder / "redis.log").open("ab") as log:
            popen = subprocess.Popen([self.program, *arguments], cwd=self.folder, stdout=log, stderr=log)
        self.processes.append(popen)
        wait_until(self._answers, "Redis answers")

    def kill(self) -> None:
        self.processes[-1].kill()
        self.processes[-1].wait()

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


@pytest.fixture
def own_redis(deployment: Deployment, tmp_path: Path) -> Iterator[OwnRedis]:
    """A Redis that runs when the test begins."""
    port = free_port()
    own = SecretStr(f"redis://127.0.0.1:{port}/0")
    settings = deployment.settings.model_copy(update={"redis_url": own})
    made = OwnRedis(settings=settings, program=redis_program(), port=port, folder=tmp_path)
    made.start()
    yield made
    made.kill()


@pytest.fixture
async def principal(opened: Deployment) -> Principal:  # noqa: ARG001 - must be open
    """The admin of a practice of the test's own."""
    first = NewMember(name="The Admin", email="admin@firm.invalid", role=Role.ADMIN)
    made = await create_practice(f"Firm {new_id()}", admin=first)
    return Principal.machine(made.id)
