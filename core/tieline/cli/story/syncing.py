"""First syncs: followed until all of them rest, and compared with the books at the provider."""

from __future__ import annotations

import time
from collections.abc import Iterable

from rich.console import Console

from tieline.cli.story.api import Api, BrokeOff
from tieline.cli.story.bars import Bars, bars_for
from tieline.cli.story.board import Board, Row, read_board
from tieline.cli.story.live import Progress, live
from tieline.cli.story.provider import Sandbox
from tieline.cli.story.sums import Sum

_LISTS = """query($id: ID!) {
  accounts(connectionId: $id, first: 1) { totalCount }
  contacts(connectionId: $id, first: 1) { totalCount }
  tax_rates: taxRates(connectionId: $id, first: 1) { totalCount }
  tracking_categories: trackingCategories(connectionId: $id, first: 1) { totalCount } }"""
_DOCUMENTS = """query($id: ID!, $kinds: [LedgerDocumentKind!], $after: String) {
  ledgerDocuments(connectionId: $id, kinds: $kinds, first: 200, after: $after) {
    pageInfo { hasNextPage endCursor } nodes { total } } }"""
_KINDS = {"invoices": ("INVOICE", "BILL"), "bank_transactions": ("BANK_TRANSACTION",)}


def follow_syncs(api: Api, console: Console, *, seconds: float) -> Board:
    """Show the syncs until none of them is under way, or the time is over; the board then. Raises BrokeOff."""
    deadline = time.monotonic() + seconds
    board = read_board(api)
    if not board.under_way():
        return board
    with bars_for(console) as bars, live(api) as progress:
        while board.under_way() and time.monotonic() < deadline:
            _follow(board, progress, bars, deadline)
            board = read_board(api)
        bars.show(_connected(board))
    return board


def see_syncs_rest(api: Api, console: Console, *, seconds: float) -> Board:
    """Follow the syncs to where none is under way. Raises BrokeOff, with their names, when the time is over before."""
    board = follow_syncs(api, console, seconds=seconds)
    if under_way := board.under_way():
        names = ", ".join(row.client for row in under_way)
        raise BrokeOff(f"After {seconds:.0f} seconds syncs are still under way: {names}.")
    return board


def _follow(board: Board, progress: Progress, bars: Bars, deadline: float) -> None:
    """Show what is told of the board's syncs, until those that are known by now rest."""
    while True:
        bars.show(_connected(board))
        progress.follow(row.run_id for row in board.under_way() if row.run_id is not None)
        told = progress.next()
        board = board if told is None else board.told(told)
        if time.monotonic() > deadline or not any(row.run_id in progress.open for row in board.under_way()):
            return


def _connected(board: Board) -> list[Row]:
    return [row for row in board.rows if row.is_connected]


def equal_to_books(api: Api, sandbox: Sandbox, rows: Iterable[Row]) -> list[Row]:
    """Those of whose books we hold as many records of each kind as the provider, with the same sums of totals.

    Raises BrokeOff.
    """
    return [row for row in rows if row.tenant_id and _ours(api, row) == sandbox.books(row.tenant_id)]


def _ours(api: Api, row: Row) -> dict[str, Sum]:
    if row.connection_id is None:
        raise BrokeOff(f"{row.client} is not connected any more.")
    answer = api.ask(_LISTS, id=row.connection_id)
    lists = {dataset: Sum(count=page["totalCount"]) for dataset, page in answer.items()}
    return lists | {dataset: _documents(api, row.connection_id, kinds) for dataset, kinds in _KINDS.items()}


def _documents(api: Api, connection_id: str, kinds: Iterable[str]) -> Sum:
    pages = api.pages(_DOCUMENTS, "ledgerDocuments", id=connection_id, kinds=list(kinds))
    return Sum.of(node["total"] for page in pages for node in page["nodes"])
