"""Bad starts: one sentence on standard error that says what to do, exit code 1, and never a traceback."""

from __future__ import annotations

import asyncio
import re
import resource
import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.support.blank import blank_deployment
from tests.support.deployment import Deployment, serving, with_path
from tests.support.ports import free_port
from tieline.vault import generate_key

KEY = generate_key("one")
OF_THE_GATEWAY = ("TIELINE_PORT", "TIELINE_ALLOWED_ORIGINS")
SHORT = "one:" + KEY.partition(":")[2][:20]
_LAST = 15
"""Of Redis' databases: from there down each test process has its own here, as the doctor sees who shares it."""

Login = Callable[..., Awaitable[Deployment]]


def refusal(ended: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a start that was refused."""
    said = ended.stderr.strip()
    assert ended.returncode == 1, ended
    assert "Traceback" not in said, said
    assert len(said.splitlines()) == 1, said
    assert said.startswith("tieline: "), said
    assert said.endswith("."), said
    return said.removeprefix("tieline: ")


def without(deployment: Deployment, *names: str) -> Deployment:
    kept = {name: value for name, value in deployment.environment.items() if name not in names}
    return replace(deployment, environment=kept)


def with_no_files_for_callers() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (608, 608))


async def test_a_gateway_that_may_not_open_enough_files_for_one_caller_says_so(
    deployment: Deployment,
) -> None:
    serving_at = {"TIELINE_PORT": str(free_port())}
    ended = await asyncio.to_thread(
        lambda: deployment.run("serve", prepare=with_no_files_for_callers, **serving_at)
    )

    assert refusal(ended) == (
        "A limit of 608 open files leaves no place for connections: "
        "raise it to more than 608, and to 10608 for 10000 connections."
    )


@pytest.fixture
async def login(
    deployment: Deployment, worker_id: str, request: pytest.FixtureRequest
) -> AsyncIterator[Login]:
    """Makes a login with these rights that owns an empty database: a deployment as that login sees it."""
    name = f"tieline_{worker_id}_{abs(hash(request.node.name)) % 10**6}"
    connection = await deployment.connect()

    async def make(rights: str = "", *statements: str) -> Deployment:
        await connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'test' {rights}")
        await connection.execute(f"ALTER DATABASE {name} OWNER TO {name}")
        for statement in statements:
            await connection.execute(statement.format(login=name))
        url = urlsplit(made.environment["TIELINE_DATABASE_URL"])
        address = urlunsplit(url._replace(netloc=f"{name}:test@{url.hostname}:{url.port}"))
        bells = with_path(deployment.redis_url, str(_LAST - int(urlsplit(deployment.redis_url).path[1:])))
        own = {"TIELINE_DATABASE_URL": address, "TIELINE_REDIS_URL": bells}
        return replace(made, environment=made.environment | own)

    async with blank_deployment(deployment, name) as made:
        yield make
    await connection.execute(f"DROP ROLE IF EXISTS {name}")
    await connection.close()


@pytest.mark.parametrize("command", ["serve", "worker", "migrate"])
def test_a_missing_address_is_named(deployment: Deployment, command: str) -> None:
    ended = without(deployment, "TIELINE_DATABASE_URL").run(command)

    assert "TIELINE_DATABASE_URL" in refusal(ended)


def test_everything_that_is_missing_is_named_at_once(deployment: Deployment) -> None:
    needed = ("TIELINE_DATABASE_URL", "TIELINE_REDIS_URL", "TIELINE_ENCRYPTION_KEYS")

    said = refusal(without(deployment, *needed).run("serve"))

    assert [name for name in needed if name not in said] == []


@pytest.mark.parametrize(
    ("settings", "about"),
    [
        ({"TIELINE_ENCRYPTION_KEYS": ""}, "There is no encryption key"),
        ({"TIELINE_ENCRYPTION_KEYS": SHORT}, "not 32 bytes"),
        ({"TIELINE_ENCRYPTION_KEYS": f"{KEY},{KEY}"}, "each once"),
        ({"TIELINE_DATABASE_URL": "nonsense"}, "TIELINE_DATABASE_URL"),
        ({"TIELINE_DATABASE_URL": "postgres://a:b@localhost:port/c"}, "TIELINE_DATABASE_URL"),
        ({"TIELINE_DATABASE_URL": "postgres://a:b[@localhost/c"}, "TIELINE_DATABASE_URL"),
        ({"TIELINE_DATABASE_URL": "postgres://a:b@localhost:99999/c"}, "TIELINE_DATABASE_URL"),
        ({"TIELINE_DATABASE_URL": "postgres://a:b@localhost/c?sslmode=bogus"}, "sslmode"),
        ({"TIELINE_DATABASE_URL": "postgres://a:b@localhost/c?sslrootcert=x"}, "sslrootcert"),
        ({"TIELINE_DATABASE_URL": "postgres://a:b@localhost/c?sslmode=nonsense"}, "TIELINE_DATABASE_URL"),
        ({"TIELINE_REDIS_URL": "nonsense"}, "TIELINE_REDIS_URL"),
        ({"TIELINE_ENVIRONMENT": "production"}, "TIELINE_CLOCK"),
        ({"TIELINE_DATABASE_POOL_SIZE": "1"}, "TIELINE_DATABASE_POOL_SIZE"),
        ({"TIELINE_PORT": "0"}, "TIELINE_PORT"),
        ({"TIELINE_ALLOWED_ORIGINS": "*"}, "TIELINE_ALLOWED_ORIGINS"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_and_its_secrets_are_not(
    deployment: Deployment, settings: dict[str, str], about: str
) -> None:
    command = "serve" if about in OF_THE_GATEWAY else "scheduler"

    said = refusal(deployment.run(command, prepare=None, **settings))

    assert about in said
    assert KEY.partition(":")[2][:20] not in said
    assert "a:b@" not in said


def test_a_database_that_cannot_be_reached_is_named_without_its_password(deployment: Deployment) -> None:
    port = free_port()
    for command in ("serve", "migrate"):
        said = refusal(
            deployment.run(command, TIELINE_DATABASE_URL=f"postgres://me:hidden@127.0.0.1:{port}/x")
        )

        assert f"127.0.0.1:{port}" in said
        assert "hidden" not in said


def test_a_wrong_password_and_a_database_that_is_not_there_are_said(deployment: Deployment) -> None:
    url = urlsplit(deployment.environment["TIELINE_DATABASE_URL"])
    wrong = urlunsplit(url._replace(netloc=f"tieline:wrong@{url.hostname}:{url.port}"))

    assert "password authentication failed" in refusal(
        deployment.run("scheduler", TIELINE_DATABASE_URL=wrong)
    )
    gone = refusal(
        deployment.run("scheduler", TIELINE_DATABASE_URL=urlunsplit(url._replace(path="/not_there")))
    )
    assert "not_there" in gone


async def test_an_empty_database_is_told_to_be_migrated(login: Login) -> None:
    fresh = await login("CREATEROLE")
    connection = await fresh.connect()
    user = urlsplit(fresh.environment["TIELINE_DATABASE_URL"]).username
    await connection.execute(f"GRANT tieline_app, tieline_system TO {user} WITH INHERIT FALSE, SET TRUE")
    await connection.close()

    assert "run 'tieline migrate'" in refusal(await asyncio.to_thread(fresh.run, "scheduler"))


async def test_a_superuser_is_refused(deployment: Deployment) -> None:
    ended = await asyncio.to_thread(deployment.run, "worker", TIELINE_DATABASE_URL=deployment.admin_url)

    assert "superuser or has BYPASSRLS" in refusal(ended)


async def test_a_login_that_bypasses_row_level_security_is_refused(login: Login) -> None:
    unbound = await login("BYPASSRLS")

    assert "superuser or has BYPASSRLS" in refusal(await asyncio.to_thread(unbound.run, "scheduler"))


async def test_a_login_that_may_not_make_the_roles_is_told_what_an_administrator_must_run(
    login: Login,
) -> None:
    plain = await login()
    assert "lacks the roles" in refusal(await asyncio.to_thread(plain.run, "scheduler"))
    assert "'tieline doctor' prints" in refusal(await asyncio.to_thread(plain.run, "migrate"))

    await run_remedy(plain)

    assert (await asyncio.to_thread(plain.run, "migrate")).returncode == 0
    fine = await asyncio.to_thread(plain.run, "doctor")
    assert (fine.returncode, fine.stderr) == (0, "")
    assert "MEND" not in fine.stdout
    with serving(plain):
        pass


async def test_a_login_that_inherits_the_roles_is_told_what_an_administrator_must_run(login: Login) -> None:
    heir = await login("", "GRANT tieline_app, tieline_system TO {login} WITH INHERIT TRUE, SET TRUE")
    assert "inherits the rights" in refusal(await asyncio.to_thread(heir.run, "scheduler"))

    await run_remedy(heir)

    assert (await asyncio.to_thread(heir.run, "migrate")).returncode == 0
    assert (await asyncio.to_thread(heir.run, "doctor")).returncode == 0


async def run_remedy(deployment: Deployment) -> None:
    """Run the SQL that the doctor prints, as an administrator would."""
    ended = await asyncio.to_thread(deployment.run, "doctor")
    assert (ended.returncode, ended.stderr) == (1, "")
    statements = re.findall(r"^ {6,}(\S.*;)$", ended.stdout, re.MULTILINE)
    assert statements, ended.stdout
    connection = await deployment.connect()
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


def test_a_port_that_is_taken_is_named(deployment: Deployment) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]

        said = refusal(deployment.run("serve", TIELINE_PORT=str(port)))

    assert f"127.0.0.1:{port}" in said
    assert "TIELINE_PORT" in said


def test_a_queue_that_there_is_not_is_a_wrong_use_of_the_command(deployment: Deployment) -> None:
    ended = deployment.run("worker", "--queues", "interactive,nobody")

    assert ended.returncode == 2
    assert "interactive, background" in ended.stderr
    assert "Traceback" not in ended.stderr
