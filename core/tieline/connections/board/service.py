"""The page of all clients and how each is connected, for those who run the practice."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from tieline.clients.service import read_search
from tieline.connections.board.repository import BoardPage, BoardQuery, BoardRepository, BoardSort
from tieline.connections.states import Reason, Status
from tieline.database import scope
from tieline.ids import PersonId, TeamId
from tieline.pages import Direction, chosen, decode_cursor, list_of, listed_by, page_size
from tieline.plugins import Product
from tieline.principal import Principal


async def list_board(
    principal: Principal,
    product: Product,
    *,
    search: str | None = None,
    sort: BoardSort = BoardSort.NAME,
    direction: Direction = Direction.ASC,
    providers: Collection[str] = (),
    team_ids: Collection[TeamId] = (),
    integrated_by: PersonId | None = None,
    statuses: Collection[Status] = (),
    reasons: Collection[Reason] = (),
    with_warnings: bool = False,
    expiring_before: datetime | None = None,
    first: int | None = None,
    after: str | None = None,
) -> BoardPage:
    """A page of all clients of the practice with their current connection of this product.

    The counts go by search, providers, teams and who integrated it, the total by all filters. `expiring_before` leaves
    what works now and ends earlier than that instant. Raises Forbidden (practice admins only), Invalid (page size,
    search, a filter of too many) and CursorInvalid.
    """
    principal.require_admin(reading=True)
    query = BoardQuery(
        product=product,
        sort=sort,
        direction=direction,
        words=read_search(search),
        providers=chosen(providers, field="providers"),
        team_ids=chosen(team_ids, field="teamIds"),
        integrated_by=integrated_by,
        statuses=frozenset(statuses),
        reasons=frozenset(reasons),
        with_warnings=with_warnings,
        expiring_before=expiring_before,
    )
    listed = list_of("board", principal.practice_id, *listed_by(query))
    size, start = page_size(first), decode_cursor(listed, after)
    async with scope(principal.practice_id):
        return await BoardRepository.of(principal).page(query, after=start, first=size, listed=listed)
