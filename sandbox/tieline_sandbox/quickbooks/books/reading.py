"""Answers from the books: to a statement, to change data capture, to the id of one record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tieline_sandbox.books.shelf import Question, Shelf
from tieline_sandbox.books.values import Record
from tieline_sandbox.quickbooks.books.kinds import KINDS, UPDATED, Kind
from tieline_sandbox.quickbooks.books.ledger import Books, books_of
from tieline_sandbox.quickbooks.books.statements import Conditions, Statement, resolved, times
from tieline_sandbox.quickbooks.companies import Single
from tieline_sandbox.quickbooks.model import Company, QuickBooksState

LOOK_BACK = timedelta(days=30)
MAX_CHANGES = 1000


@dataclass(frozen=True)
class _Everything:
    """No condition at all: inactive records and the stubs of deleted ones, too."""

    ids: frozenset[str] | None = None

    def fields(self, _kind: Any) -> set[str]:
        return set()

    def hold(self, _kind: Any, _record: Record) -> bool:
        return True


def shelf_of(state: QuickBooksState, company: Company, kind: Kind) -> Shelf[Books]:
    edits = state.edits.get(company.realm_id, {}).get(kind.dataset, {})
    return Shelf(kind, books_of(company), edits)


def query(shelf: Shelf[Books], kind: Kind, statement: Statement) -> Record:
    """The content of a `QueryResponse`; an empty page does not name the entity. `Unparsable` for a wrong field."""
    wanted = resolved(statement, kind)
    since, before, where = times(wanted.where)
    question = Question(conditions=Conditions(where=where), since=since, before=before, order=wanted.order)
    selected = shelf.select(question)
    if wanted.is_count:
        return {"totalCount": len(selected)}
    found = list(selected.slice(wanted.start - 1, wanted.start - 1 + wanted.rows))
    if not found:
        return {}
    page = {"startPosition": wanted.start, "maxResults": len(found), "totalCount": len(selected)}
    return {kind.entity: found, **page}


def changes(
    state: QuickBooksState, company: Company, asked: Sequence[Kind | Single], since: datetime
) -> list[Record]:
    """A `QueryResponse` for each entity, in the order in which they were asked for and oldest change first.

    After the first thousand objects, over all entities together, nothing more is told.
    """
    responses: list[Record] = []
    left = MAX_CHANGES
    for kind in asked:
        found = _changed(state, company, kind, since)[:left]
        left -= len(found)
        paged = {kind.entity: found, "startPosition": 1, "maxResults": len(found)}
        responses.append(paged if found else {})
    return responses


def _changed(state: QuickBooksState, company: Company, asked: Kind | Single, since: datetime) -> list[Record]:
    if isinstance(asked, Single):
        return [asked.make(company)] if company.updated_at.replace(microsecond=0) >= since else []
    question = Question(conditions=_Everything(), since=since, order=((UPDATED, False),))
    return list(shelf_of(state, company, asked).select(question).slice(0, MAX_CHANGES))


def one(shelf: Shelf[Books], id_: str) -> Record | None:
    """A record by its id, an inactive one too; None for one that was deleted."""
    found = shelf.find(id_)
    return None if found is None or found.get("status") == "Deleted" else found


def everything(state: QuickBooksState, company: Company) -> Iterator[tuple[str, Iterator[Record]]]:
    """Every record of every dataset as it is now, inactive ones too, but none that was deleted."""
    for kind in KINDS:
        selected = shelf_of(state, company, kind).select(Question(conditions=_Everything()))
        records = selected.slice(0, len(selected))
        yield kind.dataset, (record for record in records if record.get("status") != "Deleted")
