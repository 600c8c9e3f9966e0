"""The SQL of suggestions: clients without a connection of a product, or whatever they have."""

from __future__ import annotations

from tieline.clients.repository import ClientStatement
from tieline.connections.suggestions.matching import Candidate
from tieline.database import current
from tieline.plugins import Product
from tieline.principal import Principal

MOST_CLIENTS = 10_000


async def unconnected_clients(principal: Principal, product: Product) -> list[Candidate]:
    """Clients that the caller sees and that have no current connection of the product, by name.

    At most 10,000, twice what a practice is made for: each costs a comparison with every organisation.
    """
    sql = ClientStatement(principal)
    return await _candidates(sql, f"{sql.visible('c.id')} AND c.id NOT IN ({_taken(sql, product)})")


async def visible_clients(principal: Principal) -> list[Candidate]:
    """Clients that the caller sees, whatever they are connected to, by name; at most 10,000."""
    sql = ClientStatement(principal)
    return await _candidates(sql, sql.visible("c.id"))


def _taken(sql: ClientStatement, product: Product) -> str:
    return (
        "SELECT k.client_id FROM connection AS k "
        f"WHERE k.practice_id = $1 AND k.product = {sql.bind(product.value)} AND k.ended_at IS NULL"
    )


async def _candidates(sql: ClientStatement, condition: str) -> list[Candidate]:
    rows = await current().rows(
        "SELECT c.id, c.name, c.legal_name FROM client AS c WHERE c.practice_id = $1 AND c.deleted_at IS NULL "
        f"AND {condition} ORDER BY c.name_key, c.id LIMIT {MOST_CLIENTS}",
        *sql.arguments,
    )
    return [Candidate(client_id=row["id"], name=row["name"], legal_name=row["legal_name"]) for row in rows]
