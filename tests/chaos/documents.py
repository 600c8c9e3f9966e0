"""GraphQL documents that are drawn from the schema: sound ones, with everything that it has to ask for in them.

Writer(schema, draws) ── sound()    an operation with variables, fragments, directives and arguments that fit
shapes.py             ── what is hard to read
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)

MAX_CHARS = 10_000
_DEEPEST = 7
_TEXTS = (
    "",
    "a",
    "Ada & Söhne",
    "%_\\",
    "0",
    "-1",
    "2026-02-30",
    "é" * 40,
    "ß\u2028\U0001f600",
    "x" * 300,
    "null",
)
_INSTANTS = ("2026-02-28T10:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "now")


class Word(str):
    """A value of an enum: bare in a document, text in a variable."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """`breaks` says what a document of a shape is hard by; None for a sound one."""

    query: str
    variables: dict[str, Any] = field(default_factory=dict)
    breaks: str | None = None

    def body(self) -> bytes:
        return json.dumps({"query": self.query, "variables": self.variables}).encode()


@dataclass
class Writer:
    """Each document takes at most about so many `fields`; the share `in_variables` of its arguments is in these."""

    schema: GraphQLSchema
    draws: random.Random
    fields: int = 60
    in_variables: float = 0.5

    def __post_init__(self) -> None:
        self._left = 0
        self._declared: dict[str, str] = {}
        self._variables: dict[str, Any] = {}
        self._fragments: list[str] = []

    def sound(self, *kinds: str) -> Drawn:
        """Of one of these kinds of operation, or of any but a subscription, which only sockets run."""
        kind = self.draws.choice(kinds or ("query", "query", "mutation"))
        self._left = self.draws.randint(1, self.fields)
        self._declared, self._variables, self._fragments = {}, {}, []
        root = self.schema.type_map[kind.capitalize()]
        assert isinstance(root, GraphQLObjectType)
        body = self._one_of(root) if kind == "subscription" else self._selections(root, 0)
        declared = ", ".join(f"${name}: {kept}" for name, kept in self._declared.items())
        head = f"{kind} Q({declared}) " if declared else f"{kind} "
        return Drawn(query="\n".join([head + body, *self._fragments]), variables=self._variables)

    def value(self, type: GraphQLInputType) -> Any:
        """One that fits, as a variable has it; texts are of any kind."""
        if isinstance(type, GraphQLNonNull):
            return self.value(type.of_type)
        if isinstance(type, GraphQLList):
            return [self.value(type.of_type) for _ in range(self.draws.choice((0, 1, 1, 2, 5)))]
        if isinstance(type, GraphQLEnumType):
            return Word(self.draws.choice(sorted(type.values)))
        if isinstance(type, GraphQLInputObjectType):
            wanted = {name: each for name, each in type.fields.items() if self._takes(each)}
            return {name: self.value(each.type) for name, each in wanted.items()}
        return self._scalar(get_named_type(type).name)

    def _scalar(self, name: str) -> Any:
        draws = self.draws
        scalars: dict[str, Sequence[Any]] = {
            "Boolean": (True, False),
            "Int": (1, 1, 3, 5, 0, -1, 200, 201, 2**31 - 1, -(2**31)),
            "Float": (0.5, -1e300, 1e-9, 3),
            "Decimal": ("1200.5", "-0", "1e9"),
            "DateTime": _INSTANTS,
            "Date": ("2026-02-28", "0001-01-01", "9999-12-31"),
            "ID": (str(UUID(int=draws.getrandbits(128))), *_TEXTS),
        }
        return draws.choice(scalars.get(name, _TEXTS))

    def _takes(self, asked: GraphQLArgument | GraphQLInputField) -> bool:
        return isinstance(asked.type, GraphQLNonNull) or self.draws.random() < 0.4

    def _selections(self, type: GraphQLObjectType, depth: int) -> str:
        chosen = [self._one(type, depth) for _ in range(self.draws.randint(1, 4)) if self._left > 0]
        return "{ " + " ".join(chosen or ["__typename"]) + " }"

    def _one(self, type: GraphQLObjectType, depth: int) -> str:
        draw = self.draws.random()
        if draw < 0.06:
            return f"... on {type.name} {self._selections(type, depth)}"
        if draw < 0.1:
            name = f"F{self.draws.getrandbits(40):x}"
            self._fragments.append(f"fragment {name} on {type.name} {self._selections(type, depth)}")
            return f"...{name}{self._directive()}"
        return self._field(type, depth)

    def _one_of(self, type: GraphQLObjectType) -> str:
        return "{ " + self._field(type, 0) + " }"

    def _field(self, type: GraphQLObjectType, depth: int) -> str:
        leaves = [name for name, each in type.fields.items() if is_leaf_type(get_named_type(each.type))]
        names = leaves if depth >= _DEEPEST and leaves else sorted(type.fields)
        name = self.draws.choice(names)
        meant = type.fields[name]
        self._left -= 1
        inner = get_named_type(meant.type)
        below = f" {self._selections(inner, depth + 1)}" if isinstance(inner, GraphQLObjectType) else ""
        alias = f"a{self.draws.getrandbits(40):x}: " if meant.args or self.draws.random() < 0.05 else ""
        return f"{alias}{name}{self._arguments(meant)}{self._directive()}{below}"

    def _directive(self) -> str:
        return (
            self.draws.choice((" @skip(if: false)", " @include(if: true)"))
            if not self.draws.randrange(20)
            else ""
        )

    def _arguments(self, meant: GraphQLField) -> str:
        given = [
            f"{name}: {self._given(each.type)}" for name, each in meant.args.items() if self._takes(each)
        ]
        return f"({', '.join(given)})" if given else ""

    def _given(self, type: GraphQLInputType) -> str:
        value = self.value(type)
        if self.draws.random() >= self.in_variables:
            return printed(value)
        name = f"v{len(self._declared)}"
        self._declared[name], self._variables[name] = str(type), value
        return f"${name}"


def printed(value: Any) -> str:
    """As it stands in a document."""
    if isinstance(value, Word):
        return value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {printed(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(printed(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)
