"""What a field costs: the rows it may answer with, by the page asked for or by the input, and what it sets going."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import (
    FieldNode,
    GraphQLField,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    VariableNode,
)

SATURATED = 10**9
_LITERAL_DIGITS = 9
_ROWS = "rows"
_COST = "cost"


@dataclass(frozen=True, kw_only=True)
class RowsOf:
    """A list in the answer to a field has a row for each entry, or line, of `part` of its `input`: at most `most`.

    Where `part` is None the input does not say how many. Lists that are `shared` have the rows of one input between
    them: each stands in one of the lists.
    """

    part: str | None
    most: int
    shared: bool = False

    @property
    def declared(self) -> dict[str, RowsOf]:
        """As the metadata of the list's field."""
        return {_ROWS: self}


def costing(cost: int) -> dict[str, int]:
    """As the metadata of a field that costs more than others, for what it sets going."""
    return {_COST: cost}


Given: TypeAlias = ValueNode | None
"""What a field was given as its `input`; None where the document does not show it."""

Variables: TypeAlias = Mapping[str, Any]
"""The values of variables that are known: none while a document is judged, all once an operation is charged."""


def declared_of(meant: GraphQLField | None) -> RowsOf | None:
    """What was declared of the field, if it is a list that answers to an input."""
    found: RowsOf | None = _declared(meant, _ROWS)
    return found


def cost_of(meant: GraphQLField | None) -> int:
    """What the field itself costs, once."""
    found: int | None = _declared(meant, _COST)
    return 1 if found is None else found


def _declared(meant: GraphQLField | None, what: str) -> Any:
    definition = meant.extensions.get("strawberry-definition") if meant is not None else None
    return definition.metadata.get(what) if definition is not None else None


def given_to(node: FieldNode) -> Given:
    return _argument(node, "input")


def rows_of(
    meant: GraphQLField | None, node: FieldNode, given: Given, variables: Variables, *, max_page: int
) -> int:
    """The most rows that the field answers with: 1 for one that is neither a page nor answers to an input."""
    if meant is None:
        return 1
    if "first" in meant.args:
        return _page(meant, node, variables, max_page)
    declared = declared_of(meant)
    return 1 if declared is None else _entries(declared, given, variables)


def _page(meant: GraphQLField, node: FieldNode, variables: Variables, max_page: int) -> int:
    given = _argument(node, "first")
    if isinstance(given, VariableNode):
        known = variables.get(given.name.value)
        return min(max(known, 1), max_page) if isinstance(known, int) else max_page
    if isinstance(given, IntValueNode):
        return max(int(given.value), 1) if len(given.value) <= _LITERAL_DIGITS else SATURATED
    argument = meant.args["first"]
    default = argument.default.value if argument.default else argument.default_value
    return max(default, 1) if given is None and isinstance(default, int) else max_page


def _entries(declared: RowsOf, given: Given, variables: Variables) -> int:
    """As many as are shown; the most where the document leaves them to what is not known, or to another place."""
    shown = _shown(declared.part, given, variables)
    if isinstance(shown, ListValueNode):
        shown = shown.values
    elif isinstance(shown, StringValueNode):
        shown = shown.value
    if isinstance(shown, list | tuple):
        return min(max(len(shown), 1), declared.most)
    if isinstance(shown, str):
        return min(shown.count("\n") + shown.count("\r") + 1, declared.most)
    return declared.most


def _shown(part: str | None, given: Given, variables: Variables) -> Any:
    """The part of the input, as it stands in the document or in a variable."""
    if isinstance(given, VariableNode):
        known = variables.get(given.name.value)
        return known.get(part) if isinstance(known, Mapping) else None
    if not isinstance(given, ObjectValueNode):
        return None
    found = next((each.value for each in given.fields if each.name.value == part), None)
    return variables.get(found.name.value) if isinstance(found, VariableNode) else found


def _argument(node: FieldNode, name: str) -> ValueNode | None:
    return next((each.value for each in node.arguments or () if each.name.value == name), None)
