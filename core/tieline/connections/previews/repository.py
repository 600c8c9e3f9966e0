"""The SQL of who else uses a credential: clients by name as far as the caller sees them, all of them as a count."""

from __future__ import annotations

from dataclasses import dataclass

from tieline.clients.repository import COLUMNS, Client, ClientStatement, client_of
from tieline.connections.repository import Connection
from tieline.credentials.uses.repository import USES
from tieline.database import current
from tieline.principal import Principal


@dataclass(frozen=True, kw_only=True, slots=True)
class Sharing:
    """Other clients on one credential: the first that the caller sees by name, how many it does not see, and all."""

    clients: tuple[Client, ...]
    hidden: int
    total: int


# Bound to what is found first, by key: a join would be planned by what statistics say of a practice.
_SHARING = f"""
WITH others AS MATERIALIZED (
     SELECT DISTINCT k.client_id AS id FROM connection AS k
      WHERE k.practice_id = $1 AND k.credential_id = {{credential}} AND k.client_id <> {{client}} AND {USES}),
     seen AS MATERIALIZED (
     SELECT c.* FROM others
      CROSS JOIN LATERAL (
           SELECT * FROM client AS c
            WHERE c.practice_id = $1 AND c.id = others.id AND c.deleted_at IS NULL LIMIT 1) AS c
      WHERE {{visible}})
SELECT (SELECT count(*) FROM others) AS total, (SELECT count(*) FROM seen) AS seen, page.*
  FROM (SELECT) AS one
  LEFT JOIN LATERAL (
       SELECT {COLUMNS}, {{administered}} AS administered FROM seen AS c
        ORDER BY c.name_key, c.id LIMIT {{most}}) AS page ON true
"""


async def clients_on(principal: Principal, connection: Connection, *, most: int) -> Sharing:
    """Who else has a connection on the credential of this one that nobody disconnected; at most so many by name."""
    sql = ClientStatement(principal)
    visible, administered = sql.visible("c.id"), sql.administered("c.id")
    rows = await current().rows(
        _SHARING.format(
            credential=sql.bind(connection.credential_id),
            client=sql.bind(connection.client_id),
            visible=visible,
            administered=administered,
            most=sql.bind(most),
        ),
        *sql.arguments,
    )
    total, seen = rows[0]["total"], rows[0]["seen"]
    clients = tuple(client_of(row) for row in rows if row["id"] is not None)
    return Sharing(clients=clients, hidden=total - seen, total=total)
