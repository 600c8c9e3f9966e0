"""Answers as nobody expects them, made from those that a pretender gives. Pure."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

import httpx

Path: TypeAlias = tuple[str | int, ...]

UNHEARD_OF = "TIELINE_UNHEARD_OF"
_MORE_DIGITS = "12345678901234567891"
_FEW = 3
_AMOUNT = re.compile(rb'(?<=[:\[,"])(\s*-?\d+\.\d+)(?=\s*[,"\]}])')
STATUSES = (
    200,
    201,
    204,
    304,
    400,
    401,
    402,
    403,
    404,
    405,
    408,
    409,
    412,
    415,
    422,
    429,
    500,
    502,
    503,
    504,
    599,
)
BODIES: Sequence[tuple[str, str, bytes]] = (
    ("an HTML page", "text/html", b"<!DOCTYPE html><html><body>Maintenance</body></html>"),
    ("an HTML page that calls itself JSON", "application/json", b"<html><body>Sign in</body></html>"),
    ("XML", "application/xml", b'<?xml version="1.0"?><Response><Error code="1">No</Error></Response>'),
    ("an empty body", "application/json", b""),
    ("half of a body", "application/json", b'{"records": [{"id": "1", "na'),
    ("no UTF-8", "application/json", b'{"name": "\xff\xfe"}'),
    ("plain text", "text/plain", b"Too many requests, please slow down."),
    ("an empty object", "application/json", b"{}"),
    ("an empty array", "application/json", b"[]"),
    ("an array of nothing", "application/json", b"[null]"),
    ("null", "application/json", b"null"),
    ("a number", "application/json", b"12"),
    ("a text", "application/json", b'"OK"'),
    ("a number that is none", "application/json", b'{"total": NaN}'),
    ("arrays within arrays", "application/json", b"[" * 100_000),
    ("an object of objects", "application/json", b'{"error": {"error": {"message": [], "code": {}}}}'),
)
VALUES: Sequence[Any] = (None, f"{UNHEARD_OF}\x00\ud800", 10**40, [None], {})


def response(status: int, kind: str, body: bytes, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers={"content-type": kind, **headers}, content=body)


def with_body(answer: httpx.Response, value: object) -> httpx.Response:
    """The same answer with this JSON in it."""
    text = json.dumps(value, default=_number)
    return httpx.Response(answer.status_code, headers=answer.headers, content=text.encode())


def body_of(answer: httpx.Response) -> Any:
    """The JSON of an answer; None where there is none."""
    try:
        return json.loads(answer.content)
    except ValueError:
        return None


def with_more_fields(value: Any) -> Any:
    """Each object with two fields more."""
    if isinstance(value, list):
        return [with_more_fields(part) for part in value]
    if not isinstance(value, dict):
        return value
    more = {name: with_more_fields(part) for name, part in value.items()}
    return {**more, "tielineUnheardOf": {"of": [1, None]}, "TielineUnheardOf": UNHEARD_OF}


def with_other_words(value: Any, fields: Collection[str]) -> Any:
    """The texts of these fields, wherever they stand, are one that nobody knows."""
    if isinstance(value, list):
        return [with_other_words(part, fields) for part in value]
    if not isinstance(value, dict):
        return value
    return {
        name: UNHEARD_OF if name in fields and isinstance(part, str) else with_other_words(part, fields)
        for name, part in value.items()
    }


def with_long_amounts(answer: httpx.Response) -> httpx.Response:
    """The same answer, each number with a fraction having many more digits: in its text, for a float has no room."""
    text = _AMOUNT.sub(rb"\g<1>" + _MORE_DIGITS.encode(), answer.content)
    return httpx.Response(answer.status_code, headers=answer.headers, content=text)


def amounts_in(answer: httpx.Response) -> list[Decimal]:
    """Its numbers with a fraction, also those that are texts."""
    return [Decimal(found.decode().strip()) for found in _AMOUNT.findall(answer.content)]


def leaves(value: Any) -> Iterator[tuple[Path, Any]]:
    """What stands at the end of each path."""
    if not isinstance(value, dict | list):
        yield (), value
        return
    for step, part in value.items() if isinstance(value, dict) else enumerate(value):
        for path, found in leaves(part):
            yield (step, *path), found


def records_in(value: Any) -> Path | None:
    """Where the longest list of objects stands: the records of an answer, of which there are at least two."""
    lists = [(len(found), path) for path, found in _lists(value, ())]
    most, path = max(lists, key=lambda one: one[0], default=(0, ()))
    return path if most > 1 else None


def spoilt(value: Any, records: Path) -> Iterator[tuple[str, Any]]:
    """The answer with one field of its last record, or of a part of it, being something else; and which field."""
    last = len(_at(value, records)) - 1
    for path in _leaves(_at(value, (*records, last)), ()):
        for odd in VALUES:
            made = copy.deepcopy(value)
            holder = _at(made, (*records, last, *path[:-1]))
            holder[path[-1]] = odd
            yield f"{'.'.join(map(str, path))} = {odd!r}"[:80], made


def bent(value: Any) -> Iterator[Any]:
    """The value with one field of it, or of the first entry of each of its lists, being something else."""
    for path in _leaves(value, ()):
        for odd in (UNHEARD_OF, *VALUES):
            made = copy.deepcopy(value)
            _at(made, path[:-1])[path[-1]] = odd
            yield made


def shortened(value: Any, records: Path) -> Any:
    """The answer with a few of its records."""
    made = copy.deepcopy(value)
    del _at(made, records)[:-_FEW]
    return made


def _lists(value: Any, path: Path) -> Iterator[tuple[Path, list[Any]]]:
    """Lists of objects, of which none lies in another that has several."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _lists(part, (*path, name))
    elif isinstance(value, list) and value and all(isinstance(part, dict) for part in value):
        yield path, value
        if len(value) == 1:
            yield from _lists(value[0], (*path, 0))


def _leaves(value: Any, path: Path) -> Iterator[Path]:
    """Each field, the first of each list standing for all of it."""
    if path:
        yield path
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _leaves(part, (*path, name))
    elif isinstance(value, list) and value:
        yield from _leaves(value[0], (*path, 0))


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def _number(value: object) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(type(value).__name__)
