"""`tieline doctor`: what it finds in a deployment, how grave that is, and what it says to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.support.deployment import Deployment, serving
from tests.support.diagnosed import Diagnosed, diagnosed
from tests.support.ports import free_port
from tieline.ids import new_id
from tieline.vault import Place, Secret, Vault, generate_key

PRACTICE = ("practice", "create", "A Practice", "--admin-name", "Ada", "--admin-email", "ada@firm.invalid")
ALL = (
    "settings",
    "encryption keys",
    "plugins",
    "public address",
    "Redis",
    "PostgreSQL",
    "connections",
    "login and roles",
    "schema",
    "jobs",
    "syncs",
    "seals",
    "apps",
    "tokens",
    "connections of clients",
    "processes",
)


@pytest.fixture(scope="module")
async def own(
    deployment: Deployment, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Diagnosed]:
    folder = tmp_path_factory.mktemp("redis")
    async with diagnosed(deployment, f"tieline_doctor_{worker_id}", folder) as made:
        yield made


@contextmanager
def running(own: Diagnosed, *commands: tuple[str, ...]) -> Iterator[None]:
    """These commands that stay, until the block ends."""
    with ExitStack() as stack:
        for command in commands:
            process = own.deployment.start(*command)
            stack.callback(process.kill)
            process.wait_for(f"{command[0]}.started")
        yield


def test_a_deployment_that_nobody_has_started_yet_is_fine_and_is_told_what_to_start(own: Diagnosed) -> None:
    found = own.findings()

    assert tuple(found) == ALL
    assert {what: grade for what, (grade, _, _) in found.items() if grade != "ok"} == {
        "public address": "LOOK",
        "processes": "LOOK",
    }
    others = (
        "'tieline scheduler', 'tieline worker --queues interactive', 'tieline worker --queues background'"
    )
    assert found["processes"] == (
        "LOOK",
        "none is connected",
        [f"Start 'tieline serve', {others}: one of each at least has to run."],
    )
    assert found["seals"] == ("ok", "0 secrets, all of them open, by test", [])


def test_for_people_each_finding_is_a_line_and_so_is_each_remedy(own: Diagnosed) -> None:
    ended = own.deployment.run("doctor")

    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert lines[:2] == [
        "ok    settings: all that is needed is set",
        "ok    encryption keys: 1 key in the ring",
    ]
    assert lines[-2] == "LOOK  processes: none is connected"
    assert lines[-1].startswith("      Start 'tieline serve', ")


def test_processes_that_are_missing_beside_others_are_named_and_seen_once_they_run(own: Diagnosed) -> None:
    with serving(own.deployment, TIELINE_PORT=str(own.deployment.public_port)):
        alone = own.findings()
        refused = own.deployment.run("doctor", "--after-restore", "--yes")
        with running(own, ("scheduler",), ("worker", "--queues", "interactive"), ("worker",)):
            whole = own.findings()

    assert alone["processes"][:2] == ("MEND", "1 serve")
    assert alone["processes"][2][0].startswith("Start 'tieline scheduler', 'tieline worker")
    assert alone["public address"] == ("ok", f"http://localhost:{own.deployment.public_port} answers", [])
    assert refused.returncode == 1
    assert "Processes of Tieline are connected (serve " in refused.stderr
    assert refused.stderr.endswith("): stop them, then call this again.\n")
    said = "1 scheduler, 1 serve, 1 worker background and interactive, 1 worker interactive"
    assert whole["processes"] == ("ok", said, [])
    assert {grade for grade, _, _ in whole.values()} == {"ok"}


def test_a_redis_that_does_not_answer_is_to_be_mended_and_the_rest_is_looked_at(own: Diagnosed) -> None:
    found = own.findings(TIELINE_REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")

    remedy = "Check TIELINE_REDIS_URL and that the server runs; until it answers, jobs wait."
    assert found["Redis"] == ("MEND", "does not answer", [remedy])
    assert tuple(found) == ALL


def test_a_redis_that_is_full_or_may_evict_is_told_from_one_that_is_away(own: Diagnosed) -> None:
    with own.redis.client() as client:
        try:
            client.config_set("maxmemory", "1")
            full = own.findings()["Redis"]
            client.config_set("maxmemory", "1gb")
            client.config_set("maxmemory-policy", "allkeys-lru")
            evicting = own.findings()["Redis, memory"]
        finally:
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("maxmemory", "0")

    assert full[0] == "MEND"
    assert full[1].startswith(
        "answers, but takes nothing: command not allowed when used memory > 'maxmemory'"
    )
    assert evicting[0] == "LOOK"
    assert evicting[2] == ["Set maxmemory-policy to noeviction, for Tieline's server at least."]


def test_a_login_of_redis_with_few_rights_serves_and_a_wrong_one_is_told_from_a_server_that_is_away(
    own: Diagnosed,
) -> None:
    few = ("on", ">word", "~*", "&*", "+@all", "-info", "-client|list")
    with own.redis.client() as client:
        client.execute_command("ACL", "SETUSER", "narrow", *few)

    let_in, wrong = (
        own.findings(TIELINE_REDIS_URL=own.redis.url.replace("redis://", f"redis://narrow:{word}@"))
        for word in ("word", "another")
    )

    assert let_in["Redis"] == ("ok", "answers, version unknown", [])
    assert let_in["processes"][:2] == ("LOOK", "none to be seen, and Redis does not list its clients")
    assert wrong["Redis"][:2] == ("MEND", "does not let Tieline in")


def test_an_issuer_without_keys_is_to_be_mended(own: Diagnosed) -> None:
    issuer = f"http://localhost:{free_port()}"

    grade, said, _ = own.findings(TIELINE_OIDC_ISSUER=issuer, TIELINE_OIDC_AUDIENCE="us")["issuer of tokens"]

    assert (grade, said) == ("MEND", f"{issuer} publishes no keys that can be read")


async def test_what_is_late_broken_or_unreadable_is_found_with_its_remedy(own: Diagnosed) -> None:
    created = await asyncio.to_thread(own.deployment.run, *PRACTICE)
    assert created.returncode == 0, created.stderr
    above = await own.deployment.connect()
    try:
        await _break(above, own.deployment.settings.vault)
        found = await asyncio.to_thread(own.findings)
        await above.execute("UPDATE practice SET syncs_paused_at = $1", datetime.now(UTC))
        paused = await asyncio.to_thread(own.findings)
    finally:
        await above.execute("DELETE FROM job; DELETE FROM organisation; DELETE FROM credential")
        await above.execute("DELETE FROM provider_app")
        await above.close()

    assert found["jobs, INTERACTIVE"][:2] == ("MEND", "1 due, the first for 3 minutes")
    assert found["syncs"][:2] == (
        "LOOK",
        "1 organisation should have been queued for a sync 10 minutes ago",
    )
    assert paused["syncs"] == ("ok", "all that are due are queued", [])
    assert found["seals"][:2] == ("MEND", "1 secret of keys that are not in the ring: lost")
    assert found["apps"] == (
        "MEND",
        "2 apps at providers; of no use, the first 5:",
        [
            "A Practice, gone: install this provider's plugin, or name it in TIELINE_PLUGINS.",
            "A Practice, xero: it answers PROVIDER_MISCONFIGURED; see 'tieline app list', then 'tieline app rotate'.",
        ],
    )
    assert found["tokens"][:2] == ("LOOK", "those of 1 login could not be renewed for an hour")
    assert found["processes"][0] == "LOOK"


_APP = """
INSERT INTO provider_app (id, practice_id, provider, environment, client_id, secret_sealed, bulk_consent, fault,
                          created_at) VALUES ($1, $2, $3, 'LIVE', $3, $4, false, $5, $6)
"""
_JOB = """
INSERT INTO job (id, practice_id, actor, arguments, lane, due_at, created_at, correlation_id)
VALUES ($1, $2, $3, '{}', $4, $5, $6, 'test')
"""
_ORGANISATION = """
INSERT INTO organisation (id, practice_id, provider, environment, external_id, name, name_key, client_id, created_at,
                          next_sync_at) VALUES ($1, $2, 'xero', 'LIVE', 'x', 'Acorn', 'acorn', $3, $4, $5)
"""
_CLIENT = """
INSERT INTO client (id, practice_id, name, name_key, detail_sources, created_at)
VALUES ($1, $2, 'Acorn', 'acorn', '{}', $3)
"""


async def _break(above: asyncpg.Connection, vault: Vault) -> None:
    """A job that nobody runs, a sync that nobody queued, two apps of no use, a seal of a lost key, a late renewal."""
    now = datetime.now(UTC)
    practice: UUID = await above.fetchval("SELECT id FROM practice")
    lost = Vault.from_text(generate_key("lost"))
    apps: tuple[tuple[str, Vault, Any], ...] = (
        ("xero", vault, "PROVIDER_MISCONFIGURED"),
        ("gone", lost, None),
    )
    for slug, ring, fault in apps:
        app = new_id()
        place = Place(practice_id=practice, table="provider_app", row_id=app, column="secret_sealed")
        await above.execute(_APP, app, practice, slug, ring.seal(Secret("s"), place), fault, now)
    ago = now - timedelta(minutes=3, seconds=5)
    await above.execute(_JOB, new_id(), practice, "sync.work_run", "INTERACTIVE", ago, ago)
    hours, later = now - timedelta(hours=2), now + timedelta(hours=1)
    await above.execute(_JOB, new_id(), practice, "credentials.finish_refresh", "BACKGROUND", later, hours)
    client = new_id()
    await above.execute(_CLIENT, client, practice, now)
    await above.execute(_ORGANISATION, new_id(), practice, client, now, hours)
