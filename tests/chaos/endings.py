"""What a story leaves behind in the tables, in words that are the same when it is played again with other ids."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.chaos.portfolio import Portfolio

_LEFT = {
    "runs": """
        SELECT o.name, r.trigger, r.lane, r.state, r.reason FROM sync_run AS r
          JOIN organisation AS o ON o.id = r.organisation_id WHERE r.practice_id = $1""",
    "feeds": """
        SELECT o.name, f.feed, f.generation, f.full_read_at IS NULL FROM feed_cursor AS f
          JOIN organisation AS o ON o.id = f.organisation_id WHERE f.practice_id = $1""",
    "events": """
        SELECT c.name, e.kind FROM event AS e LEFT JOIN client AS c ON c.id = e.client_id WHERE e.practice_id = $1""",
    "connections": """
        SELECT c.name, n.product, n.status, n.reason FROM connection AS n
          JOIN client AS c ON c.id = n.client_id WHERE n.practice_id = $1""",
    "jobs": "SELECT actor, failed_at IS NULL, error FROM job WHERE practice_id = $1",
}


async def ending(portfolio: Portfolio) -> Counter[tuple[Any, ...]]:
    """Each row of the practice's runs, feeds, events, connections and jobs that are left, as often as it is there."""
    left: Counter[tuple[Any, ...]] = Counter()
    for table, sql in _LEFT.items():
        rows = await portfolio.stand.rows(sql, portfolio.practice_id)
        left.update((table, *row.values()) for row in rows)
    return left
