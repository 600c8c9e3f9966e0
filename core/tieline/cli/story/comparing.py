"""Our copy of somebody's books beside the books at the provider: as many records of each kind, the same sums."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tieline.cli.story.api import Api, BrokeOff
from tieline.cli.story.board import Row
from tieline.cli.story.played import EVERY
from tieline.cli.story.provider import Sandbox
from tieline.cli.story.sums import Sum

_LISTS = {
    "accounts": "accounts",
    "contacts": "contacts",
    "items": "ledgerItems",
    "tax_rates": "taxRates",
    "tax_agencies": "taxAgencies",
    "tracking_categories": "trackingCategories",
    "classes": "classes",
    "departments": "departments",
    "payment_methods": "paymentMethods",
    "terms": "paymentTerms",
    "currencies": "currencies",
    "branding_themes": "brandingThemes",
    "journals": "journals",
}
_COUNTS = "".join(
    f"{shelf}: {list_}(connectionId: $id, first: 1) {{ totalCount }} " for shelf, list_ in _LISTS.items()
)
_PAGE = """query($id: ID!, $after: String) {{
  {list}(connectionId: $id, {kinds}first: 200, after: $after) {{
    pageInfo {{ hasNextPage endCursor }} nodes {{ {total} }} }} }}"""
_SUMMED = {
    "invoices": ("ledgerDocuments", "INVOICE, BILL"),
    "credit_notes": ("ledgerDocuments", "CREDIT_NOTE, SUPPLIER_CREDIT_NOTE"),
    "sales_receipts": ("ledgerDocuments", "SALES_RECEIPT"),
    "bank_transactions": ("ledgerDocuments", "BANK_TRANSACTION"),
    "deposits": ("ledgerDocuments", "DEPOSIT"),
    "payments": ("payments", "PAYMENT, BILL_PAYMENT"),
    "advances": ("payments", "PREPAYMENT, OVERPAYMENT"),
    "bank_transfers": ("bankTransfers", None),
}
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
    return _ours(api, row, theirs) == theirs


def _ours(api: Api, row: Row, shelves: Collection[str]) -> dict[str, Sum]:
    """What the lists come to that hold these shelves."""
    if row.connection_id is None:
        raise BrokeOff(f"{row.client} is not connected any more.")
    answer = api.ask(f"query($id: ID!) {{ {_COUNTS} }}", id=row.connection_id)
    counted = {shelf: Sum(count=answer[shelf]["totalCount"]) for shelf in shelves if shelf in _LISTS}
    return counted | {shelf: _summed(api, row.connection_id, shelf) for shelf in shelves if shelf in _SUMMED}


def _summed(api: Api, connection_id: str, shelf: str) -> Sum:
    list_, kinds = _SUMMED[shelf]
    total = "total" if kinds else "total: amount"
    document = _PAGE.format(list=list_, kinds=f"kinds: [{kinds}], " if kinds else "", total=total)
    pages = api.pages(document, list_, id=connection_id)
    return Sum.of(node["total"] for page in pages for node in page["nodes"])
