"""The board: every client of the practice with its connection of one product."""

from __future__ import annotations

import strawberry

from tieline.connections import states
from tieline.connections.board.repository import BoardPage, BoardRow, BoardSort
from tieline.connections.states import Remedy, Status
from tieline.pages import Direction
from tieline_gateway.graphql.clients.types import Client
from tieline_gateway.graphql.connections.types import Connection
from tieline_gateway.graphql.pages import PageInfo

strawberry.enum(
    BoardSort,
    name="ConnectionBoardSortField",
    description="STATUS: bad ones first. LAST_SYNC: those never synced first. ORGANISATION: by its name. "
    "INTEGRATED_BY: by the person's name, then the login; nobody first.",
)


@strawberry.input(description="Equal rows stand by the client's name.")
class ConnectionBoardSort:
    field: BoardSort = BoardSort.NAME
    direction: Direction = Direction.ASC


@strawberry.type(description="A client's line.")
class ConnectionBoardRow:
    client: Client
    statuses: list[Status] = strawberry.field(description="One, or two: a mismatch is also connected.")
    connection: Connection | None = strawberry.field(description="Null where the client is UNINTEGRATED.")
    remedy: Remedy | None = strawberry.field(
        description="The action that mends it; null where nothing is wrong."
    )
    explanation: str | None = strawberry.field(
        description="A sentence for people, in English; null where nothing is wrong."
    )

    @classmethod
    def of(cls, row: BoardRow) -> ConnectionBoardRow:
        reason = row.connection.reason if row.connection else None
        return cls(
            client=Client.of(row.client),
            statuses=list(states.statuses(row.status)),
            connection=Connection.of(row.connection) if row.connection else None,
            remedy=states.remedy(row.status, reason),
            explanation=states.explanation(row.status, reason),
        )


@strawberry.type(
    description="How many clients have each status, by what says which clients (search, providers, teams and who "
    "integrated them), whatever states are shown."
)
class ConnectionCounts:
    unintegrated: int
    connected: int = strawberry.field(description="Mismatches too, so that the sum may exceed the total.")
    mismatch: int
    expired: int

    @classmethod
    def of(cls, page: BoardPage) -> ConnectionCounts:
        return cls(**{status.value.lower(): count for status, count in page.counts.items()})


@strawberry.type(description="A line and where it stands on the board.")
class ConnectionBoardEdge:
    cursor: str
    node: ConnectionBoardRow


@strawberry.type(description="A page of the board.")
class ConnectionBoardPage:
    nodes: list[ConnectionBoardRow]
    edges: list[ConnectionBoardEdge]
    page_info: PageInfo
    total_count: int = strawberry.field(description="How many lines the whole list has, by all filters.")
    counts: ConnectionCounts
    event_cursor: str = strawberry.field(description="Events after this cursor are what this page may lack.")

    @classmethod
    def of(cls, page: BoardPage) -> ConnectionBoardPage:
        nodes = [ConnectionBoardRow.of(row) for row in page.rows]
        edges = zip(page.cursors, nodes, strict=True)
        return cls(
            nodes=nodes,
            edges=[ConnectionBoardEdge(cursor=cursor, node=node) for cursor, node in edges],
            page_info=PageInfo.of(page),
            total_count=page.total,
            counts=ConnectionCounts.of(page),
            event_cursor=page.event_cursor,
        )
