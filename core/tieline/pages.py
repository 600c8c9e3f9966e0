"""Pages by keyset: opaque cursors bound to their sort and filter, and the bounds of a page."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Generic, TypeVar
from uuid import UUID

from tieline.errors import CursorInvalid, Invalid

MAX_PAGE = 200
DEFAULT_PAGE = 50
MAX_FILTER = 100
_MAX_TOKEN = 4_096  # a sort key of 400 characters, each of 4 bytes, fits in base64

T = TypeVar("T")


class Direction(StrEnum):
    ASC = "ASC"
    DESC = "DESC"


class InvalidToken(ValueError):
    """The text is not something `pack` made, or holds other types."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page(Generic[T]):
    """One page of a list, with the cursor of each row and of the events that come after what it shows."""

    rows: tuple[T, ...]
    cursors: tuple[str, ...]
    has_next: bool
    has_previous: bool
    total: int
    event_cursor: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Keyset:
    """Where a page starts: after this sort key and id."""

    key: str
    id: UUID


def page_of(
    rows: Sequence[Any],
    record: Callable[[Any], T],
    cursor: Callable[[Any], str],
    *,
    first: int,
    after: object | None,
    id: str = "id",
) -> Page[T]:
    """The page that a statement's rows make, which were read one further than `first`.

    Each holds `epoch` and `reached` of the feed and the list's `total`; there is one row at least, and one without an
    `id` stands for an empty page. `after` is where the page starts, None for the first.
    """
    head, found = rows[0], [row for row in rows if row[id] is not None]
    shown = found[:first]
    return Page(
        rows=tuple(record(row) for row in shown),
        cursors=tuple(cursor(row) for row in shown),
        has_next=len(found) > first,
        has_previous=after is not None,
        total=head["total"],
        event_cursor=pack_event_cursor(head["epoch"], head["reached"], 0),
    )


def page_size(first: int | None) -> int:
    """How many rows to read. Raises Invalid."""
    if first is None:
        return DEFAULT_PAGE
    if not 1 <= first <= MAX_PAGE:
        raise Invalid(f"Ask for 1 to {MAX_PAGE} rows a page; {first} is outside of that.", field="first")
    return first


def list_of(*parts: object) -> str:
    """A short fingerprint of what makes up a list: its name, sort and filters."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()[:12]


def listed_by(query: Any) -> list[object]:
    """The values of a query, a dataclass, for `list_of`: all of them, so that no filter is forgotten."""
    values = [getattr(query, field.name) for field in fields(query)]
    return [sorted(value) if isinstance(value, frozenset) else value for value in values]


def chosen(values: Collection[T], *, field: str) -> frozenset[T]:
    """What a filter leaves, by any of these values. Raises Invalid."""
    if len(values) > MAX_FILTER:
        raise Invalid(f"Choose {MAX_FILTER} at most; {len(values)} are too many.", field=field)
    return frozenset(values)


def encode_cursor(listed: str, keyset: Keyset) -> str:
    return pack(listed, keyset.key, str(keyset.id))


def cursor_by(listed: str, key: str, *, id: str = "id") -> Callable[[Any], str]:
    """What makes the cursor of a row of this list, which is sorted by these two columns."""
    return lambda row: encode_cursor(listed, Keyset(key=row[key], id=row[id]))


def decode_cursor(listed: str, text: str | None) -> Keyset | None:
    """The place a cursor of this very list names. Raises CursorInvalid."""
    if text is None:
        return None
    try:
        of, key, id_text = unpack(text, str, str, str)
        keyset = Keyset(key=key.encode().decode(), id=UUID(id_text))
    except ValueError as broken:
        raise CursorInvalid from broken
    if of != listed or "\x00" in key:
        raise CursorInvalid
    return keyset


def pack_event_cursor(epoch: UUID, xid: int, position: int) -> str:
    """A place in the feed of events, as callers hold it."""
    return pack(str(epoch), xid, position)


def pack(*values: str | int) -> str:
    """Values as one opaque, URL-safe text."""
    return (
        base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode())
        .decode()
        .rstrip("=")
    )


A = TypeVar("A", str, int)
B = TypeVar("B", str, int)
C = TypeVar("C", str, int)


def unpack(text: str, first: type[A], second: type[B], third: type[C]) -> tuple[A, B, C]:
    """Three values that `pack` packed, of these types. Raises InvalidToken."""
    if len(text) > _MAX_TOKEN:
        raise InvalidToken
    try:
        raw = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        values = json.loads(raw)
    except (ValueError, RecursionError, binascii.Error) as broken:
        raise InvalidToken from broken
    if not isinstance(values, list) or [type(value) for value in values] != [first, second, third]:
        raise InvalidToken
    if any(isinstance(value, int) and not 0 <= value < 2**63 for value in values):
        raise InvalidToken
    return values[0], values[1], values[2]
