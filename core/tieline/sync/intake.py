"""A plugin's page, checked before anything of it is stored. No I/O.

One record that cannot be kept is set aside and the page goes on; a page that is no page ends the run.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar

from tieline.canonical import storable
from tieline.ledger.records import Key, Row
from tieline.names import NAME_KEY_LENGTH, name_key
from tieline.plugins import Feed, Page, Record, SetAside
from tieline.plugins.edge import RAISED

MAX_RECORDS = 5_000
MAX_BYTES = 32 * 1024 * 1024
MAX_RECORD_BYTES = 8 * 1024 * 1024
MAX_ID = 200
_TOO_MANY = f"gave more than {MAX_RECORDS} records in one page"
_CUT_ID, _MARK = 150, 40
_KEY_PARTS = 2
_MAX_WHY = 500
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")

T = TypeVar("T")


class Misbehaved(Exception):
    """A plugin did what its contract does not allow. `str()` goes on after the plugin's name."""


class PageTooLarge(Misbehaved):
    """A page is larger than what is stored at once."""

    def __init__(self) -> None:
        super().__init__(f"gave more than {MAX_BYTES:,} bytes in one page")
        self.max_bytes = MAX_BYTES


class _Unkept(Exception):
    """Why one record cannot be kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Intake:
    """What is stored of a page: each key in one place only. `seen` is how many records there were."""

    rows: tuple[Row, ...]
    set_aside: Mapping[Key, str]
    gone: tuple[Key, ...]
    seen: int


def take_in(page: Page, feed: Feed) -> Intake:
    """Of records that come twice the last; what is gone is gone, what can be read is not set aside.

    Raises Misbehaved.
    """
    records, told, gone = _all(page.records, Record), _all(page.set_aside, SetAside), _keys(page.gone, feed)
    if len(records) + len(told) + len(gone) > MAX_RECORDS:
        raise Misbehaved(_TOO_MANY)
    rows: dict[Key, Row] = {}
    why = {_told_key(each, feed): _told_why(each) for each in told}
    for record in records:
        _check_dataset(record.dataset, feed)
        try:
            row = _row(record)
        except _Unkept as unkept:
            key = (record.dataset, _key_of(record.external_id))
            rows.pop(key, None)
            why[key] = str(unkept)
        else:
            rows[row.key] = row
            why.pop(row.key, None)
    if sum(len(row.data.encode()) for row in rows.values()) > MAX_BYTES:
        raise PageTooLarge
    for key in gone:
        rows.pop(key, None)
        why.pop(key, None)
    return Intake(rows=tuple(rows.values()), set_aside=why, gone=tuple(gone), seen=len(records) + len(told))


def _row(record: Record) -> Row:
    if not _is_text(record.external_id) or not 0 < len(record.external_id) <= MAX_ID:
        raise _Unkept(f"Its id is no text of 1 to {MAX_ID} characters that can be kept.")
    if not all(text is None or _is_text(text) for text in (record.name, record.code)):
        raise _Unkept("Its name or code is no text that can be kept.")
    if record.active not in (True, False) or not _is_instant(record.updated_at):
        raise _Unkept("Whether it is active, or when it was changed, is not said in a way that can be kept.")
    data = _json(record.data)
    return Row(
        dataset=record.dataset,
        external_id=record.external_id,
        name=record.name,
        code=record.code,
        sort_key=_sort_key(record),
        active=bool(record.active),
        data=data,
        updated_at=record.updated_at,
        hash=_hash(record, data),
    )


def _json(data: object) -> str:
    """With sorted keys, so that the same data has the same hash."""
    if not isinstance(data, dict):
        raise _Unkept("Its data is no object.")
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        raise _Unkept("Its data cannot be kept as JSON.") from error
    if size > MAX_RECORD_BYTES:
        raise _Unkept(f"It is larger than {MAX_RECORD_BYTES // 1024 // 1024} MB.")
    if _NUL.search(text):
        raise _Unkept("Its data holds characters that cannot be kept.")
    return text


def _sort_key(record: Record) -> str:
    """Documents sort by their date, everything else by its name."""
    if "dated_on" in record.data:
        dated_on = record.data["dated_on"]
        return dated_on[:NAME_KEY_LENGTH] if isinstance(dated_on, str) else ""
    return name_key(record.name or record.code or "")


def _hash(record: Record, data: str) -> bytes:
    updated_at = record.updated_at.timestamp() if record.updated_at else None
    others = json.dumps([record.name, record.code, record.active, updated_at])
    return hashlib.sha256(f"{others}\n{data}".encode()).digest()


def _all(given: object, kind: type[T]) -> list[T]:
    if not isinstance(given, Iterable):
        raise Misbehaved(f"gave a page without its {kind.__name__} objects")
    listed = _so_many(given)
    if not all(isinstance(each, kind) for each in listed):
        raise Misbehaved(f"gave something among its records that is no {kind.__name__}")
    return listed


def _so_many(given: Iterable[Any]) -> list[Any]:
    """As many as a page may have at most: what is given may have no end."""
    try:
        listed = list(islice(given, MAX_RECORDS + 1))
    except RAISED as error:
        raise Misbehaved(f"failed with {type(error).__name__}") from error
    if len(listed) > MAX_RECORDS:
        raise Misbehaved(_TOO_MANY)
    return listed


def _keys(given: object, feed: Feed) -> dict[Key, None]:
    """What is gone, each once. An id that cannot be kept was never kept."""
    keys: dict[Key, None] = {}
    for each in _so_many(given) if isinstance(given, Iterable) else (None,):
        dataset, external_id = each if isinstance(each, tuple) and len(each) == _KEY_PARTS else (None, None)
        if external_id is None:
            raise Misbehaved("gave something gone that is no dataset with an id")
        _check_dataset(dataset, feed)
        if _is_text(external_id):
            keys[str(dataset), external_id] = None
    return keys


def _told_key(told: SetAside, feed: Feed) -> Key:
    _check_dataset(told.dataset, feed)
    return told.dataset, _key_of(told.external_id)


def _told_why(told: SetAside) -> str:
    return storable(str(told.why))[:_MAX_WHY]


def _key_of(external_id: object) -> str:
    """A key for what may be no id at all."""
    if not isinstance(external_id, str):
        return ""
    text = storable(external_id)
    if len(text) <= MAX_ID:
        return text
    return f"{text[:_CUT_ID]}…{hashlib.sha256(text.encode()).hexdigest()[:_MARK]}"


def _check_dataset(dataset: object, feed: Feed) -> None:
    if dataset not in feed.datasets:
        raise Misbehaved(f"gave a record of a dataset that its feed {feed.name!r} does not have")


def _is_text(given: object) -> bool:
    return isinstance(given, str) and storable(given) == given


def _is_instant(at: object) -> bool:
    """PostgreSQL knows no years before 1 or after 9999 in Python's terms, nor instants without a zone."""
    if at is None:
        return True
    if not isinstance(at, datetime) or at.tzinfo is None:
        return False
    try:
        at.astimezone(UTC)
    except (OverflowError, ValueError, OSError):
        return False
    return True
