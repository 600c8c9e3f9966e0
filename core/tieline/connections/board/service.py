"""The page of all clients and how each is connected, for those who run the practice."""

from __future__ import annotations

from collections.abc import Collection

from tieline.clients.service import read_search
from tieline.connections.board.repository import BoardPage, BoardQuery, BoardRepository, BoardSort
from tieline.connections.states import Status
from tieline.database import scope
from tieline.pages import Direction, decode_cursor, list_of, page_size
from tieline.plugins import Product
from tieline.principal import Principal


async def list_board(
    principal: Principal,
    product: Product,
    *,
    search: str | None = None,
    sort: BoardSort = BoardSort.NAME,
    direction: Direction = Direction.ASC,
    statuses: Collection[Status] = (),
    providers: Collection[str] = (),
    with_warnings: bool = False,
    first: int | None = None,
    after: str | None = None,
) -> BoardPage:
    """A page of all clients of the practice with their current connection of this product.

    The counts go by search and providers, the total by the statuses and warnings too. Raises Forbidden (practice
    admins only), Invalid (page size, search) and CursorInvalid.
    """
    principal.require_admin(reading=True)
    query = BoardQuery(
        product=product,
        words=read_search(search),
        sort=sort,
        direction=direction,
        statuses=frozenset(statuses),
        providers=frozenset(providers),
        with_warnings=with_warnings,
    )
    listed = _listed(principal, query)
    size, start = page_size(first), decode_cursor(listed, after)
    async with scope(principal.practice_id):
        return await BoardRepository.of(principal).page(query, after=start, first=size, listed=listed)


def _listed(principal: Principal, query: BoardQuery) -> str:
    return list_of(
        "board",
        principal.practice_id,
        query.product,
        query.sort,
        query.direction,
        query.words,
        sorted(query.statuses),
        sorted(query.providers),
        query.with_warnings,
    )
