"""The SQL of what the doctor counts, over all practices: for the system scope; of the server, for the login."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tieline.credentials.actors import finish_refresh
from tieline.credentials.rotation.repository import COLUMNS
from tieline.database import current


@dataclass(frozen=True, kw_only=True, slots=True)
class BadApp:
    """An app that nothing can be done with; `fault` None: its provider has no plugin here."""

    practice: str
    provider: str
    fault: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """PostgreSQL: its version, its clock as seconds, the seats that are taken of those there are, who is connected."""

    version: str
    now: float
    taken: int
    most: int
    names: list[str]


# What kind of backend another login has, nobody is told; those that have a database are clients, or nearly all.
_SERVER = """
SELECT current_setting('server_version') AS version, extract(epoch FROM clock_timestamp())::float8 AS now,
       current_setting('max_connections')::int AS most, count(datid) AS taken,
       coalesce(array_agg(DISTINCT application_name) FILTER (WHERE datname = current_database()), '{}') AS names
  FROM pg_stat_activity
"""
_OVERDUE = """
SELECT count(*) FROM organisation AS o JOIN practice AS p ON p.id = o.practice_id
 WHERE o.next_sync_at < $1 AND o.client_id IS NOT NULL AND p.syncs_paused_at IS NULL
"""
_BAD_APPS = """
SELECT p.name AS practice, a.provider, a.fault FROM provider_app AS a JOIN practice AS p ON p.id = a.practice_id
 WHERE a.fault IS NOT NULL OR a.provider <> ALL ($1::text[])
 ORDER BY p.name, a.provider LIMIT $2
"""
_CONNECTIONS = """
SELECT coalesce(reason, 'CONNECTED') AS standing, count(*) FROM connection
 WHERE ended_at IS NULL GROUP BY reason ORDER BY count(*) DESC, standing
"""
_NOT_RENEWED = "SELECT count(*) FROM job WHERE actor = $1 AND created_at < $2"
# A seal begins with its version, the length of its key's id, and the id.
_SEALS = " UNION ALL ".join(
    f"SELECT encode(substring({each.name} FROM 3 FOR get_byte({each.name}, 1)), 'escape') AS key_id "
    f"FROM {each.table} WHERE octet_length({each.name}) > 2"
    for each in COLUMNS
)


async def server(connection: Any) -> Server:
    """What the login may see of it, in no role."""
    return Server(**dict(await connection.fetchrow(_SERVER)))


async def overdue(*, before: datetime) -> int:
    """How many organisations were due for a sync before that and have none queued, but for practices that paused."""
    count: int = await current().value(_OVERDUE, before)
    return count


async def apps() -> int:
    """How many apps at providers all practices have."""
    count: int = await current().value("SELECT count(*) FROM provider_app")
    return count


async def bad_apps(*, loaded: Collection[str], limit: int) -> list[BadApp]:
    """Those that a provider refuses, or whose provider has no plugin here; at most so many."""
    return [BadApp(**dict(row)) for row in await current().rows(_BAD_APPS, list(loaded), limit)]


async def standings() -> Sequence[tuple[str, int]]:
    """How many connections stand how: `CONNECTED`, or the reason why not; the most frequent first."""
    return [(row["standing"], row["count"]) for row in await current().rows(_CONNECTIONS)]


async def not_renewed(*, since: datetime) -> int:
    """How many logins' tokens could not be renewed since then."""
    count: int = await current().value(_NOT_RENEWED, finish_refresh.name, since)
    return count


async def seals() -> dict[str, int]:
    """How many secrets each key seals, by the keys' ids."""
    rows = await current().rows(f"SELECT key_id, count(*) FROM ({_SEALS}) AS sealed GROUP BY key_id")
    return {row["key_id"]: row["count"] for row in rows}
