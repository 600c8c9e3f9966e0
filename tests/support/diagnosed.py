"""A deployment that the doctor is called for: nothing else is connected to it, and it may be broken."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.support.blank import migrated_deployment
from tests.support.deployment import Deployment
from tests.support.own_redis import OwnRedis, running_redis
from tests.support.ports import free_port

Found = dict[str, tuple[str, str, list[str]]]


@dataclass(frozen=True)
class Diagnosed:
    """A database and a Redis of its own."""

    deployment: Deployment
    redis: OwnRedis

    def findings(self, *, prepare: Callable[[], None] | None = None, **more: str) -> Found:
        """By what they are about: the grade, what is said, the remedy, which is there unless all is fine."""
        ended = self.deployment.run("doctor", "--json", prepare=prepare, **more)
        assert ended.stderr == "", ended.stderr
        found = json.loads(ended.stdout)
        assert ended.returncode == int(any(each["grade"] == "MEND" for each in found))
        assert [each for each in found if each["grade"] != "ok" and not all(each["remedy"] or [""])] == []
        return {each["what"]: (each["grade"], each["said"], each["remedy"]) for each in found}

    def without(self, *names: str) -> Diagnosed:
        """The same, where these settings are not set."""
        kept = {name: value for name, value in self.deployment.environment.items() if name not in names}
        return replace(self, deployment=replace(self.deployment, environment=kept))


@asynccontextmanager
async def diagnosed(shared: Deployment, name: str, folder: Path) -> AsyncIterator[Diagnosed]:
    """A migrated one that nobody has started yet, until the block ends."""
    async with migrated_deployment(shared, name) as made:
        with running_redis(shared, folder) as bells:
            address = {
                "TIELINE_REDIS_URL": bells.url,
                "TIELINE_PUBLIC_URL": f"http://localhost:{free_port()}",
            }
            yield Diagnosed(replace(made, environment=made.environment | address), bells)
