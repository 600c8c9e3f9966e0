"""The SQL of integrators: connections counted by the person whose consent they hang on."""

from __future__ import annotations

from dataclasses import dataclass

from tieline.clients.repository import ClientStatement
from tieline.connections.repository import JOINED
from tieline.database import current
from tieline.ids import PersonId
from tieline.principal import Principal


@dataclass(frozen=True, kw_only=True, slots=True)
class Integrator:
    """Somebody whose consents at one provider are in use: how many connections of how many clients hang on them.

    `logins` are the provider's own names for who signed in; `expired` of the connections do not work. `disconnected`
    more are those that a person has disconnected: they hang on nobody.
    """

    person_id: PersonId
    provider: str
    logins: tuple[str, ...]
    clients: int
    connections: int
    expired: int
    disconnected: int


_INTEGRATORS = """
SELECT cr.person_id, o.provider,
       array_remove(array_agg(DISTINCT cr.login ORDER BY cr.login)
                    FILTER (WHERE k.reason IS DISTINCT FROM 'DISCONNECTED'), NULL) AS logins,
       count(DISTINCT c.id) FILTER (WHERE k.reason IS DISTINCT FROM 'DISCONNECTED') AS clients,
       count(*) FILTER (WHERE k.reason IS DISTINCT FROM 'DISCONNECTED') AS connections,
       count(*) FILTER (WHERE k.reason <> 'DISCONNECTED') AS expired,
       count(*) FILTER (WHERE k.reason = 'DISCONNECTED') AS disconnected
  FROM client AS c
 CROSS JOIN LATERAL (
       SELECT * FROM connection AS k
        WHERE k.practice_id = c.practice_id AND k.client_id = c.id AND k.ended_at IS NULL OFFSET 0) AS k {joined}
 WHERE c.practice_id = $1 AND c.deleted_at IS NULL AND {condition}
 GROUP BY cr.person_id, o.provider
HAVING count(*) FILTER (WHERE k.reason IS DISTINCT FROM 'DISCONNECTED') > 0
 ORDER BY connections DESC, cr.person_id, o.provider
"""


async def integrators_of(principal: Principal, provider: str | None) -> list[Integrator]:
    """Those on whom connections hang of clients that the caller sees, whoever has most of them first.

    Nobody who has disconnected ones alone: those move to no login, so there is nothing to take over.
    """
    sql = ClientStatement(principal)
    condition = [sql.visible("c.id")]
    if provider is not None:
        condition.append(f"o.provider = {sql.bind(provider)}::text")
    rows = await current().rows(
        _INTEGRATORS.format(joined=JOINED, condition=" AND ".join(condition)), *sql.arguments
    )
    return [Integrator(**dict(row) | {"logins": tuple(row["logins"])}) for row in rows]
