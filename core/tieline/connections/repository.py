"""The SQL of connections: a client's product to an organisation, through a credential; current until it ends."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tieline.connections.states import Reason, Status
from tieline.database import current
from tieline.ids import ClientId, ConnectionId, CredentialId, OrganisationId, PersonId, PracticeId, new_id
from tieline.plugins import Product
from tieline.principal import Principal
from tieline.visibility import visible_client


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """A connection and what its rows tell of it. `integrated_by` is the person whose consent it hangs on.

    `settings` are those values that are stored, by name: a setting that is not among them has its default.
    """

    id: ConnectionId
    practice_id: PracticeId
    client_id: ClientId
    product: Product
    organisation_id: OrganisationId
    credential_id: CredentialId
    reason: Reason | None
    mismatch: bool
    accepted_names: str | None
    status: Status
    connected_at: datetime
    ended_at: datetime | None
    provider: str
    organisation_name: str
    integrated_by: PersonId
    login: str | None
    settings: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewConnection:
    client_id: ClientId
    product: Product
    organisation_id: OrganisationId
    credential_id: CredentialId
    mismatch: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """A current connection with the names that have to agree."""

    id: ConnectionId
    client_name: str
    organisation_name: str
    legal_name: str | None
    mismatch: bool
    accepted_names: str | None


OWN_COLUMNS = (
    "id",
    "practice_id",
    "client_id",
    "product",
    "organisation_id",
    "credential_id",
    "reason",
    "mismatch",
    "accepted_names",
    "status",
    "connected_at",
    "ended_at",
    "settings",
)
COLUMNS = (
    ", ".join(f"k.{column}" for column in OWN_COLUMNS)
    + ", o.provider, o.name AS organisation_name, cr.person_id AS integrated_by, cr.login"
)
# Looked up one by one: a join would be planned by what statistics say of a practice, which may be new to them.
_CLIENT = """
 CROSS JOIN LATERAL (SELECT * FROM client AS c WHERE c.practice_id = k.practice_id AND c.id = k.client_id LIMIT 1) AS c
"""
_ORGANISATION = """
 CROSS JOIN LATERAL (
      SELECT * FROM organisation AS o WHERE o.practice_id = k.practice_id AND o.id = k.organisation_id LIMIT 1) AS o
"""
JOINED = f"""{_ORGANISATION}
 CROSS JOIN LATERAL (
      SELECT * FROM credential AS cr WHERE cr.practice_id = k.practice_id AND cr.id = k.credential_id LIMIT 1) AS cr
"""
# What is locked or changed comes first, so that the rows joined to it are of its newest version.
_LOCKED = f"""
WITH k AS MATERIALIZED (
     SELECT k.* FROM connection AS k WHERE k.practice_id = $1 AND {{which}} ORDER BY k.id FOR NO KEY UPDATE)
SELECT {COLUMNS} FROM k {JOINED} ORDER BY k.id
"""
_CHANGED = f"""
WITH locked AS MATERIALIZED (
     SELECT k.id FROM connection AS k
      WHERE k.practice_id = $1 AND k.ended_at IS NULL AND {{which}} ORDER BY k.id FOR NO KEY UPDATE),
     k AS (UPDATE connection AS k SET {{what}}, changed_at = $2
            WHERE k.practice_id = $1 AND k.id = ANY (ARRAY (SELECT id FROM locked)) RETURNING k.*)
SELECT {COLUMNS} FROM k {JOINED} ORDER BY k.id
"""
# A value of its own for each, by its place: a join would be planned for a single row.
_NTH = "array_position($3::uuid[], k.id)"
_ADD = f"""
WITH k AS (
     INSERT INTO connection (id, practice_id, client_id, product, organisation_id, credential_id, mismatch,
                             connected_at, changed_at)
     SELECT n.id, $1, n.client_id, n.product, n.organisation_id, n.credential_id, n.mismatch, $2, $2
       FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::uuid[], $8::boolean[])
            AS n (id, client_id, product, organisation_id, credential_id, mismatch)
     RETURNING *)
SELECT {COLUMNS} FROM k {JOINED} ORDER BY k.id
"""
_NAMED = f"""
SELECT k.id, c.name AS client_name, o.name AS organisation_name, o.legal_name, k.mismatch, k.accepted_names
  FROM connection AS k {_CLIENT} {_ORGANISATION}
 WHERE k.practice_id = $1 AND k.ended_at IS NULL AND {{which}}
 ORDER BY k.id FOR NO KEY UPDATE OF k
"""


class ConnectionRepository:
    """Connections of one practice; made for a principal, those of the clients that it sees."""

    def __init__(self, practice_id: PracticeId, principal: Principal | None) -> None:
        self.practice_id = practice_id
        self._principal = principal

    @classmethod
    def of(cls, practice_id: PracticeId) -> ConnectionRepository:
        """All of the practice, for the system's own work."""
        return cls(practice_id, None)

    @classmethod
    def visible_to(cls, principal: Principal) -> ConnectionRepository:
        return cls(principal.practice_id, principal)

    async def get(self, connection_id: ConnectionId) -> Connection | None:
        """The connection, current or ended."""
        found = await self.get_many([connection_id])
        return found[0] if found else None

    async def get_many(self, ids: Collection[ConnectionId]) -> list[Connection]:
        return await self._select("k.id = ANY ($2::uuid[])", list(ids))

    async def current_of_clients(
        self, client_ids: Collection[ClientId], *products: Product, lock: bool = False
    ) -> list[Connection]:
        """The current connections of these clients, of these products or of all."""
        which = "k.ended_at IS NULL AND k.client_id = ANY ($2::uuid[]) AND k.product = ANY ($3::text[])"
        wanted = [product.value for product in products or Product]
        if lock:
            return await self._changing(_LOCKED.format(which=which), list(client_ids), wanted)
        return await self._select(which, list(client_ids), wanted)

    async def current_of_organisations(
        self, organisation_ids: Collection[OrganisationId]
    ) -> list[Connection]:
        return await self._select(
            "k.ended_at IS NULL AND k.organisation_id = ANY ($2::uuid[])", list(organisation_ids)
        )

    async def current_of_credential(self, credential_id: CredentialId) -> list[Connection]:
        return await self.current_of_credentials([credential_id])

    async def current_of_credentials(self, credential_ids: Collection[CredentialId]) -> list[Connection]:
        return await self._select(
            "k.ended_at IS NULL AND k.credential_id = ANY ($2::uuid[])", list(credential_ids)
        )

    async def organisations_of(self, credential_id: CredentialId) -> frozenset[OrganisationId]:
        """What current connections reach through this credential, working or not."""
        rows = await current().rows(
            "SELECT DISTINCT organisation_id FROM connection "
            "WHERE practice_id = $1 AND credential_id = $2 AND ended_at IS NULL",
            self.practice_id,
            credential_id,
        )
        return frozenset(row["organisation_id"] for row in rows)

    async def lock(self, ids: Collection[ConnectionId]) -> list[Connection]:
        """Lock them, by ascending id, after their organisations and credentials; those that there are."""
        return await self._changing(_LOCKED.format(which="k.id = ANY ($2::uuid[])"), list(ids))

    async def add_many(self, new: Sequence[NewConnection], *, at: datetime) -> list[Connection]:
        return await self._changing(
            _ADD,
            at,
            [new_id() for _ in new],
            [each.client_id for each in new],
            [each.product.value for each in new],
            [each.organisation_id for each in new],
            [each.credential_id for each in new],
            [each.mismatch for each in new],
        )

    async def move_many(
        self,
        moved: Mapping[ConnectionId, tuple[CredentialId, bool]],
        *,
        at: datetime,
        keeping: Collection[Reason] = (),
    ) -> list[Connection]:
        """Hang each on a credential; the flag says whether the names differ.

        Nothing is wrong with them any more, but for those that are bad for a reason of `keeping`.
        """
        sql = _CHANGED.format(
            which="k.id = ANY ($3::uuid[])",
            what="reason = CASE WHEN k.reason = ANY ($6::text[]) THEN k.reason END, "
            f"credential_id = ($4::uuid[])[{_NTH}], mismatch = ($5::boolean[])[{_NTH}]",
        )
        credentials = [credential_id for credential_id, _ in moved.values()]
        flags = [mismatch for _, mismatch in moved.values()]
        kept = [reason.value for reason in keeping]
        return await self._changing(sql, at, list(moved), credentials, flags, kept)

    async def end_many(self, ids: Collection[ConnectionId], *, at: datetime) -> list[Connection]:
        """End those of these that are current."""
        sql = _CHANGED.format(which="k.id = ANY ($3::uuid[])", what="ended_at = $2")
        return await self._changing(sql, at, list(ids))

    async def expire_many(
        self, ids: Collection[ConnectionId], reason: Reason, *, at: datetime
    ) -> list[Connection]:
        """Give the reason to those of these that are current; they are locked."""
        sql = _CHANGED.format(which="k.id = ANY ($3::uuid[])", what="reason = $4")
        return await self._changing(sql, at, list(ids), reason.value)

    async def disconnect(self, connection_id: ConnectionId, *, at: datetime) -> Connection:
        """Mark a current, locked connection as what a person disconnected."""
        sql = _CHANGED.format(which="k.id = $3", what="reason = $4")
        changed = await self._changing(sql, at, connection_id, Reason.DISCONNECTED.value)
        return changed[0]

    async def expire_of_credential(
        self,
        credential_id: CredentialId,
        reason: Reason,
        *,
        at: datetime,
        organisation_ids: Collection[OrganisationId] | None = None,
        products: Collection[Product] | None = None,
        instead_of: Collection[Reason] = (),
    ) -> list[Connection]:
        """Give the reason to every current connection on the credential that has none, or one of `instead_of`.

        With `organisation_ids` or `products`, only to those of these. Those that changed; the credential is locked.
        """
        sql = _CHANGED.format(
            which="k.credential_id = $3 AND (k.reason IS NULL OR k.reason = ANY ($7::text[])) "
            "AND ($5::uuid[] IS NULL OR k.organisation_id = ANY ($5::uuid[])) "
            "AND ($6::text[] IS NULL OR k.product = ANY ($6::text[]))",
            what="reason = $4",
        )
        listed = None if organisation_ids is None else list(organisation_ids)
        only = None if products is None else [product.value for product in products]
        others = [each.value for each in instead_of]
        return await self._changing(sql, at, credential_id, reason.value, listed, only, others)

    async def named(
        self,
        *,
        client_ids: Collection[ClientId] | None = None,
        organisation_ids: Collection[OrganisationId] | None = None,
    ) -> list[Named]:
        """Lock the current connections of these clients, or of these organisations, and read the names."""
        column = "client_id" if client_ids is not None else "organisation_id"
        ids = client_ids if client_ids is not None else organisation_ids
        sql = _NAMED.format(which=f"k.{column} = ANY ($2::uuid[])")
        rows = await current().rows(sql, self.practice_id, list(ids or ()))
        return [Named(**dict(row)) for row in rows]

    async def set_mismatch(
        self, flags: Mapping[ConnectionId, tuple[bool, str | None]], *, at: datetime
    ) -> list[Connection]:
        """Write whether the names of each differ, and the hash of those that are accepted; they are locked."""
        sql = _CHANGED.format(
            which="k.id = ANY ($3::uuid[])",
            what=f"mismatch = ($4::boolean[])[{_NTH}], accepted_names = ($5::text[])[{_NTH}]",
        )
        differ = [mismatch for mismatch, _ in flags.values()]
        accepted = [names for _, names in flags.values()]
        return await self._changing(sql, at, list(flags), differ, accepted)

    async def set_settings(
        self, connection_id: ConnectionId, settings: Mapping[str, str], *, at: datetime
    ) -> Connection:
        """Write all settings of a current, locked connection."""
        sql = _CHANGED.format(which="k.id = $3", what="settings = $4::jsonb")
        changed = await self._changing(sql, at, connection_id, json.dumps(dict(settings)))
        return changed[0]

    async def _select(self, which: str, *arguments: object) -> list[Connection]:
        bound = [self.practice_id, *arguments]
        if self._principal is not None:
            if not self._principal.sees_all_clients:
                bound.append(self._principal.person_id)
            which += f" AND {visible_client(self._principal, 'k.client_id', f'${len(bound)}::uuid')}"
            which += " AND c.deleted_at IS NULL"
        client = _CLIENT if self._principal is not None else ""
        rows = await current().rows(
            f"SELECT {COLUMNS} FROM connection AS k {JOINED} {client} "
            f"WHERE k.practice_id = $1 AND {which} ORDER BY k.id",
            *bound,
        )
        return [connection(row) for row in rows]

    async def _changing(self, sql: str, *arguments: object) -> list[Connection]:
        return [connection(row) for row in await current().rows(sql, self.practice_id, *arguments)]


def connection(row: Any) -> Connection:
    """The record of a row that holds `COLUMNS`."""
    return Connection(
        id=row["id"],
        practice_id=row["practice_id"],
        client_id=row["client_id"],
        product=Product(row["product"]),
        organisation_id=row["organisation_id"],
        credential_id=row["credential_id"],
        reason=Reason(row["reason"]) if row["reason"] else None,
        mismatch=row["mismatch"],
        accepted_names=row["accepted_names"],
        status=Status(row["status"]),
        connected_at=row["connected_at"],
        ended_at=row["ended_at"],
        provider=row["provider"],
        organisation_name=row["organisation_name"],
        integrated_by=row["integrated_by"],
        login=row["login"],
        settings=json.loads(row["settings"]),
    )
