"""Our copy of somebody's books beside the books at the provider: as many records of each kind, the same sums."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tieline.cli.story.api import Api, BrokeOff
from tieline.cli.story.board import Row
from tieline.cli.story.played import EVERY
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
_AT_ONCE = 4


def equal_to_books(api: Api, sandbox: Sandbox, rows: Iterable[Row]) -> list[Row]:
    """Those of whose books we hold as many records of each kind as the provider, with the same sums of totals.

    Raises BrokeOff.
    """
    known, compare = list(rows), partial(_is_equal, api, sandbox)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [row for row, is_equal in zip(known, pool.map(compare, known), strict=True) if is_equal]


def _is_equal(api: Api, sandbox: Sandbox, row: Row) -> bool:
    if row.provider is None or row.external_id is None:
        return False
    theirs = sandbox.books(EVERY[row.provider], row.external_id)
    ours = _ours(api, row)
    return {shelf: ours[shelf] for shelf in theirs} == theirs


def _ours(api: Api, row: Row) -> dict[str, Sum]:
    if row.connection_id is None:
        raise BrokeOff(f"{row.client} is not connected any more.")
    answer = api.ask(_LISTS, id=row.connection_id)
    lists = {dataset: Sum(count=page["totalCount"]) for dataset, page in answer.items()}
    return lists | {dataset: _documents(api, row.connection_id, kinds) for dataset, kinds in _KINDS.items()}


def _documents(api: Api, connection_id: str, kinds: Iterable[str]) -> Sum:
    pages = api.pages(_DOCUMENTS, "ledgerDocuments", id=connection_id, kinds=list(kinds))
    return Sum.of(node["total"] for page in pages for node in page["nodes"])
