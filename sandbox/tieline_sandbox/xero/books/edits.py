"""Edits: what somebody changed in the books after the seed made them. Each takes the clock's time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from tieline_sandbox.codec import Malformed
from tieline_sandbox.xero.books.kinds import Kind
from tieline_sandbox.xero.books.ledger import Ledger, Record
from tieline_sandbox.xero.model import Edit
from tieline_sandbox.xero.wire import is_exact, ms_date, to_json

_OPEN = ("DRAFT", "SUBMITTED")


def edited(kind: Kind, ledger: Ledger, edit: Edit) -> Record:
    """The record as it is now."""
    record: Record = kind.make(ledger, edit.number) | json.loads(edit.fields, parse_float=Decimal)
    if "UpdatedDateUTC" in record:
        record["UpdatedDateUTC"] = ms_date(edit.updated_at)
    if "UpdatedDateUTCString" in record:
        record["UpdatedDateUTCString"] = f"{edit.updated_at:%Y-%m-%dT%H:%M:%S}Z"
    return record


def created(kind: Kind, ledger: Ledger, edits: Mapping[str, Edit], fields: Record, now: datetime) -> Edit:
    """A new record: complete as the seed would make it, with the given fields over it."""
    count = ledger.count(kind.dataset)
    number = max((edit.number + 1 for edit in edits.values()), default=count)
    number = max(number, count)
    id_ = kind.spelling(str(fields.get(kind.id_field) or kind.make(ledger, number)[kind.id_field]))
    text = _checked({**fields, kind.id_field: id_})
    return Edit(id=id_, number=number, fields=text, updated_at=now)


def changed(kind: Kind, ledger: Ledger, before: Edit | None, id_: str, fields: Record, now: datetime) -> Edit:
    """A record that is there, with more of its fields changed; `before` is its earlier edit."""
    if kind.id_field in fields:
        raise Malformed(f"change.{kind.id_field}", "must stay as it is")
    number = before.number if before else kind.number_of(ledger, id_)
    if number is None:
        raise Malformed("id", f"{id_} is no record of {kind.dataset}")
    earlier = json.loads(before.fields, parse_float=Decimal) if before else {}
    return Edit(id=id_, number=number, fields=_checked({**earlier, **fields}), updated_at=now)


def removal(kind: Kind, record: Record, *, archived: bool) -> Record:
    """The fields that a record has when it is archived or deleted; an invoice that was approved is voided."""
    status = kind.archived if archived else kind.deleted
    if status is None:
        raise Malformed(
            "archived" if archived else "deleted", f"is not something that happens to {kind.dataset}"
        )
    if kind.dataset == "invoices" and record["Status"] not in _OPEN:
        status = "VOIDED"
    return {kind.status_field: status}


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
