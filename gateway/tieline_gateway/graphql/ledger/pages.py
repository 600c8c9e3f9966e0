"""Pages of records: the same for every kind of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import strawberry

from tieline.ledger.reading.repository import LedgerRecord
from tieline.pages import Page as PageOfRows
from tieline_gateway.graphql.pages import PageInfo

T = TypeVar("T")


@strawberry.type(description="A record and where it stands in its list.")
class Edge(Generic[T]):
    cursor: str
    node: T


@strawberry.type(description="A page of records, as they were last synced.")
class Page(Generic[T]):
    nodes: list[T]
    edges: list[Edge[T]]
    page_info: PageInfo
    total_count: int = strawberry.field(description="How many records the whole list has.")
    event_cursor: str = strawberry.field(description="Events after this cursor are what this page may lack.")

    @classmethod
    def of(cls, page: PageOfRows[LedgerRecord], show: Callable[[LedgerRecord], T]) -> Page[T]:
        nodes = [show(record) for record in page.rows]
        edges = zip(page.cursors, nodes, strict=True)
        return cls(
            nodes=nodes,
            edges=[Edge(cursor=cursor, node=node) for cursor, node in edges],
            page_info=PageInfo.of(page),
            total_count=page.total,
            event_cursor=page.event_cursor,
        )
