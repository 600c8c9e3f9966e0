"""What is true of a practice after every deed, whatever came before it."""

from __future__ import annotations

from uuid import UUID

from tests.connections.together.facts import Facts, Line
from tests.connections.together.ledger import Ledger
from tests.connections.together.stage import Stage
from tieline.connections.board.service import list_board
from tieline.connections.states import Status
from tieline.plugins import Product

_TWICE = """
SELECT count(*) FROM connection WHERE practice_id = $1 AND ended_at IS NULL
 GROUP BY client_id, product HAVING count(*) > 1
"""
_SHARED = """
SELECT o.id FROM organisation AS o LEFT JOIN connection AS k
    ON k.organisation_id = o.id AND k.ended_at IS NULL AND k.reason IS DISTINCT FROM 'DISCONNECTED'
 WHERE o.practice_id = $1 GROUP BY o.id
HAVING count(DISTINCT k.client_id) > 1 OR min(k.client_id::text) IS DISTINCT FROM min(o.client_id::text)
"""
_FOREIGN = """
SELECT k.id FROM connection AS k JOIN client AS c ON c.id = k.client_id
  JOIN organisation AS o ON o.id = k.organisation_id JOIN credential AS r ON r.id = k.credential_id
  JOIN provider_app AS a ON a.id = r.provider_app_id
 WHERE k.practice_id = $1 AND ((c.practice_id, o.practice_id, r.practice_id, a.practice_id)
       <> (k.practice_id, k.practice_id, k.practice_id, k.practice_id) OR a.provider <> o.provider)
"""
_UNSETTLED = """
SELECT id, settings FROM connection
 WHERE practice_id = $1 AND id = ANY ($2::uuid[]) AND settings <> jsonb_build_object('mark', id)
"""
_WHOLE = """
SELECT md5(coalesce(string_agg(row.text, '' ORDER BY row.text), '')) FROM (
  SELECT t::text AS text FROM connection AS t WHERE practice_id = $1 UNION ALL
  SELECT t::text FROM credential AS t WHERE practice_id = $1 UNION ALL
  SELECT t::text FROM organisation AS t WHERE practice_id = $1 UNION ALL
  SELECT t::text FROM consent AS t WHERE practice_id = $1 UNION ALL
  SELECT t::text FROM client AS t WHERE practice_id = $1) AS row
"""


async def hold(stage: Stage, facts: Facts) -> None:
    """One current connection, one client for an organisation, nothing of another practice, no false CONNECTED."""
    for wrong, sentence in (
        (_TWICE, "a client has two current connections of one product"),
        (_SHARED, "an organisation serves two clients, or one that does not hold it"),
        (_FOREIGN, "a connection hangs on what is another practice's or another provider's"),
    ):
        assert await stage.sql.fetch(wrong, stage.practice_id) == [], sentence
    assert stage.ledger.wronged == []
    for line in facts.lines.values():
        kept = facts.credentials[line.credential]
        external, (_, client_id) = facts.externals[line.organisation], stage.apps[kept.slug]
        if line.reason is None:
            assert kept.is_live, f"{line} counts as connected on a dead credential"
            assert is_open(stage.ledger, client_id, kept.subject, external), (
                f"{line} was let go of, and not told"
            )


def is_open(ledger: Ledger, client_id: str, subject: str, external_id: str) -> bool:
    """Or it was taken away at the provider, which nobody need have noticed yet."""
    is_removed = (client_id, subject, external_id) in ledger.removed
    return is_removed or ledger.opens(client_id, subject, external_id)


def untouched(before: Facts, after: Facts) -> None:
    """What ended stays as it ended; only a purge takes it away, with its client."""
    for connection, line in before.ended.items():
        gone = connection not in after.ended and line.client not in before.clients
        assert gone or after.ended.get(connection) == line, (
            f"{line} had ended, and is {after.ended.get(connection)}"
        )


async def settled(stage: Stage, before: Facts) -> None:
    """What was settled about a connection stays as it is, whatever becomes of the connection."""
    known = [*before.ended, *(line.id for line in before.lines.values())]
    assert await stage.sql.fetch(_UNSETTLED, stage.practice_id, known) == [], "settings were changed"


def by_machine(stage: Stage, before: Facts, after: Facts) -> None:
    """Jobs end nothing, connect nothing, and give and take away only those reasons that the provider bears out."""
    assert before.lines.keys() == after.lines.keys()
    for key, line in before.lines.items():
        assert is_borne_out(stage, after, line, after.lines[key]), f"{line} became {after.lines[key]}"


def is_borne_out(stage: Stage, facts: Facts, line: Line, now: Line) -> bool:
    if now == line:
        return True
    if _but_reason(line) != _but_reason(now):
        return False
    kept = facts.credentials[line.credential]
    external = facts.externals[line.organisation]
    reached = stage.ledger.opens(stage.apps[kept.slug][1], kept.subject, external)
    if now.reason is None:
        return reached and line.reason in {"REVOKED_AT_PROVIDER", "ACCESS_LOST", "SUBSCRIPTION_LAPSED"}
    if now.reason == "CONSENT_EXPIRED":
        return (line.credential, line.organisation) in facts.over and line.reason != "DISCONNECTED"
    return (
        not reached
        and now.reason in {"REVOKED_AT_PROVIDER", "TOKEN_EXPIRED"}
        and line.reason != "DISCONNECTED"
    )


async def shown(stage: Stage, facts: Facts) -> None:
    """The board shows what there is, and counts it."""
    for product in Product:
        board = await list_board(stage.people[0].principal, product, first=200)
        lines = [Line.of(row.connection) for row in board.rows if row.connection is not None]
        assert {line.key: line for line in lines} == {
            key: line for key, line in facts.lines.items() if key[1] == product
        }
        assert {row.client.id for row in board.rows} == facts.clients
        assert board.counts[Status.UNINTEGRATED] == len(facts.clients) - len(lines)


async def whole(stage: Stage) -> str:
    """All that another practice has, as one word."""
    found: str = await stage.sql.fetchval(_WHOLE, stage.practice_id)
    return found


def _but_reason(line: Line) -> tuple[UUID | None, UUID, str, UUID, UUID]:
    return line.id, line.client, line.product, line.organisation, line.credential
