"""Enums of kinds, made from the classes of the kinds themselves, so that none can be forgotten."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from enum import Enum, EnumType

import strawberry

OTHER = "OTHER"


def enum_of(name: str, kinds: Mapping[str, type], *, description: str, other: str) -> type[Enum]:
    """Each kind is told by the first line of its docstring; `other` tells of those that only a newer server knows."""
    values = {
        word: strawberry.enum_value(word, description=_first_line(kind)) for word, kind in kinds.items()
    } | {OTHER: strawberry.enum_value(OTHER, description=other)}
    return strawberry.enum(EnumType.__call__(Enum, name, values), description=description)


def member_of(kinds: type[Enum], written: str) -> Enum:
    """The member for a kind as it stands in the database."""
    return kinds(written if written in kinds.__members__ else OTHER)


def _first_line(kind: type) -> str:
    return (inspect.getdoc(kind) or "").partition("\n")[0]
