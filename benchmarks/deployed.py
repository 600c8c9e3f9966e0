"""A deployment to measure at: servers and a database of its own, and a gateway as operators run it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx

from tests.support.deployment import Deployment, Gateway, environment_of, make_database, serving, with_path
from tieline import database
from tieline.embedded import default_data_folder, embedded_servers
from tieline.lifespan import ready
from tieline.practices import service
from tieline.practices.keys import issue_key
from tieline.practices.service import NewMember
from tieline.principal import Role

_NAME = "tieline_bench"
_AS_OPERATORS_DO = {"TIELINE_CLOCK": "real", "PYTHONWARNINGS": ""}
_NOT_AS_TESTS_DO = ("TIELINE_RATE_COST", "TIELINE_RATE_ADDRESS", "TIELINE_SOCKETS_PER_CALLER")


@asynccontextmanager
async def deployed() -> AsyncIterator[Deployment]:
    """Migrated, and open in this process, too."""
    with _folder() as folder, embedded_servers(default_data_folder(folder)) as servers:
        assert servers.admin_url is not None
        assert servers.database_url is not None
        assert servers.redis_url is not None
        above = await make_database(servers.admin_url, _NAME)
        login = with_path(servers.database_url, _NAME)
        environment = environment_of(database_url=login, redis_url=servers.redis_url) | _AS_OPERATORS_DO
        for name in _NOT_AS_TESTS_DO:
            del environment[name]
        made = Deployment(environment=environment, admin_url=above, redis_url=servers.redis_url, logs=folder)
        await database.migrate(made.settings)
        async with ready(made.settings):
            yield made


@contextmanager
def gateway_of(deployment: Deployment) -> Iterator[Gateway]:
    with serving(deployment, TIELINE_PORT=str(deployment.public_port)) as running:
        yield running


async def keys_of_a_practice(people: int) -> list[str]:
    """A practice of so many admins; a key of each."""
    admins = [NewMember(name=f"Admin {n}", email=f"{n}@firm.invalid", role=Role.ADMIN) for n in range(people)]
    made = await service.create_practice("Firm", admin=admins[0])
    ids = [made.admin_id, *[await service.add_member(made.id, admin) for admin in admins[1:]]]
    issued = [await issue_key(made.id, name="bench", person_id=one) for one in ids]
    return [one.secret.reveal() for one in issued]


async def ask(gateway: Gateway, key: str, query: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=60) as http:
        answer = await http.post(
            gateway.graphql, json={"query": query}, headers={"authorization": f"Bearer {key}"}
        )
    assert "errors" not in answer.json(), answer.text
    return answer


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="tieline-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(default_data_folder(folder), ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
