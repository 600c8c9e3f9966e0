"""The SQL of whose limits the calls for a connection spend."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tieline.clients.repository import ClientStatement
from tieline.database import current
from tieline.ids import AppId, ConnectionId
from tieline.principal import Principal


@dataclass(frozen=True, kw_only=True, slots=True)
class Metered:
    """A connection, the organisation that it holds by the provider's id, and the app that asks for it."""

    connection_id: ConnectionId
    organisation: str
    app_id: AppId


# Looked up one by one: a join would be planned by what statistics say of a practice, which may be new to them.
_METERED = """
SELECT k.id AS connection_id, o.external_id AS organisation, cr.provider_app_id AS app_id
  FROM connection AS k
 CROSS JOIN LATERAL (
      SELECT c.deleted_at FROM client AS c WHERE c.practice_id = k.practice_id AND c.id = k.client_id LIMIT 1) AS c
 CROSS JOIN LATERAL (
      SELECT o.external_id FROM organisation AS o
       WHERE o.practice_id = k.practice_id AND o.id = k.held_organisation_id LIMIT 1) AS o
 CROSS JOIN LATERAL (
      SELECT cr.provider_app_id FROM credential AS cr
       WHERE cr.practice_id = k.practice_id AND cr.id = k.credential_id LIMIT 1) AS cr
 WHERE k.practice_id = $1 AND k.id = ANY ({connections}::uuid[]) AND c.deleted_at IS NULL AND {visible}
"""


async def metered(principal: Principal, ids: Collection[ConnectionId]) -> list[Metered]:
    """Those of these that the caller sees and that hold an organisation: neither ended nor disconnected."""
    sql = ClientStatement(principal)
    statement = _METERED.format(connections=sql.bind(list(ids)), visible=sql.visible("k.client_id"))
    return [Metered(**dict(row)) for row in await current().rows(statement, *sql.arguments)]
