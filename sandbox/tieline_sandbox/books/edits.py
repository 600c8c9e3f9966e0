"""Edits: what somebody changed in the books after the seed made them. Each takes the clock's time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from tieline_sandbox.books.kinds import Edit, Kind, L
from tieline_sandbox.books.ledger import Ledger
from tieline_sandbox.books.values import Record, is_exact, to_json
from tieline_sandbox.codec import Malformed


@lru_cache(maxsize=16_384)
def edited(kind: Kind[Any], ledger: Ledger, edit: Edit) -> Record:
    """The record as it is now: made once, for every question looks at all edits, and nobody changes a record."""
    record = made(kind, ledger, edit.number) | json.loads(edit.fields, parse_float=Decimal)
    return kind.stamped(record, edit)


@lru_cache(maxsize=16_384)
def made(kind: Kind[Any], ledger: Ledger, number: int) -> Record:
    """The record as the seed gives it, made once: who reads books reads them again."""
    record: Record = kind.make(ledger, number)
    return record


def created(kind: Kind[L], ledger: L, edits: Mapping[str, Edit], fields: Record, now: datetime) -> Edit:
    """A new record: complete as the seed would make one that is in use, with the given fields over it."""
    count = ledger.count(kind.dataset)
    number = max((edit.number + 1 for edit in edits.values()), default=count)
    number = max(number, count)
    while not kind.is_there(kind.make(ledger, number)):
        number += 1
    id_ = kind.spelling(str(fields.get(kind.id_field) or kind.make(ledger, number)[kind.id_field]))
    text = _checked({**fields, kind.id_field: id_})
    return Edit(id=id_, number=number, fields=text, updated_at=now, created_at=now)


def changed(kind: Kind[L], ledger: L, before: Edit | None, id_: str, fields: Record, now: datetime) -> Edit:
    """A record that is there, with more of its fields changed; `before` is its earlier edit."""
    if kind.id_field in fields:
        raise Malformed(f"change.{kind.id_field}", "must stay as it is")
    number = before.number if before else kind.number_of(ledger, id_)
    if number is None:
        raise Malformed("id", f"{id_} is no record of {kind.dataset}")
    earlier = json.loads(before.fields, parse_float=Decimal) if before else {}
    return Edit(
        id=id_,
        number=number,
        fields=_checked({**earlier, **fields}),
        updated_at=now,
        version=before.version + 1 if before else 1,
        created_at=before.created_at if before else None,
    )


def _checked(fields: Record) -> str:
    for number in _decimals(fields):
        if not is_exact(number):
            raise Malformed("change", f"{number} has more digits than a JSON number keeps")
    return to_json(fields).decode()


def _decimals(value: Any) -> list[Decimal]:
    if isinstance(value, dict):
        return [number for item in value.values() for number in _decimals(item)]
    if isinstance(value, list):
        return [number for item in value for number in _decimals(item)]
    return [value] if isinstance(value, Decimal) else []
