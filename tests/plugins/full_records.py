"""Records in which a provider says all that its mapping reads, each field with its own value, and what they become."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from tieline.plugins import Record

Sort: TypeAlias = Callable[[str, object], object]
Change: TypeAlias = Callable[[Mapping[str, Any], str], dict[str, Any]]
CHANGED_AT = datetime(2026, 11, 3, 10, 0, 0, 123_000, UTC)


@dataclass(frozen=True, kw_only=True)
class Full:
    """`noun` is the feed's name at Xero, the entity's at Intuit.

    `flips` are what a flag alone changes, `instead` the fields that count where the first is missing, and
    `lacks` is what is looked for in vain, as something else stands for it.
    """

    noun: str
    said: Mapping[str, Any]
    dataset: str
    name: str | None
    code: str | None
    told: dict[str, Any]
    flips: Mapping[str, str] = field(default_factory=dict)
    instead: Mapping[str, str] = field(default_factory=dict)
    lacks: frozenset[str] = frozenset()

    @property
    def record(self) -> Record:
        return Record(
            dataset=self.dataset,
            external_id=self.told["id"],
            name=self.name,
            code=self.code,
            active=self.told["active"],
            updated_at=CHANGED_AT,
            data=self.told,
        )

    def flipped(self, flag: str) -> dict[str, Any]:
        """What is said with the other value of a flag, which may stand in a part of it."""
        return _changed(self.said, flag, lambda part, name: {**part, name: not part[name]})

    def renamed(self, first: str) -> dict[str, Any]:
        """What is said with another field in the place of the first."""
        other = self.instead[first]

        def rename(part: Mapping[str, Any], name: str) -> dict[str, Any]:
            return {one: value for one, value in part.items() if one != name} | {other: part[name]}

        return _changed(self.said, first, rename)


class Watched(dict[str, Any]):
    """An object of an answer that notes the fields which were looked for in it, and are not there."""

    def __init__(self, said: Mapping[str, Any], missed: set[str]) -> None:
        self.missed = missed
        super().__init__((name, _watched(value, missed)) for name, value in said.items())

    def get(self, name: str, default: Any = None) -> Any:
        if name not in self:
            self.missed.add(name)
        return super().get(name, default)


def values(said: object) -> Iterator[str]:
    """Each word and amount in it. A flag has but two values, and its test flips it."""
    if isinstance(said, Mapping):
        for value in said.values():
            yield from values(value)
    elif isinstance(said, list):
        for one in said:
            yield from values(one)
    elif not isinstance(said, bool):
        yield str(said)


def _watched(value: Any, missed: set[str]) -> Any:
    if isinstance(value, list):
        return [_watched(one, missed) for one in value]
    return Watched(value, missed) if isinstance(value, Mapping) else value


def _changed(said: Mapping[str, Any], path: str, change: Change) -> dict[str, Any]:
    name, _, inner = path.partition(".")
    return {**said, name: _changed(said[name], inner, change)} if inner else change(said, name)
