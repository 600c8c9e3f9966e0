"""The SQL of organisations: one row for one set of books in a practice, and the one client that it serves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tieline.database import current
from tieline.ids import ClientId, OrganisationId, PracticeId, SignInId, new_id
from tieline.names import NAME_LENGTH, name_key
from tieline.plugins import OrganisationDetails, Reached
from tieline.principal import Principal
from tieline.visibility import visible_client


@dataclass(frozen=True, kw_only=True, slots=True)
class Organisation:
    """One set of books at a provider. `client_id` is the one client it serves, `details_at` when details were read."""

    id: OrganisationId
    provider: str
    environment: str
    external_id: str
    name: str
    legal_name: str | None
    country: str | None
    currency: str | None
    client_id: ClientId | None
    details_at: datetime | None
    last_synced_at: datetime | None


COLUMNS = (
    "id",
    "provider",
    "environment",
    "external_id",
    "name",
    "legal_name",
    "country",
    "currency",
    "client_id",
    "details_at",
    "last_synced_at",
)
_COLUMNS = ", ".join(f"o.{column}" for column in COLUMNS)
_KNOWN = """
SELECT o.id FROM organisation AS o
 WHERE o.practice_id = $1 AND o.provider = $2 AND o.environment = $3 AND o.external_id = ANY ($4::text[])
 ORDER BY o.id FOR UPDATE
"""
_UPSERT = f"""
INSERT INTO organisation AS o
       (id, practice_id, provider, environment, external_id, name, name_key, created_at)
SELECT r.id, $1, $2, $3, r.external_id, r.name, r.name_key, $8
  FROM unnest($4::uuid[], $5::text[], $6::text[], $7::text[]) AS r (id, external_id, name, name_key)
 ORDER BY r.external_id
    ON CONFLICT (practice_id, provider, environment, external_id)
    DO UPDATE SET name = excluded.name, name_key = excluded.name_key
RETURNING {_COLUMNS}
"""
_SERVE = """
UPDATE organisation AS o SET client_id = s.client_id
  FROM unnest($2::uuid[], $3::uuid[]) AS s (organisation_id, client_id)
 WHERE o.practice_id = $1 AND o.id = s.organisation_id AND o.client_id IS DISTINCT FROM s.client_id
"""
_CLEAR_UNHELD = """
UPDATE organisation AS o SET client_id = NULL
 WHERE o.practice_id = $1 AND o.id = ANY ($2::uuid[]) AND o.client_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM connection AS k WHERE k.practice_id = $1 AND k.held_organisation_id = o.id)
RETURNING o.id
"""
_DETAILS = """
UPDATE organisation SET name = $3, name_key = $4, legal_name = $5, country = $6, currency = $7,
       tax_number = $8, registration_number = $9, timezone = $10, details_at = $11
 WHERE practice_id = $1 AND id = $2
"""
# Nothing was ever connected to it, or all of that is purged; and no live credential and no usable sign-in reaches it.
_UNUSED = """
    NOT EXISTS (SELECT FROM connection AS k WHERE k.practice_id = o.practice_id AND k.organisation_id = o.id)
AND NOT EXISTS (SELECT FROM consent AS n
                  JOIN credential AS c ON c.practice_id = n.practice_id AND c.id = n.credential_id
                 WHERE n.practice_id = o.practice_id AND n.organisation_id = o.id AND n.lost_at IS NULL
                   AND c.state = 'LIVE')
AND NOT EXISTS (SELECT FROM sign_in_organisation AS f
                  JOIN sign_in AS s ON s.practice_id = f.practice_id AND s.id = f.sign_in_id
                 WHERE f.practice_id = o.practice_id AND f.organisation_id = o.id AND s.usable_until > $1)
"""
_DELETE_UNUSED = f"""
DELETE FROM organisation AS o WHERE o.practice_id = $2 AND o.id = ANY ($3::uuid[]) AND {_UNUSED}
"""
_LOCK_UNUSED = f"""
SELECT o.id FROM organisation AS o WHERE {_UNUSED} ORDER BY o.id LIMIT $2 FOR UPDATE OF o SKIP LOCKED
"""
_SWEEP = f"DELETE FROM organisation AS o WHERE o.id = ANY ($2::uuid[]) AND {_UNUSED}"
_MINE = """
   AND (o.id = ANY (ARRAY (
            SELECT k.organisation_id FROM connection AS k
             CROSS JOIN LATERAL (
                   SELECT c.deleted_at FROM client AS c
                    WHERE c.practice_id = k.practice_id AND c.id = k.client_id LIMIT 1) AS c
             WHERE k.practice_id = $1 AND k.organisation_id = ANY ($2::uuid[]) AND c.deleted_at IS NULL AND {visible}))
     OR o.id = ANY (ARRAY (
            SELECT f.organisation_id FROM sign_in_organisation AS f
             CROSS JOIN LATERAL (
                   SELECT s.person_id FROM sign_in AS s
                    WHERE s.practice_id = f.practice_id AND s.id = f.sign_in_id LIMIT 1) AS s
             WHERE f.practice_id = $1 AND f.organisation_id = ANY ($2::uuid[]) AND s.person_id = $3::uuid)))
"""


class OrganisationRepository:
    """Organisations of one practice."""

    def __init__(self, practice_id: PracticeId) -> None:
        self.practice_id = practice_id

    @classmethod
    def of(cls, practice_id: PracticeId) -> OrganisationRepository:
        return cls(practice_id)

    async def known(
        self, provider: str, environment: str, external_ids: Collection[str]
    ) -> list[OrganisationId]:
        """Those of these that there are already."""
        rows = await current().rows(
            "SELECT o.id FROM organisation AS o WHERE o.practice_id = $1 AND o.provider = $2 "
            "AND o.environment = $3 AND o.external_id = ANY ($4::text[])",
            self.practice_id,
            provider,
            environment,
            list(external_ids),
        )
        return [row["id"] for row in rows]

    async def upsert(
        self, provider: str, environment: str, reached: Sequence[Reached], *, at: datetime
    ) -> list[Organisation]:
        """Know these organisations, with the names they have now; in the order of `reached`, and locked."""
        names = {each.external_id: _reported(each.name) or each.external_id for each in reached}
        await current().rows(_KNOWN, self.practice_id, provider, environment, list(names))
        rows = await current().rows(
            _UPSERT,
            self.practice_id,
            provider,
            environment,
            [new_id() for _ in names],
            list(names),
            list(names.values()),
            [name_key(name) for name in names.values()],
            at,
        )
        found = {row["external_id"]: organisation(row) for row in rows}
        return [found[external_id] for external_id in names]

    async def get_many(self, ids: Collection[OrganisationId]) -> list[Organisation]:
        """Those of these ids that there are, by name. Whether somebody may see them is not asked here."""
        rows = await current().rows(
            f"SELECT {_COLUMNS} FROM organisation AS o WHERE o.practice_id = $1 AND o.id = ANY ($2::uuid[]) "
            "ORDER BY o.name_key, o.id",
            self.practice_id,
            list(ids),
        )
        return [organisation(row) for row in rows]

    async def visible_to(self, principal: Principal, ids: Collection[OrganisationId]) -> list[Organisation]:
        """Those that a visible client is or was connected to, and those that the caller's own sign-ins found."""
        mine = _MINE.format(visible=visible_client(principal, "k.client_id", "$3::uuid"))
        rows = await current().rows(
            f"SELECT {_COLUMNS} FROM organisation AS o WHERE o.practice_id = $1 AND o.id = ANY ($2::uuid[]) {mine}",
            self.practice_id,
            list(ids),
            principal.person_id,
        )
        return [organisation(row) for row in rows]

    async def lock(self, ids: Collection[OrganisationId]) -> list[Organisation]:
        """Lock them, by ascending id, before any credential or connection; those that there are."""
        rows = await current().rows(
            f"SELECT {_COLUMNS} FROM organisation AS o WHERE o.practice_id = $1 AND o.id = ANY ($2::uuid[]) "
            "ORDER BY o.id FOR UPDATE",
            self.practice_id,
            list(ids),
        )
        return [organisation(row) for row in rows]

    async def set_client(self, served: Mapping[OrganisationId, ClientId]) -> None:
        """Say which client each serves; they are locked."""
        await current().run(_SERVE, self.practice_id, list(served), list(served.values()))

    async def clear_unheld(self, ids: Collection[OrganisationId]) -> list[OrganisationId]:
        """Free those of these that no current connection holds any more: which ones that were. They are locked."""
        rows = await current().rows(_CLEAR_UNHELD, self.practice_id, list(ids))
        return [row["id"] for row in rows]

    async def set_details(
        self, organisation_id: OrganisationId, details: OrganisationDetails, *, at: datetime
    ) -> None:
        """Store what the provider tells of it; what does not fit a column is left out."""
        name = _reported(details.name)
        known = None if name else (await self.get_many([organisation_id]))
        name = name or (known[0].name if known else "")
        await current().run(
            _DETAILS,
            self.practice_id,
            organisation_id,
            name,
            name_key(name),
            _reported(details.legal_name),
            _letters(details.country, 2),
            _letters(details.currency, 3),
            _reported(details.tax_number, 64),
            _reported(details.registration_number, 64),
            _reported(details.timezone, 64),
            at,
        )

    async def do_without_details(self, ids: Collection[OrganisationId], *, at: datetime) -> None:
        """Count their details as read, as far as they can be. They are locked."""
        await current().run(
            "UPDATE organisation SET details_at = $3 "
            "WHERE practice_id = $1 AND id = ANY ($2::uuid[]) AND details_at IS NULL",
            self.practice_id,
            list(ids),
            at,
        )

    async def lacking_details_of_sign_in(self, sign_in_id: SignInId, *, limit: int) -> list[Organisation]:
        """Those that a sign-in found and whose details were never read, by id."""
        rows = await current().rows(
            f"SELECT {_COLUMNS} FROM organisation AS o WHERE o.practice_id = $1 AND o.details_at IS NULL "
            "AND o.id = ANY (ARRAY (SELECT f.organisation_id FROM sign_in_organisation AS f "
            "WHERE f.practice_id = $1 AND f.sign_in_id = $2)) ORDER BY o.id LIMIT $3",
            self.practice_id,
            sign_in_id,
            limit,
        )
        return [organisation(row) for row in rows]

    async def delete_unused(self, ids: Iterable[OrganisationId], *, at: datetime) -> int:
        """Delete those of these that no connection, current or ended, refers to and nobody reaches: how many.

        They are locked. What a live credential or a sign-in that may still be acted with reaches is left to the sweep.
        """
        return await current().run(_DELETE_UNUSED, at, self.practice_id, list(ids))


async def sweep(*, at: datetime, limit: int) -> int:
    """Delete at most so many, of all practices, that no connection refers to and nobody reaches: how many it tried."""
    rows = await current().rows(_LOCK_UNUSED, at, limit)
    # Once more, now that they are held: whoever came by them before that has written it down.
    await current().run(_SWEEP, at, [row["id"] for row in rows])
    return len(rows)


def organisation(row: Any, prefix: str = "") -> Organisation:
    """The record of a row that holds `COLUMNS`, each with this prefix."""
    return Organisation(**{column: row[prefix + column] for column in COLUMNS})


def _reported(text: str | None, length: int = NAME_LENGTH) -> str | None:
    """What a provider reports, as it fits a column: printable, without surplus white space, cut to length."""
    if text is None:
        return None
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:length].strip() or None


def _letters(text: str | None, count: int) -> str | None:
    code = (text or "").strip().upper()
    return code if len(code) == count and code.isascii() and code.isalpha() else None
