"""The SQL of clients that are made from organisations: many in one statement, with what the ledger tells of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tieline.clients.adding.decisions import Namesake
from tieline.clients.repository import COLUMNS, Client, ClientStatement, client_of
from tieline.database import current
from tieline.ids import ClientId, OrganisationId, PracticeId, TeamId
from tieline.names import name_key, name_words
from tieline.principal import Principal

# What a person said is never overwritten by the ledger: each detail keeps where it comes from.
_ADD = f"""
INSERT INTO client AS c
       (id, practice_id, name, name_key, team_id, legal_name, country, currency, tax_number, registration_number,
        detail_sources, created_at)
SELECT n.id, $1, n.name, n.name_key, n.team_id, o.legal_name, o.country, o.currency, o.tax_number,
       o.registration_number,
       jsonb_build_object('name', CASE WHEN n.is_named THEN 'PERSON' ELSE 'LEDGER' END, 'legal_name', 'LEDGER',
                          'country', 'LEDGER', 'currency', 'LEDGER', 'tax_number', 'LEDGER',
                          'registration_number', 'LEDGER'),
       $2
  FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::uuid[], $8::boolean[])
       AS n (id, organisation_id, name, name_key, team_id, is_named)
 CROSS JOIN LATERAL (
       SELECT * FROM organisation AS o WHERE o.practice_id = $1 AND o.id = n.organisation_id LIMIT 1) AS o
RETURNING {COLUMNS}, false AS administered
"""
_FROM_LEDGER = "{0} = CASE WHEN c.detail_sources ->> '{0}' = 'LEDGER' THEN o.{0} ELSE c.{0} END"
_DETAILS = ("legal_name", "country", "currency", "tax_number", "registration_number")
_FILL = f"""
UPDATE client AS c SET {", ".join(_FROM_LEDGER.format(detail) for detail in _DETAILS)}
  FROM organisation AS o
 WHERE o.practice_id = $1 AND o.id = $2 AND c.practice_id = $1 AND c.id = o.client_id
"""
_LOCK_SERVED = """
SELECT c.id FROM client AS c
 WHERE c.practice_id = $1
   AND c.id = (SELECT o.client_id FROM organisation AS o WHERE o.practice_id = $1 AND o.id = $2)
   FOR NO KEY UPDATE
"""
_WORDS = """
INSERT INTO client_word (practice_id, word, client_id)
SELECT $1, w.word, w.client_id FROM unnest($2::text[], $3::uuid[]) AS w (word, client_id)
"""
_LIST = """
INSERT INTO member_client (practice_id, person_id, client_id)
SELECT $1, $2, c.id FROM unnest($3::uuid[]) AS c (id)
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerClient:
    """A client to make from an organisation; `is_named`: a person said its name."""

    id: ClientId
    organisation_id: OrganisationId
    name: str
    is_named: bool
    team_id: TeamId | None


async def namesakes(principal: Principal) -> list[Namesake]:
    """Every client of the practice, those that the caller sees first."""
    sql = ClientStatement(principal)
    visible = sql.visible("c.id")
    rows = await current().rows(
        f"SELECT c.id, c.name, {visible} AS visible FROM client AS c "
        "WHERE c.practice_id = $1 AND c.deleted_at IS NULL ORDER BY visible DESC, c.id",
        *sql.arguments,
    )
    return [Namesake(client_id=row["id"], name=row["name"], is_seen=row["visible"]) for row in rows]


async def add_many(principal: Principal, new: Sequence[LedgerClient], *, at: datetime) -> list[Client]:
    """Insert the clients with what their organisations tell, and the words of their names.

    A member whose access is by list gets them listed.
    """
    rows = await current().rows(
        _ADD,
        principal.practice_id,
        at,
        [each.id for each in new],
        [each.organisation_id for each in new],
        [each.name for each in new],
        [name_key(each.name) for each in new],
        [each.team_id for each in new],
        [each.is_named for each in new],
    )
    words = [(word, each.id) for each in new for word in name_words(each.name)]
    await current().run(
        _WORDS, principal.practice_id, [word for word, _ in words], [client_id for _, client_id in words]
    )
    if not principal.sees_all_clients:
        await current().run(_LIST, principal.practice_id, principal.person_id, [each.id for each in new])
    return [client_of(row) for row in rows]


async def lock_served(practice_id: PracticeId, organisation_id: OrganisationId) -> None:
    """Lock the client that the organisation serves at this moment, if it serves one, before the organisation."""
    await current().rows(_LOCK_SERVED, practice_id, organisation_id)


async def fill_details(practice_id: PracticeId, organisation_id: OrganisationId) -> None:
    """Give the client that the organisation, which is locked, serves by now those details that are the ledger's."""
    await current().run(_FILL, practice_id, organisation_id)
