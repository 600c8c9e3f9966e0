"""Records as a provider gives them, made different: fields left out and added, other words, amounts and days."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args, get_type_hints

from hypothesis import strategies as st

from tieline import canonical

ODD_WORDS = ("TIELINE_UNHEARD_OF", "Überweisung", "7", "  spaced  ", "a\u0000b", "🧾")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MS_DATE = re.compile(r"/Date\(.*\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_days = st.dates(min_value=date(1900, 1, 1), max_value=date(9998, 12, 31))
_amounts = st.builds(
    lambda digits, places: Decimal(f"{digits}E-{places}"),
    st.integers(min_value=-(10**40), max_value=10**40),
    st.integers(min_value=10, max_value=30),
)


@dataclass
class Varied:
    """One of them, and what stands in it: whatever a mapping makes of it comes from these."""

    draw: st.DrawFn
    kept: Collection[str]
    words: set[str] = field(default_factory=set)
    amounts: set[Decimal] = field(default_factory=set)
    days: set[date] = field(default_factory=set)
    entry: dict[str, Any] = field(default_factory=dict)

    def other(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return [self.other(one, name) for one in value]
        if isinstance(value, bool):
            return self.draw(st.booleans())
        if isinstance(value, Decimal | int):
            return self._amount()
        return self._text(value, name) if isinstance(value, str) else value

    def _object(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """The twin of a date that says the same in another way would say something else, and is left out."""
        made: dict[str, Any] = {"TielineUnheardOf": {"of": [1, None]}}
        for name, inner in value.items():
            if name in self.kept:
                made[name] = self.other(inner) if isinstance(inner, dict | list) else inner
            elif not name.endswith("String") and self.draw(st.integers(0, 5)):
                made[name] = self.other(inner, name)
        return made

    def _amount(self) -> Decimal:
        made = self.draw(_amounts)
        self.amounts.add(made)
        return made

    def _text(self, value: str, name: str) -> str:
        if _MS_DATE.fullmatch(value):
            return f"/Date({(self._at() - _EPOCH) // timedelta(milliseconds=1)}+0000)/"
        if _DAY.fullmatch(value):
            return self._at().date().isoformat()
        if name.endswith(("ID", "Id", "Time", "UTC")) or name == "value":
            return value
        word = self.draw(st.sampled_from(ODD_WORDS))
        self.words.add(word.replace("\u0000", "").strip())
        return word

    def _at(self) -> datetime:
        day = self.draw(_days)
        self.days.add(day)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)


@st.composite
def varied(draw: st.DrawFn, record: Mapping[str, Any], kept: Collection[str]) -> Varied:
    """The record with everything different but the fields that are kept: a word as it is, an object in some form."""
    made = Varied(draw=draw, kept=kept)
    made.entry = made.other(dict(record))
    return made


def of_type(kind: type[Any]) -> frozenset[str]:
    """The names of the fields of canonical records that hold such a value."""
    found = (getattr(canonical, name) for name in canonical.__all__)
    return frozenset(
        each.name
        for one in found
        if isinstance(one, type) and is_dataclass(one)
        for each in fields(one)
        if kind in get_args(get_type_hints(one)[each.name])
    )


def leaves(data: Any, names: Collection[str]) -> Iterator[tuple[str, Any]]:
    """Each field of these names, wherever it stands, that is not null."""
    if isinstance(data, list | tuple):
        for one in data:
            yield from leaves(one, names)
    elif isinstance(data, dict):
        for name, value in data.items():
            if name in names and value is not None:
                yield name, value
            else:
                yield from leaves(value, names)
