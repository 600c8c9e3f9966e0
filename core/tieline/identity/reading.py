"""JSON objects that were written elsewhere, read so that nobody else could read them otherwise."""

from __future__ import annotations

import json
from typing import Any


class Unreadable(ValueError):
    """It is no JSON object, or one that two readers may take for two things."""


def read_object(raw: bytes) -> dict[str, Any]:
    """The object in these bytes of UTF-8. Raises Unreadable, for repeated keys, NaN and infinities too."""
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Unreadable from error
    if not isinstance(value, dict):
        raise Unreadable
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise Unreadable
    return read


def _no_constant(_: str) -> object:
    raise Unreadable
