"""Clients whose names leave their organisations' and come back: another status each time, and events that say so."""

from __future__ import annotations

from dataclasses import dataclass

from tests.chaos.portfolio import Portfolio, each, many
from tests.chaos.stand import Stand
from tests.support.events import rename

EVENTS_EACH = 2
"""Of a renaming: another name, and another status by that."""
_CLIENTS = "SELECT id::text, name FROM client WHERE practice_id = $1 ORDER BY name"


@dataclass(kw_only=True)
class Renaming:
    """`names` are the clients' at the beginning, by id, which are their organisations' as well."""

    portfolio: Portfolio
    names: dict[str, str]
    rounds: int = 0

    @property
    def events(self) -> int:
        """How many came of the rounds that are over."""
        return self.rounds * len(self.names) * EVENTS_EACH

    async def a_round(self) -> None:
        """Each client once."""
        suffix = "" if self.rounds % 2 else f", round {self.rounds}"

        async def one(client_id: str) -> None:
            await rename(self.portfolio.admin, client_id, f"{self.names[client_id]}{suffix}")

        await each(one, self.names)
        self.rounds += 1


async def renaming_of(stand: Stand, clients: int, *, seed: str) -> Renaming:
    """A practice of so many clients, all connected. The gateway must run."""
    portfolio = await many(stand, clients, seed=seed)
    rows = await stand.rows(_CLIENTS, portfolio.practice_id)
    return Renaming(portfolio=portfolio, names={row["id"]: row["name"] for row in rows})
