"""`where` and `order`, in the simple forms that the documentation shows."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tieline_sandbox.books.values import Record, value_of
from tieline_sandbox.xero.wire import MS_DATE, milliseconds

_CONDITION = re.compile(
    r"""\s*(?P<field>[A-Za-z]\w*(?:\.\w+)*)\s*(?P<sign>==|!=|>=|<=|>|<|=)\s*
        (?:"(?P<text>[^"]*)"
          |guid\(\s*"(?P<guid>[^"]*)"\s*\)
          |DateTime\((?P<date>[\d\s,]+)\)
          |(?P<word>true|false|null)
          |(?P<number>-?\d+(?:\.\d+)?))\s*""",
    re.VERBOSE | re.IGNORECASE,
)
_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_WORDS = {"true": True, "false": False, "null": None}
_OR = re.compile(r"\s+OR\s+|\s*\|\|\s*", re.IGNORECASE)
_AND = re.compile(r"\s+AND\s+|\s*&&\s*", re.IGNORECASE)


class Unparsable(Exception):
    """A filter or an order that is not understood."""


@dataclass(frozen=True)
class Condition:
    """One comparison of a field with a value."""

    field: str
    sign: str
    value: str | Decimal | bool | None

    def holds(self, record: Record) -> bool:
        found = comparable(value_of(record, self.field))
        if found is None or self.value is None or self.sign in ("==", "=", "!="):
            return _SIGNS[self.sign](found, self.value) if self.sign in ("==", "=", "!=") else False
        return type(found) is type(self.value) and _SIGNS[self.sign](found, self.value)


Where = tuple[tuple[Condition, ...], ...]


def parse_where(text: str) -> Where:
    """Alternatives of conditions that hold together; `OR` binds less than `AND`, there are no brackets."""
    return tuple(tuple(_condition(part) for part in _AND.split(choice)) for choice in _OR.split(text))


def holds(where: Where, record: Record) -> bool:
    return not where or any(all(condition.holds(record) for condition in choice) for choice in where)


def parse_order(text: str) -> tuple[tuple[str, bool], ...]:
    """Fields, each with whether it descends."""
    parts = []
    for part in text.split(","):
        words = part.split()
        if len(words) not in (1, 2) or (len(words) == 2 and words[1].upper() not in ("ASC", "DESC")):  # noqa: PLR2004
            raise Unparsable(text)
        parts.append((words[0], len(words) > 1 and words[1].upper() == "DESC"))
    return tuple(parts)


def comparable(value: Any) -> str | Decimal | bool | None:
    """Dates as their milliseconds, numbers as decimals, the rest as it is."""
    if isinstance(value, str):
        date = MS_DATE.fullmatch(value)
        return Decimal(date[1]) if date else value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return value if isinstance(value, Decimal | bool) else None


def _condition(text: str) -> Condition:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise Unparsable(text)
    value: str | Decimal | bool | None
    if found["word"]:
        value = _WORDS[found["word"].lower()]
    elif found["date"]:
        value = _date(found["date"])
    elif found["number"]:
        value = Decimal(found["number"])
    else:
        value = found["guid"].lower() if found["guid"] is not None else found["text"]
    return Condition(found["field"], found["sign"], value)


def _date(text: str) -> Decimal:
    try:
        numbers = [int(part) for part in text.split(",")]
        return Decimal(milliseconds(datetime(numbers[0], *numbers[1:], tzinfo=UTC)))  # type: ignore[arg-type,misc]
    except (ValueError, TypeError, IndexError) as error:
        raise Unparsable(text) from error
