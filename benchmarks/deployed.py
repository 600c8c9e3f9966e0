"""A deployment to measure at: servers, a database and an issuer of its own, and a gateway as operators run it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx

from tests.support.deployment import Deployment, Gateway, environment_of, make_database, serving, with_path
from tests.support.issuer import AUDIENCE, KNOWN_AS, IssuerServer, running_issuer
from tieline import clock, database
from tieline.embedded import default_data_folder, embedded_servers
from tieline.ids import PersonId
from tieline.lifespan import ready
from tieline.practices import service
from tieline.practices.keys import issue_key
from tieline.practices.service import NewMember
from tieline.principal import Role

_NAME = "tieline_bench"
_AS_OPERATORS_DO = {"TIELINE_CLOCK": "real", "PYTHONWARNINGS": ""}
_TOKENS_LIVE = timedelta(days=1)
_NOT_AS_TESTS_DO = ("TIELINE_RATE_COST", "TIELINE_RATE_ADDRESS", "TIELINE_SOCKETS_PER_CALLER")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A deployment, and the issuer of tokens that it trusts."""

    deployment: Deployment
    issuer: IssuerServer


@asynccontextmanager
async def deployed() -> AsyncIterator[Measured]:
    """Migrated, and open in this process, too."""
    with (
        _folder() as folder,
        embedded_servers(default_data_folder(folder)) as servers,
        running_issuer() as issuer,
    ):
        assert servers.admin_url is not None
        assert servers.database_url is not None
        assert servers.redis_url is not None
        above = await make_database(servers.admin_url, _NAME)
        login = with_path(servers.database_url, _NAME)
        environment = environment_of(database_url=login, redis_url=servers.redis_url) | _AS_OPERATORS_DO
        environment |= {"TIELINE_OIDC_ISSUER": issuer.url, "TIELINE_OIDC_AUDIENCE": AUDIENCE}
        for name in _NOT_AS_TESTS_DO:
            del environment[name]
        made = Deployment(environment=environment, admin_url=above, redis_url=servers.redis_url, logs=folder)
        await database.migrate(made.settings)
        async with ready(made.settings):
            yield Measured(deployment=made, issuer=issuer)


@contextmanager
def gateway_of(deployment: Deployment) -> Iterator[Gateway]:
    with serving(deployment, TIELINE_PORT=str(deployment.public_port)) as running:
        yield running


async def bearers_of_a_practice(measured: Measured, people: int) -> list[str]:
    """A practice of so many admins: one comes with a key, as programs do, the next with a token, as in a browser."""
    admins = [NewMember(name=f"Admin {n}", email=f"{n}@firm.invalid", role=Role.ADMIN) for n in range(people)]
    made = await service.create_practice("Firm", admin=admins[0])
    ids = [made.admin_id, *[await service.add_member(made.id, admin) for admin in admins[1:]]]
    issued = {one: await issue_key(made.id, name="bench", person_id=one) for one in ids[::2]}
    bearers = {one: key.secret.reveal() for one, key in issued.items()}
    bearers |= await _tokens_of(measured, ids[1::2])
    return [bearers[one] for one in ids]


async def _tokens_of(measured: Measured, people: Sequence[PersonId]) -> dict[PersonId, str]:
    """An access token of each, who are known to the issuer from here on."""
    issuer, until = measured.issuer, int((clock.now() + _TOKENS_LIVE).timestamp())
    above = await measured.deployment.connect()
    try:
        await above.executemany(KNOWN_AS, [(one, issuer.url, f"auth0|{one}") for one in people])
    finally:
        await above.close()
    return {one: issuer.token(f"auth0|{one}", exp=until) for one in people}


async def ask(gateway: Gateway, bearer: str, query: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=60) as http:
        answer = await http.post(
            gateway.graphql, json={"query": query}, headers={"authorization": f"Bearer {bearer}"}
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
