"""The SQL of practice codes: whose they are, and many of them written at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tieline.clients.repository import COLUMNS, Client, ClientStatement, client_of
from tieline.database import current
from tieline.ids import ClientId, PracticeId
from tieline.principal import Principal

_HOLDERS = """
SELECT practice_code, id FROM client
 WHERE practice_id = $1 AND deleted_at IS NULL AND practice_code IS NOT NULL AND practice_code = ANY ($2::text[])
"""
# Codes are unique at every moment, also within one statement: those that swap theirs have none in between.
_CLEAR = "UPDATE client SET practice_code = NULL WHERE practice_id = $1 AND id = ANY ($2::uuid[])"
_SET = f"""
UPDATE client AS c
   SET practice_code = given.code, detail_sources = c.detail_sources || '{{"practice_code": "PERSON"}}'
  FROM unnest($2::uuid[], $3::text[]) AS given (id, code)
 WHERE c.practice_id = $1 AND c.id = given.id
RETURNING {COLUMNS}, false AS administered
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Coding:
    """The clients that a caller sees, by name, and who has which code in the whole practice."""

    clients: tuple[Client, ...]
    holders: Mapping[str, ClientId]


async def coding(principal: Principal) -> Coding:
    """Of one moment; nothing is locked."""
    sql = ClientStatement(principal)
    rows = await current().rows(
        f"SELECT {COLUMNS}, {sql.visible('c.id')} AS visible, {sql.administered('c.id')} AS administered "
        "FROM client AS c WHERE c.practice_id = $1 AND c.deleted_at IS NULL ORDER BY c.name_key, c.id",
        *sql.arguments,
    )
    return Coding(
        clients=tuple(client_of(row) for row in rows if row["visible"]),
        holders={row["practice_code"]: row["id"] for row in rows if row["practice_code"] is not None},
    )


async def holders_of(practice_id: PracticeId, codes: Collection[str]) -> dict[str, ClientId]:
    """Who has these codes, whoever sees them."""
    rows = await current().rows(_HOLDERS, practice_id, list(codes))
    return {row["practice_code"]: row["id"] for row in rows}


async def write_codes(practice_id: PracticeId, codes: Mapping[ClientId, str | None]) -> list[Client]:
    """Give these clients, which are locked, these codes; the clients as they are then."""
    await current().run(_CLEAR, practice_id, list(codes))
    rows = await current().rows(_SET, practice_id, list(codes), list(codes.values()))
    return [client_of(row) for row in rows]
