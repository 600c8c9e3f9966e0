"""The SQL of connections that are broken, of the clients whose connections a caller manages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from tieline.clients.repository import ClientStatement
from tieline.connections.repository import COLUMNS, JOINED, Connection, connection
from tieline.connections.states import MENDS_ITSELF
from tieline.credentials.consents.repository import is_over
from tieline.database import current
from tieline.ids import CredentialId, SignInId
from tieline.plugins import Product
from tieline.principal import Permission, Principal


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokenCount:
    """How many connections are broken, and how many more a person has disconnected."""

    broken: int
    disconnected: int


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokenRows:
    """Broken connections, those first that a sign-in mends, `mended` of them; `remaining` more are not among them."""

    rows: tuple[Connection, ...]
    mended: int
    remaining: int


_EXPIRED = """
  FROM client AS c
 CROSS JOIN LATERAL (
       SELECT * FROM connection AS k
        WHERE k.practice_id = c.practice_id AND k.client_id = c.id AND k.ended_at IS NULL AND k.reason IS NOT NULL
       OFFSET 0) AS k {joined}
 WHERE c.practice_id = $1 AND c.deleted_at IS NULL AND {managed} AND o.provider = {provider}
"""
_COUNT = f"""
SELECT count(*) FILTER (WHERE k.reason <> 'DISCONNECTED') AS broken,
       count(*) FILTER (WHERE k.reason = 'DISCONNECTED') AS disconnected {_EXPIRED}
"""
_BROKEN = f"SELECT {{columns}} {_EXPIRED} AND k.reason <> 'DISCONNECTED' ORDER BY k.id"
# What the sign-in reaches is read once, and not looked up for each connection: statistics may not know the practice.
_FIRST = f"""
WITH broken AS MATERIALIZED (
     SELECT {{columns}}, (k.organisation_id, k.product::text) IN (
            SELECT f.organisation_id, m.product
              FROM sign_in_organisation AS f
              JOIN unnest({{credentials}}::uuid[], {{products}}::text[]) AS m (credential_id, product)
                ON m.credential_id = f.credential_id
             WHERE f.practice_id = $1 AND f.sign_in_id = {{sign_in}} AND NOT {{over}})
            AND NOT (k.reason = ANY ({{looked_at}}::text[]) AND k.credential_id IN (
                SELECT unnest({{credentials}}::uuid[]))) AS is_mended
       {_EXPIRED} AND k.reason <> 'DISCONNECTED')
SELECT *, count(*) FILTER (WHERE is_mended) OVER () AS mended FROM broken ORDER BY is_mended DESC, id LIMIT {{most}}
"""
_MENDED = """
SELECT {columns}
  FROM sign_in_mended AS m
 CROSS JOIN LATERAL (
       SELECT * FROM connection AS k
        WHERE k.practice_id = m.practice_id AND k.id = m.connection_id LIMIT 1) AS k {joined}
 CROSS JOIN LATERAL (
       SELECT * FROM client AS c WHERE c.practice_id = k.practice_id AND c.id = k.client_id LIMIT 1) AS c
 WHERE m.practice_id = $1 AND m.sign_in_id = {sign_in} AND k.ended_at IS NULL AND k.reason IS NULL
   AND k.credential_id = ANY ({credentials}::uuid[]) AND c.deleted_at IS NULL AND {managed} AND o.provider = {provider}
 ORDER BY k.id LIMIT {most}
"""


class BrokenRepository:
    """Broken connections that one caller may mend."""

    def __init__(self, principal: Principal) -> None:
        self._principal = principal

    @classmethod
    def managed_by(cls, principal: Principal) -> BrokenRepository:
        return cls(principal)

    async def count(self, provider: str) -> BrokenCount:
        sql = ClientStatement(self._principal)
        row = await current().row(self._text(_COUNT, sql, provider), *sql.arguments)
        assert row is not None
        return BrokenCount(**dict(row))

    async def of_provider(self, provider: str) -> list[Connection]:
        """All of them, by id."""
        sql = ClientStatement(self._principal)
        rows = await current().rows(self._text(_BROKEN, sql, provider), *sql.arguments)
        return [connection(row) for row in rows]

    async def first(
        self,
        provider: str,
        sign_in_id: SignInId,
        mends: Collection[tuple[CredentialId, Product]],
        *,
        at: datetime,
        most: int,
    ) -> BrokenRows:
        """At most so many; `mends`: which of the sign-in's credentials are good enough for which products.

        No sign-in mends anything by a consent that has run out.
        """
        sql = ClientStatement(self._principal)
        text = self._text(
            _FIRST,
            sql,
            provider,
            credentials=sql.bind([credential_id for credential_id, _ in mends]),
            products=sql.bind([product.value for _, product in mends]),
            looked_at=sql.bind([reason.value for reason in MENDS_ITSELF]),
            sign_in=sql.bind(sign_in_id),
            over=is_over("f.", practice="$1", at=f"{sql.bind(at)}::timestamptz"),
            most=sql.bind(most),
        )
        rows = await current().rows(text, *sql.arguments)
        mended = sum(row["is_mended"] for row in rows)
        return BrokenRows(
            rows=tuple(connection(row) for row in rows),
            mended=mended,
            remaining=rows[0]["mended"] - mended if rows else 0,
        )

    async def mended_by(
        self, sign_in_id: SignInId, through: Collection[CredentialId], provider: str, *, most: int
    ) -> list[Connection]:
        """At most so many of those that completing the sign-in mended and that work `through` it still, by id."""
        sql = ClientStatement(self._principal)
        text = self._text(
            _MENDED,
            sql,
            provider,
            sign_in=sql.bind(sign_in_id),
            credentials=sql.bind(list(through)),
            most=sql.bind(most),
        )
        return [connection(row) for row in await current().rows(text, *sql.arguments)]

    def _text(self, template: str, sql: ClientStatement, provider: str, **more: str) -> str:
        managed = sql.visible("c.id")
        if not self._principal.may(Permission.MANAGE_CONNECTIONS):
            managed += f" AND {sql.administered('c.id')}"
        return template.format(
            columns=COLUMNS, joined=JOINED, managed=managed, provider=f"{sql.bind(provider)}::text", **more
        )
