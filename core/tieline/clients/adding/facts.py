"""What has to be known before clients are added: loaded under the locks of a connect, in a few statements."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from tieline.clients.adding.decisions import AddingFacts, Namesake, Wanted
from tieline.clients.adding.repository import namesakes
from tieline.connections.decisions import Facts
from tieline.connections.facts import load_facts
from tieline.connections.repository import ConnectionRepository
from tieline.ids import ClientId, OrganisationId, TeamId
from tieline.names import match_key
from tieline.plugins import Product
from tieline.practices.repository import PracticeRepository
from tieline.principal import Principal
from tieline.sign_ins.repository import SignIn


async def load_adding_facts(
    principal: Principal,
    sign_in: SignIn,
    product: Product,
    rows: Sequence[Wanted],
    *,
    at: datetime,
    lock: bool = True,
) -> AddingFacts:
    """Everything that rows are decided by, locked if clients are to be made; a constant number of statements."""
    practice = PracticeRepository.of(principal.practice_id)
    if lock:
        # Two requests at once would not see the names that the other one adds.
        await practice.lock()
    wanted = {row.organisation_id for row in rows}
    connecting = await load_facts(principal, sign_in, product, [], at=at, also=wanted, lock=lock)
    teams: set[TeamId] = {row.team_id for row in rows if row.team_id is not None}
    known = await practice.get()
    return AddingFacts(
        connecting=connecting,
        served=await _served(principal, connecting),
        named=await asyncio.to_thread(_by_name, await namesakes(principal)),
        teams=frozenset(team.id for team in await practice.teams(list(teams))),
        practice_name=known.name,
        plan=known.plan,
    )


async def _served(principal: Principal, connecting: Facts) -> dict[OrganisationId, ClientId]:
    """Which of the organisations are connected for the product already, as far as the caller sees it."""
    standing = await ConnectionRepository.visible_to(principal).current_of_clients(
        connecting.clients, connecting.product
    )
    serving = {each.id: each.client_id for each in connecting.organisations.values()}
    return {
        each.organisation_id: each.client_id
        for each in standing
        if serving.get(each.organisation_id) == each.client_id
    }


def _by_name(clients: Sequence[Namesake]) -> dict[str, Namesake]:
    """By what their names match by; of several the first."""
    return {match_key(each.name): each for each in reversed(clients)}
