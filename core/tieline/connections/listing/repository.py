"""The SQL of lists of connections: the current ones of the clients that a caller sees, by the client's name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tieline.clients.repository import ClientStatement
from tieline.connections.repository import COLUMNS, JOINED, Connection, connection
from tieline.connections.states import Reason, Status, shown_as
from tieline.database import current
from tieline.events.place import FEED
from tieline.ids import ClientId, CredentialId, OrganisationId, PersonId, TeamId
from tieline.pages import Direction, Keyset, Page, cursor_by, page_of
from tieline.plugins import Product
from tieline.principal import Principal


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionQuery:
    """What a list shows; a filter that is None or empty leaves all. A mismatch is among the connected, too."""

    words: tuple[str, ...] = ()
    direction: Direction = Direction.ASC
    products: frozenset[Product] = frozenset()
    providers: frozenset[str] = frozenset()
    team_ids: frozenset[TeamId] = frozenset()
    statuses: frozenset[Status] = frozenset()
    reasons: frozenset[Reason] = frozenset()
    client_id: ClientId | None = None
    integrated_by: PersonId | None = None
    credential_id: CredentialId | None = None
    organisation_id: OrganisationId | None = None


_PAGE = f"""
WITH matching AS MATERIALIZED (
     SELECT {{columns}}, c.name_key
       FROM client AS c
      CROSS JOIN LATERAL (
            SELECT * FROM connection AS k
             WHERE k.practice_id = c.practice_id AND k.client_id = c.id AND k.ended_at IS NULL OFFSET 0) AS k {{joined}}
      WHERE c.practice_id = $1 AND c.deleted_at IS NULL AND {{condition}})
SELECT {FEED},
       (SELECT count(*) FROM matching) AS total, page.*
  FROM feed
  LEFT JOIN LATERAL (
       SELECT * FROM matching WHERE {{after}} ORDER BY name_key {{direction}}, id {{direction}} LIMIT {{limit}}
       ) AS page ON true
 ORDER BY page.name_key {{direction}}, page.id {{direction}}
"""


class ConnectionListing:
    """Connections that one caller may see, page by page."""

    def __init__(self, principal: Principal) -> None:
        self._principal = principal

    @classmethod
    def visible_to(cls, principal: Principal) -> ConnectionListing:
        return cls(principal)

    async def page(
        self, query: ConnectionQuery, *, after: Keyset | None, first: int, listed: str
    ) -> Page[Connection]:
        """One page, the total and the event cursor, in one statement and so of one moment."""
        sql = ClientStatement(self._principal)
        condition = [sql.visible("c.id"), *(sql.word(word) for word in query.words)]
        rows = await current().rows(
            _PAGE.format(
                columns=COLUMNS,
                joined=JOINED,
                condition=" AND ".join(condition + _filters(sql, query)),
                after=sql.after(after, query.direction, "name_key", "id"),
                direction=query.direction.value,
                limit=sql.bind(first + 1),
            ),
            *sql.arguments,
        )
        return page_of(rows, connection, cursor_by(listed, "name_key"), first=first, after=after)


def _filters(sql: ClientStatement, query: ConnectionQuery) -> list[str]:
    listed: dict[str, Collection[object]] = {
        "k.product = ANY ({}::text[])": query.products,
        "o.provider = ANY ({}::text[])": query.providers,
        "c.team_id = ANY ({}::uuid[])": query.team_ids,
        "k.status = ANY ({}::text[])": shown_as(query.statuses),
        "k.reason = ANY ({}::text[])": query.reasons,
    }
    single = {
        "k.client_id": query.client_id,
        "cr.person_id": query.integrated_by,
        "k.credential_id": query.credential_id,
        "k.organisation_id": query.organisation_id,
    }
    return [
        *(condition.format(sql.bind(list(values))) for condition, values in listed.items() if values),
        *(f"{column} = {sql.bind(value)}::uuid" for column, value in single.items() if value is not None),
    ]
