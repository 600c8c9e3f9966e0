"""First syncs: followed until all of them rest, and compared with the books at the provider."""

from __future__ import annotations

import time
from collections.abc import Iterable

from rich.console import Console

from tieline.cli.story.api import Api, BrokeOff
from tieline.cli.story.bars import bars_for
from tieline.cli.story.board import Board, Row, read_board
from tieline.cli.story.provider import Sandbox

_LOOK_SECONDS = 0.3
_COUNTS = """query($id: ID!) {
  accounts(connectionId: $id, first: 1) { totalCount }
  contacts(connectionId: $id, first: 1) { totalCount }
  tax_rates: taxRates(connectionId: $id, first: 1) { totalCount }
  tracking_categories: trackingCategories(connectionId: $id, first: 1) { totalCount }
  invoices: ledgerDocuments(connectionId: $id, first: 1, kinds: [INVOICE, BILL]) { totalCount }
  bank_transactions: ledgerDocuments(connectionId: $id, first: 1, kinds: [BANK_TRANSACTION]) { totalCount } }"""


def follow_syncs(api: Api, console: Console, *, seconds: float) -> Board:
    """Show the syncs until none of them is under way, or the time is over; the board then. Raises BrokeOff."""
    deadline = time.monotonic() + seconds
    board = read_board(api)
    if _all_rest(board):
        return board
    with bars_for(console) as bars:
        while True:
            bars.show([row for row in board.rows if row.is_connected])
            if _all_rest(board) or time.monotonic() > deadline:
                return board
            time.sleep(_LOOK_SECONDS)
            board = read_board(api)


def _all_rest(board: Board) -> bool:
    return all(row.is_resting for row in board.rows if row.is_connected)


def equal_to_books(api: Api, sandbox: Sandbox, rows: Iterable[Row]) -> list[Row]:
    """Those of whose books we hold exactly as many records of each kind as the provider. Raises BrokeOff."""
    return [row for row in rows if row.tenant_id and _ours(api, row) == sandbox.books(row.tenant_id)]


def _ours(api: Api, row: Row) -> dict[str, int]:
    if row.connection_id is None:
        raise BrokeOff(f"{row.client} is not connected any more.")
    answer = api.ask(_COUNTS, id=row.connection_id)
    return {dataset: page["totalCount"] for dataset, page in answer.items()}
