"""The database goes away and comes back: what had not begun is tried again, what had is answered honestly."""

from __future__ import annotations

import asyncio

from tests.support.deployment import Deployment
from tests.support.firm import Firm

END_ALL = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
 WHERE datname = current_database() AND application_name = 'tieline'
"""


async def test_connections_that_died_in_the_pool_cost_callers_nothing(
    firm: Firm, deployment: Deployment
) -> None:
    admin = await deployment.connect()
    query = "{ viewer { role } }"
    await asyncio.gather(*(firm.admin.ask(query) for _ in range(20)))

    for _ in range(5):
        assert await admin.fetchval(END_ALL) > 0
        answers = await asyncio.gather(*(firm.admin.ask(query) for _ in range(20)))

        assert answers == [{"viewer": {"role": "ADMIN"}}] * 20
    await admin.close()
