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

    `logins` are the provider's own names for who signed in; `expired` of the connections do not work.
    """

    person_id: PersonId
    provider: str
    logins: tuple[str, ...]
    clients: int
    connections: int
    expired: int


_INTEGRATORS = """
SELECT cr.person_id, o.provider,
       array_remove(array_agg(DISTINCT cr.login ORDER BY cr.login), NULL) AS logins,
       count(DISTINCT c.id) AS clients, count(*) AS connections,
       count(*) FILTER (WHERE k.reason IS NOT NULL) AS expired
  FROM client AS c
 CROSS JOIN LATERAL (
       SELECT * FROM connection AS k
        WHERE k.practice_id = c.practice_id AND k.client_id = c.id AND k.ended_at IS NULL OFFSET 0) AS k {joined}
 WHERE c.practice_id = $1 AND c.deleted_at IS NULL AND {condition}
 GROUP BY cr.person_id, o.provider
 ORDER BY count(*) DESC, cr.person_id, o.provider
"""


async def integrators_of(principal: Principal, provider: str | None) -> list[Integrator]:
    """Those on whom current connections hang of clients that the caller sees, whoever has most of them first."""
    sql = ClientStatement(principal)
    condition = [sql.visible("c.id")]
    if provider is not None:
        condition.append(f"o.provider = {sql.bind(provider)}::text")
    rows = await current().rows(
        _INTEGRATORS.format(joined=JOINED, condition=" AND ".join(condition)), *sql.arguments
    )
    return [Integrator(**dict(row) | {"logins": tuple(row["logins"])}) for row in rows]
