"""How much one document may ask for: depth, fields, aliases, directives and cost, counted in one pass.

Every definition is walked once. What a fragment amounts to is worked out once too and then added wherever
it is spread, so the work grows with the text of a document and not with what the text expands to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Self, TypeAlias

from graphql import (
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
)

from tieline_gateway.transport.rows import (
    SATURATED,
    Given,
    Variables,
    cost_of,
    declared_of,
    given_to,
    rows_of,
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The most that one request may ask for. Fragments count wherever they are spread.

    `max_depth`: levels of fields inside fields. `max_fields`, `max_aliases`, `max_directives`: how many in
    one operation. `max_operations`: how many a document may hold. `max_tokens`: words and signs of the document; as
    many comments are allowed again. `max_comparisons`: what it may take to see that fields of one name fit together.
    `max_uses`: how often its operations use variables, all together, each with the fragments that it spreads.
    `max_values`: how many its lists and objects hold, all together; what variables hold is not among them.
    `max_cost`: rows times fields: a field costs one, if it does not say otherwise, and what is selected inside a field
    that takes `first` counts once for each row asked for, as does what is selected inside a list that answers to the
    rows of an input.
    `max_page`: the rows assumed where `first` is a variable, or is absent and has no default.
    """

    max_depth: int = 12
    max_fields: int = 250
    max_aliases: int = 30
    max_directives: int = 50
    max_operations: int = 20
    max_tokens: int = 2_000
    max_comparisons: int = 5_000
    max_uses: int = 2_000
    max_values: int = 500
    max_cost: int = 50_000
    max_page: int = 200

    def for_development(self) -> Self:
        """The same, with room for the introspection queries of tools, which nest fifteen levels."""
        return replace(self, max_depth=max(self.max_depth, 20), max_fields=max(self.max_fields, 500))


@dataclass(slots=True, kw_only=True)
class Totals:
    """What a definition amounts to. Counting stops at `SATURATED`."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    cost: int = 0

    def include(self, part: Totals, *, depth: int, rows: int) -> None:
        """Add `part`, found `depth` levels down, where each of its fields is read for `rows` rows."""
        self.depth = max(self.depth, depth + part.depth)
        self.fields = min(self.fields + part.fields, SATURATED)
        self.aliases = min(self.aliases + part.aliases, SATURATED)
        self.directives = min(self.directives + part.directives, SATURATED)
        self.cost = min(self.cost + part.cost * rows, SATURATED)


@dataclass(frozen=True, kw_only=True)
class _Spread:
    fragment: str
    depth: int
    rows: int


@dataclass(frozen=True, kw_only=True)
class _Selections:
    """Selections of a type, read for so many rows; `given` is the input of the field that they are selected of."""

    set: SelectionSetNode
    parent: GraphQLNamedType | None
    given: Given
    depth: int
    rows: int


@dataclass(slots=True, kw_only=True)
class _Definition:
    node: ExecutableDefinitionNode
    totals: Totals = field(default_factory=Totals)
    spreads: list[_Spread] = field(default_factory=list)


class Meter:
    """Measures one document, with those `variables` that are known. `visited` says how many selections and
    spreads that took.

    Of lists that share the rows of an input, `long` names the one that has them all, if any; `shared` are their names.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        *,
        max_page: int,
        variables: Variables | None = None,
        long: str | None = None,
    ) -> None:
        self.visited = 0
        self.shared: set[str] = set()
        self._long = long
        self._schema = schema
        self._max_page = max_page
        self._variables = variables or {}
        self._definitions = [
            self._walk(node) for node in document.definitions if isinstance(node, ExecutableDefinitionNode)
        ]
        self._fragments = {
            definition.node.name.value: definition
            for definition in self._definitions
            if isinstance(definition.node, FragmentDefinitionNode)
        }
        self._add_spreads()

    def __iter__(self) -> Iterator[tuple[ExecutableDefinitionNode, Totals]]:
        """Every operation and every fragment, spread or not: an unused fragment is validated as well."""
        return ((definition.node, definition.totals) for definition in self._definitions)

    def _walk(self, node: ExecutableDefinitionNode) -> _Definition:
        definition = _Definition(node=node)
        definition.totals.directives = len(node.directives or ()) + sum(
            len(variable.directives or ()) for variable in node.variable_definitions or ()
        )
        pending = [_Selections(set=node.selection_set, parent=self._root(node), given=None, depth=0, rows=1)]
        while pending:
            around = pending.pop()
            for selection in around.set.selections:
                self.visited += 1
                inner = self._count(definition, selection, around)
                if inner is not None:
                    pending.append(inner)
        return definition

    def _count(
        self, definition: _Definition, selection: SelectionNode, around: _Selections
    ) -> _Selections | None:
        own = Totals(directives=len(selection.directives or ()))
        inner: _Selections | None = None
        if isinstance(selection, FieldNode):
            meant = _field(around.parent, selection.name.value)
            aliases = int(selection.alias is not None)
            own = replace(own, depth=1, fields=1, aliases=aliases, cost=cost_of(meant))
            if selection.selection_set is not None:
                inner = self._inside(meant, selection, selection.selection_set, around)
        elif isinstance(selection, FragmentSpreadNode):
            spread = _Spread(fragment=selection.name.value, depth=around.depth, rows=around.rows)
            definition.spreads.append(spread)
        elif isinstance(selection, InlineFragmentNode):
            condition = selection.type_condition
            parent = self._schema.get_type(condition.name.value) if condition else around.parent
            inner = replace(around, set=selection.selection_set, parent=parent)
        definition.totals.include(own, depth=around.depth, rows=around.rows)
        return inner

    def _inside(
        self, meant: GraphQLField | None, node: FieldNode, selected: SelectionSetNode, around: _Selections
    ) -> _Selections:
        """What is selected of a field, for each row that it may answer with."""
        rows = rows_of(meant, node, around.given, self._variables, max_page=self._max_page)
        declared = declared_of(meant)
        if declared is not None and declared.shared:
            self.shared.add(node.name.value)
            rows = rows if node.name.value == self._long else 1
        return _Selections(
            set=selected,
            parent=get_named_type(meant.type) if meant else None,
            given=given_to(node),
            depth=around.depth + 1,
            rows=min(around.rows * rows, SATURATED),
        )

    def _root(self, node: ExecutableDefinitionNode) -> GraphQLNamedType | None:
        if isinstance(node, OperationDefinitionNode):
            return self._schema.get_root_type(node.operation)
        if isinstance(node, FragmentDefinitionNode):
            return self._schema.get_type(node.type_condition.name.value)
        return None

    def _add_spreads(self) -> None:
        """Complete each definition after the fragments it needs. What closes a cycle adds nothing."""
        complete: set[int] = set()
        begun: set[int] = set()
        pending = list(self._definitions)
        while pending:
            definition = pending[-1]
            key = id(definition)
            if key in complete:
                pending.pop()
            elif key in begun:
                self._complete(definition, complete)
                pending.pop()
            else:
                begun.add(key)
                pending.extend(part for _, part in self._parts(definition) if id(part) not in begun)

    def _complete(self, definition: _Definition, complete: set[int]) -> None:
        for spread, part in self._parts(definition):
            if id(part) in complete:
                definition.totals.include(part.totals, depth=spread.depth, rows=spread.rows)
        complete.add(id(definition))

    def _parts(self, definition: _Definition) -> Iterator[tuple[_Spread, _Definition]]:
        for spread in definition.spreads:
            self.visited += 1
            part = self._fragments.get(spread.fragment)
            if part is not None:
                yield spread, part


Measured: TypeAlias = list[tuple[ExecutableDefinitionNode, Totals]]


def measure(
    schema: GraphQLSchema, document: DocumentNode, limits: Limits, variables: Variables | None = None
) -> Measured:
    """What each definition amounts to; one may stand there several times, and then the worst counts.

    Without a variable's value it is the most that any value makes of it.
    """
    meter = Meter(schema, document, max_page=limits.max_page, variables=variables)
    measured = list(meter)
    for long in sorted(meter.shared):
        # Each row stands in one of them, so the worst is that all stand in one.
        measured += Meter(schema, document, max_page=limits.max_page, variables=variables, long=long)
    return measured


def costs(measured: Measured) -> dict[str | None, int]:
    """What each operation costs, by its name."""
    most: dict[str | None, int] = {}
    for node, totals in measured:
        if isinstance(node, OperationDefinitionNode):
            name = node.name.value if node.name else None
            most[name] = max(most.get(name, 0), totals.cost)
    return most


def excesses(schema: GraphQLSchema, document: DocumentNode, limits: Limits) -> list[GraphQLError]:
    """As `broken`, for a document that nothing else is asked about."""
    return broken(measure(schema, document, limits), limits)


def broken(measured: Measured, limits: Limits) -> list[GraphQLError]:
    """One error for each bound that the document breaks, about its worst definition; none if it fits.

    Comparisons, values and uses of variables are not among them: the rules that take them up count them.
    """
    operations = {id(node): node for node, _ in measured if isinstance(node, OperationDefinitionNode)}
    errors = []
    if len(operations) > limits.max_operations:
        # Some standard rules follow the fragments of every operation anew.
        last = list(operations.values())[-1]
        errors.append(_OPERATIONS.broken(last, len(operations), limits.max_operations))
    for bound in _BOUNDS:
        allowed: int = getattr(limits, f"max_{bound.name}")
        node, found = max(
            ((node, getattr(totals, bound.name)) for node, totals in measured),
            key=lambda pair: pair[1],
            default=(None, 0),
        )
        if found > allowed:
            errors.append(bound.broken(node, found, allowed))
    return errors


@dataclass(frozen=True, kw_only=True)
class _Bound:
    name: str
    code: str
    sentence: str

    def broken(self, node: ExecutableDefinitionNode | None, found: int, allowed: int) -> GraphQLError:
        count = f"{found:,}" if found < SATURATED else f"at least {SATURATED:,}"
        return GraphQLError(
            f"{self.sentence.format(count)}; the limit is {allowed:,}.",
            node,
            extensions={"code": self.code, "bound": self.name, "limit": allowed, "found": found},
        )


_OPERATIONS = _Bound(name="operations", code="QUERY_TOO_LARGE", sentence="This document holds {} operations")
_BOUNDS = (
    _Bound(name="depth", code="QUERY_TOO_DEEP", sentence="The fields of this document nest {} levels deep"),
    _Bound(name="fields", code="QUERY_TOO_LARGE", sentence="This document selects {} fields"),
    _Bound(name="aliases", code="QUERY_TOO_LARGE", sentence="This document has {} aliases"),
    _Bound(name="directives", code="QUERY_TOO_LARGE", sentence="This document has {} directives"),
    _Bound(
        name="cost",
        code="QUERY_TOO_COSTLY",
        sentence="This document costs {} (rows times fields): ask for smaller pages or fewer fields",
    ),
)


def _field(parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
    if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
        fields: dict[str, GraphQLField] = parent.fields
        return fields.get(name)
    return None
