"""A backup is taken, restored into an empty database, made fit by `doctor --after-restore`, and served from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.support.backup import backup_login
from tests.support.blank import blank_deployment, migrated_deployment
from tests.support.deployment import Deployment, serving
from tests.support.events import CURSOR, Listener, listening
from tests.support.firm import Caller
from tests.support.own_redis import running_redis
from tieline.diagnosis.restored.service import SPREAD
from tieline.ids import PracticeId, new_id
from tieline.vault import Place, Secret, Vault

PRACTICE = ("practice", "create", "A Practice", "--admin-name", "Ada", "--admin-email", "ada@firm.invalid")
KEY = ("key", "create", "--practice", "A Practice", "--person", "ada@firm.invalid", "--name", "test")

_APP = """
INSERT INTO provider_app (id, practice_id, provider, environment, client_id, secret_sealed, bulk_consent, created_at)
VALUES ($1, $2, 'xero', 'LIVE', 'an app', $3, false, $4)
"""
_CREDENTIAL = """
INSERT INTO credential (id, practice_id, provider_app_id, subject, person_id, tokens_sealed, scopes, access_expires_at,
                        state, dead_reason, version, lease_owner, lease_until, refreshed_at, created_at)
SELECT $1, $2, $3, $4, (SELECT id FROM person), $5, '{}', $7, $6, $8, 3, $9, $10, $7, $7
"""
_LEASED = """
INSERT INTO job (id, practice_id, actor, arguments, lane, due_at, created_at, correlation_id, lease_owner, lease_until,
                 fence)
VALUES ($1, $2, 'sync.work_run', '{}', 'BACKGROUND', $3, $3, 'test', 'a worker', $4, 7)
"""


@pytest.fixture
async def old(deployment: Deployment, worker_id: str) -> AsyncIterator[Deployment]:
    """The deployment that is backed up."""
    async with migrated_deployment(deployment, f"tieline_old_{worker_id}") as made:
        yield made


@pytest.fixture
async def new(deployment: Deployment, worker_id: str, tmp_path: Path) -> AsyncIterator[Deployment]:
    """An empty database, and a Redis that knows nothing."""
    async with blank_deployment(deployment, f"tieline_new_{worker_id}") as made:
        with running_redis(deployment, tmp_path) as bells:
            yield replace(made, environment=made.environment | {"TIELINE_REDIS_URL": bells.url})


async def test_what_is_restored_serves_and_old_cursors_leases_and_tokens_are_not_believed(
    old: Deployment, new: Deployment, tmp_path: Path, worker_id: str
) -> None:
    key = await _made(old)
    async with _gateway(old, key) as (caller, _):
        await caller.create_client("Acorn Ltd")
        cursor = await _cursor(caller)
    login = await _under_way(old, caller.practice_id)
    async with backup_login(old, f"tieline_backup_{worker_id}", tmp_path) as backup:
        await asyncio.to_thread(backup.take, old)
        await asyncio.to_thread(backup.restore, new)

    unsure = await asyncio.to_thread(new.run, "doctor", "--after-restore")
    ended = await asyncio.to_thread(new.run, "doctor", "--after-restore", "--yes")
    again = await asyncio.to_thread(new.run, "doctor", "--after-restore", "--yes")

    assert (unsure.returncode, unsure.stdout.strip()) == (1, "")
    assert "The events of all practices are deleted next, for good" in unsure.stderr
    assert (ended.returncode, "MEND" in ended.stdout) == (0, False), ended.stdout
    assert "without 1 event of before. 1 job freed. The tokens of 1 login are to be renewed" in ended.stderr
    assert (again.returncode, "without 0 events of before. 0 jobs freed. " in again.stderr) == (0, True)
    await _assert_free(new, login)
    async with _gateway(new, key) as (caller, listen):
        clients = await caller.ask("{ clients(first: 5) { nodes { name } } }")
        async with listen(cursor) as refused:
            assert await refused.refusal() == ["CURSOR_EXPIRED"]
        fresh = await _cursor(caller)
        await caller.create_client("Birch Ltd")
        async with listen(fresh) as listener:
            told = await listener.next()
    assert clients == {"clients": {"nodes": [{"name": "Acorn Ltd"}]}}
    assert (told["kind"], told["client"]["name"]) == ("CLIENT_CREATED", "Birch Ltd")


async def _made(old: Deployment) -> str:
    """A practice with an admin; the admin's key."""
    made = await asyncio.to_thread(old.run, *PRACTICE)
    assert made.returncode == 0, made.stderr
    return (await asyncio.to_thread(old.run, *KEY)).stdout.strip()


@asynccontextmanager
async def _gateway(
    deployment: Deployment, key: str
) -> AsyncIterator[tuple[Caller, Callable[[str], AbstractAsyncContextManager[Listener]]]]:
    """A caller of the deployment's own gateway, and what listens to events there after a cursor."""
    above = await deployment.connect()
    practice_id = PracticeId(await above.fetchval("SELECT id FROM practice"))
    await above.close()
    with serving(deployment) as gateway:
        async with httpx.AsyncClient(base_url=gateway.url, timeout=30) as http:
            caller = Caller(http=http, key=key, practice_id=practice_id, person_id=None)
            yield caller, lambda after: listening(gateway, caller, after)


async def _cursor(caller: Caller) -> str:
    return str((await caller.ask(CURSOR))["clients"]["eventCursor"])


async def _under_way(old: Deployment, practice_id: PracticeId) -> UUID:
    """A job and a login that workers hold, and a login that has ended; the id of the first login."""
    above = await old.connect()
    now, app, live, dead = datetime.now(UTC), new_id(), new_id(), new_id()
    vault = old.settings.vault
    await above.execute(_APP, app, practice_id, _sealed(vault, practice_id, "provider_app", app), now)
    for login, state, reason, owner in (
        (live, "LIVE", None, "somebody"),
        (dead, "DEAD", "CONSENT_ENDED", None),
    ):
        tokens = _sealed(vault, practice_id, "credential", login) if state == "LIVE" else None
        until = now + timedelta(hours=1) if owner else None
        await above.execute(
            _CREDENTIAL, login, practice_id, app, str(login), tokens, state, now, reason, owner, until
        )
    await above.execute(_LEASED, new_id(), practice_id, now, now + timedelta(hours=1))
    await above.close()
    return live


def _sealed(vault: Vault, practice_id: PracticeId, table: str, row: UUID) -> bytes:
    column = "secret_sealed" if table == "provider_app" else "tokens_sealed"
    return vault.seal(
        Secret("a secret"), Place(practice_id=practice_id, table=table, row_id=row, column=column)
    )


async def _assert_free(new: Deployment, login: UUID) -> None:
    """Nobody holds the job or the login; this login and no other is renewed soon."""
    above = await new.connect()
    leases = await above.fetch("SELECT lease_owner, fence FROM job WHERE actor = 'sync.work_run'")
    holder = await above.fetchval("SELECT lease_owner FROM credential WHERE id = $1", login)
    renewals: list[asyncpg.Record] = await above.fetch(
        "SELECT arguments::jsonb ->> 'credential_id' AS login, arguments::jsonb -> 'version' AS version, "
        "due_at - created_at AS pause FROM job WHERE actor = 'credentials.finish_refresh'"
    )
    await above.close()
    assert [tuple(lease) for lease in leases] == [(None, 8)]
    assert holder is None
    assert [(each["login"], each["version"]) for each in renewals] == [(str(login), "3")]
    assert timedelta(0) <= renewals[0]["pause"] <= SPREAD
