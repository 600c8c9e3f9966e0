"""The questions of an HTTP request to the books, and the form that the records have in the answer."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from tieline_sandbox.books.shelf import Question, Shelf
from tieline_sandbox.books.values import Record
from tieline_sandbox.xero.books.conditions import Conditions
from tieline_sandbox.xero.books.filters import Condition, Unparsable, parse_order, parse_where
from tieline_sandbox.xero.books.kinds import KINDS, Kind
from tieline_sandbox.xero.books.ledger import Ledger, ledger_of
from tieline_sandbox.xero.books.sums import CENT
from tieline_sandbox.xero.model import Organisation, XeroState

DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE = 100, 1000
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SIDES = ("PurchaseDetails", "SalesDetails")
_LIGHT_CONTACT = ("Addresses", "Phones", "ContactGroups", "ContactPersons", "BankAccountDetails")


@dataclass(frozen=True, kw_only=True)
class Form:
    """How records are shown: lines in paged and single reads only, unit amounts to two or four decimals."""

    with_lines: bool
    with_archived: bool
    is_light: bool = False
    four_decimals: bool = False

    def shown(self, kind: Kind, record: Record) -> Record:
        if kind.lines is not None:
            lines = record[kind.lines] if self.with_lines else []
            return record | {kind.lines: lines if self.four_decimals else [_rounded(line) for line in lines]}
        if kind.dataset == "items" and not self.four_decimals:
            return record | {
                side: _rounded(record[side]) for side in _SIDES if isinstance(record[side], dict)
            }
        if kind.dataset == "tracking_categories" and not self.with_archived:
            options = [option for option in record["Options"] if option["Status"] != "ARCHIVED"]
            return record | {"Options": options}
        if self.is_light and kind.dataset == "contacts":
            return {name: value for name, value in record.items() if name not in _LIGHT_CONTACT}
        return record


def shelf_of(state: XeroState, organisation: Organisation, kind: Kind) -> Shelf[Ledger]:
    edits = state.edits.get(organisation.tenant_id, {}).get(kind.dataset, {})
    return Shelf(kind, ledger_of(organisation), edits)


def read(shelf: Shelf[Ledger], kind: Kind, query: Mapping[str, str], headers: Mapping[str, str]) -> Record:
    """The collection, and `pagination` where pages were asked for; `Unparsable` for what is not understood."""
    light = _is_true(query, "summaryOnly") and kind.dataset in ("contacts", "invoices")
    paged = kind.is_paged and (light or "page" in query or "pageSize" in query)
    selected = shelf.select(_question(kind, query, headers))
    form = Form(
        with_lines=paged and not light,
        with_archived=_is_true(query, "includeArchived"),
        is_light=light,
        four_decimals=query.get("unitdp") == "4",
    )
    page, size = _whole(query, "page", 1), min(_whole(query, "pageSize", DEFAULT_PAGE_SIZE), MAX_PAGE_SIZE)
    start, stop = ((page - 1) * size, page * size) if paged else (0, len(selected))
    content: Record = {kind.resource: [form.shown(kind, record) for record in selected.slice(start, stop)]}
    if paged:
        total = len(selected)
        pages = math.ceil(total / size)
        content["pagination"] = {"page": page, "pageSize": size, "pageCount": pages, "itemCount": total}
    return content


def read_one(shelf: Shelf[Ledger], kind: Kind, id_: str, query: Mapping[str, str]) -> Record | None:
    """A collection of one, by its id or by what else its kind is asked for by."""
    found = shelf.find(id_) or _named(shelf, kind, id_)
    if found and kind.vanishes and found.get(kind.status_field) in kind.hidden(archived=True, deleted=True):
        return None
    form = Form(with_lines=True, with_archived=True, four_decimals=query.get("unitdp") == "4")
    return {kind.resource: [form.shown(kind, found)]} if found else None


def _named(shelf: Shelf[Ledger], kind: Kind, name: str) -> Record | None:
    """The first of that name; what looks like an id is none."""
    if kind.also is None or _UUID.fullmatch(name):
        return None
    conditions = Conditions(where=((Condition(kind.also, "==", name),),))
    return next(shelf.select(Question(conditions=conditions)).slice(0, 1), None)


def everything(state: XeroState, organisation: Organisation) -> Iterator[tuple[str, Iterator[Record]]]:
    """Every record of every dataset in full, as the API shows it now."""
    form = Form(with_lines=True, with_archived=True, four_decimals=True)
    for kind in KINDS:
        shown = Conditions(without=kind.hidden(archived=True, deleted=True))
        selected = shelf_of(state, organisation, kind).select(Question(conditions=shown))
        yield kind.dataset, (form.shown(kind, record) for record in selected.slice(0, len(selected)))


def modified_since(text: str | None) -> datetime | None:
    """The header, as HTTP or as ISO 8601 writes dates, in UTC unless it says otherwise; whole seconds."""
    if not text:
        return None
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = parse(text)
        except ValueError:
            continue
        at = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        return at.replace(microsecond=0)
    raise Unparsable(text)


def _question(kind: Kind, query: Mapping[str, str], headers: Mapping[str, str]) -> Question:
    is_invoices = kind.dataset == "invoices"
    conditions = Conditions(
        where=parse_where(query["where"]) if query.get("where") else (),
        statuses=_listed(query, "Statuses") or frozenset() if is_invoices else frozenset(),
        ids=_asked_ids(kind, query),
        contact_ids=_ids(query, "ContactIDs") if is_invoices else None,
        numbers=_listed(query, "InvoiceNumbers") if is_invoices else None,
        search=query.get("searchTerm", "") if is_invoices or kind.dataset == "contacts" else "",
        without=kind.hidden(
            archived=_is_true(query, "includeArchived"), deleted=_is_true(query, "includeDeleted")
        ),
    )
    return Question(
        conditions=conditions,
        since=modified_since(headers.get("if-modified-since")) if kind.knows_changes else None,
        order=parse_order(query["order"]) if query.get("order") else kind.order,
    )


def _asked_ids(kind: Kind, query: Mapping[str, str]) -> frozenset[str] | None:
    """No invoice was made by an app here."""
    if kind.dataset == "invoices" and _is_true(query, "createdByMyApp"):
        return frozenset()
    return _ids(query, "IDs") if kind.dataset in ("contacts", "invoices") else None


def _ids(query: Mapping[str, str], name: str) -> frozenset[str] | None:
    found = _listed(query, name)
    return None if found is None else frozenset(id_.lower() for id_ in found)


def _listed(query: Mapping[str, str], name: str) -> frozenset[str] | None:
    if not query.get(name):
        return None
    return frozenset(part.strip().strip('"') for part in query[name].split(","))


def _is_true(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() == "true"


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    return max(1, int(text)) if text.isdecimal() else default


def _rounded(line: dict[str, Any]) -> dict[str, Any]:
    amounts = {
        name: line[name] for name in ("UnitAmount", "UnitPrice") if isinstance(line.get(name), Decimal)
    }
    return line | {name: amount.quantize(CENT, ROUND_HALF_UP) for name, amount in amounts.items()}
