"""Keys that were made before it was kept who made them: what was done tells it of them, as they are migrated."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from tests.support.blank import migrate, migrate_to
from tests.support.deployment import Deployment
from tests.support.rows import Filler

ACTIVITY = """
INSERT INTO activity (practice_id, at, correlation_id, kind, person_id, api_key_id, subject_id, details)
VALUES ($1, now(), 'x', $2, $3, $4, $5, '{}')
"""


async def test_keys_know_after_the_migration_who_made_them_and_with_which_key(empty: Deployment) -> None:
    await migrate_to(empty, "0018_invitations")
    sql = await empty.connect()
    one, other = [await family(await Filler.over(sql)) for _ in range(2)]

    await migrate(empty)

    for practice, maker, first, second in (one, other):
        rows = await sql.fetch("SELECT id, made_by, made_with FROM api_key WHERE practice_id = $1", practice)
        made = {row["id"]: (row["made_by"], row["made_with"]) for row in rows}
        assert made == {first: (None, None), second: (maker, first)}
    await sql.close()


async def family(filler: Filler) -> tuple[UUID, UUID, UUID, UUID]:
    """A practice, somebody in it, a key of the operator's making, and one that somebody made with it, and ended."""
    practice = await filler.practice()
    maker = (await filler.row("person", practice))["id"]
    first, second = [(await filler.row("api_key", practice))["id"] for _ in range(2)]
    await told(filler.connection, practice, "API_KEY_CREATED", maker, first, second)
    await told(filler.connection, practice, "API_KEY_REVOKED", maker, None, first)
    return practice, maker, first, second


async def told(sql: asyncpg.Connection, practice: UUID, kind: str, *what: UUID | None) -> None:
    await sql.execute(ACTIVITY, practice, kind, *what)
