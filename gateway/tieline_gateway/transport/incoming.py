"""Reading JSON that strangers send: what is not safe further in is refused here, with a reason."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from tieline.errors import Unauthenticated

PRACTICE_HEADER = "tieline-practice"
"""Names the practice that a caller means who belongs to several."""

MAX_JSON_DEPTH = 64
MAX_JSON_VALUES = 50_000
MAX_VARIABLE_VALUES = 20_000

LONG = 16 * 1024
"""Bytes of JSON, or characters, from which on reading them takes milliseconds."""

MAX_DIGITS = 309  # a fraction holds no more before its point, and long ones take long
_UNSAFE = re.compile("[\x00\ud800-\udfff]")
_TOKEN68 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=")


class Malformed(ValueError):
    """What was sent is not what is read here; the message says why, without repeating what was sent."""


def read_json(raw: bytes | str) -> object:
    """The JSON value of a body or frame. Raises `Malformed` for anything ambiguous or unsafe.

    Refused besides bad syntax: bad UTF-8, over 50,000 values, over 64 levels, repeated keys, NaN and numbers
    too large to hold, and strings with NUL or lone surrogates, which PostgreSQL or UTF-8 cannot carry.
    """
    try:
        text = raw.decode() if isinstance(raw, bytes) else raw
        _count(text)
        value: object = json.loads(
            text, object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_float, parse_int=_int
        )
    except UnicodeDecodeError:
        raise Malformed("This is not valid UTF-8.") from None
    except json.JSONDecodeError:
        raise Malformed("This is not valid JSON.") from None
    except RecursionError:
        raise Malformed(f"JSON may nest {MAX_JSON_DEPTH} levels here.") from None
    except Malformed:
        raise
    except ValueError:
        raise Malformed("A number is too large.") from None
    if text.count("[") + text.count("{") > MAX_JSON_DEPTH or "\\u" in text:
        _check(value)
    return value


@dataclass(frozen=True, kw_only=True)
class GraphQLRequest:
    """The parameters of one operation, their types checked. `values` is how many the variables hold."""

    query: str
    variables: dict[str, Any]
    values: int = 0
    operation_name: str | None

    @classmethod
    def read(cls, value: object) -> Self:
        """From a parsed body or a subscribe message's payload. Raises `Malformed`."""
        if isinstance(value, list):
            raise Malformed("Send one operation per request: batches are not supported.")
        if not isinstance(value, dict):
            raise Malformed("Send a JSON object with the document as 'query'.")
        query = value.get("query")
        if not isinstance(query, str) or not query.strip():
            raise Malformed("'query' must be a string with a GraphQL document.")
        name = value.get("operationName")
        if name is not None and not isinstance(name, str):
            raise Malformed("'operationName' must be a string or null.")
        for key in ("variables", "extensions"):
            if not isinstance(value.get(key), dict | None):
                raise Malformed(f"'{key}' must be an object or null.")
        variables = value.get("variables") or {}
        return cls(query=query, variables=variables, values=values_in(variables), operation_name=name)


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What a caller says about itself, unchecked: a bearer token, and the practice it means.

    `host` is the address it comes from, None where there is none.
    """

    token: str | None = field(default=None, repr=False)
    practice: str | None = None
    over_socket: bool = False
    host: str | None = None

    @classmethod
    def read(
        cls, authorization: object, practice: object, *, host: str | None, over_socket: bool = False
    ) -> Self:
        """From the two headers, or what stands for them. Raises `Unauthenticated` for odd ones."""
        if not isinstance(practice, str | None):
            raise Unauthenticated
        return cls(token=bearer(authorization), practice=practice, over_socket=over_socket, host=host)


def bearer(header: object) -> str | None:
    """The token of an Authorization header; None without one. Raises `Unauthenticated` for other shapes."""
    if header is None:
        return None
    scheme, _, token = header.partition(" ") if isinstance(header, str) else ("", "", "")
    token = token.strip(" ")
    if scheme.lower() != "bearer" or not token or not _TOKEN68.issuperset(token):
        raise Unauthenticated
    return token


def _count(text: str) -> None:
    if sum(text.count(sign) for sign in "[{,") > MAX_JSON_VALUES:
        raise Malformed(f"JSON may hold {MAX_JSON_VALUES:,} values here.")


def values_in(variables: dict[str, Any]) -> int:
    """Each is looked at several times before the operation runs. Raises `Malformed` for too many."""
    pending: list[Any] = [variables]
    found = 0
    while pending:
        held = pending.pop()
        values = held.values() if isinstance(held, dict) else held
        found += len(values)
        if found > MAX_VARIABLE_VALUES:
            raise Malformed(f"Variables may hold {MAX_VARIABLE_VALUES:,} values.")
        pending.extend(value for value in values if isinstance(value, dict | list))
    return found


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise Malformed("A key is there twice in one object.")
    return read


def _no_constant(name: str) -> object:
    raise Malformed(f"{name} is not JSON.")


def _int(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise Malformed("A number is too large.")
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise Malformed("A number is too large.")
    return number


def _check(value: object) -> None:
    for text, depth in _walk(value):
        if depth > MAX_JSON_DEPTH:
            raise Malformed(f"JSON may nest {MAX_JSON_DEPTH} levels here.")
        if _UNSAFE.search(text):
            raise Malformed("A string holds a NUL character or half of a surrogate pair.")


def _walk(value: object) -> Iterator[tuple[str, int]]:
    """Every string with its depth; a container counts as an empty string."""
    pending = [(value, 0)]
    while pending:
        item, depth = pending.pop()
        if isinstance(item, str):
            yield item, depth
        elif isinstance(item, dict):
            yield "", depth + 1
            pending.extend((key, depth + 1) for key in item)
            pending.extend((child, depth + 1) for child in item.values())
        elif isinstance(item, list):
            yield "", depth + 1
            pending.extend((child, depth + 1) for child in item)
