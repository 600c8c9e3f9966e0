"""Documents read once: parsed, held to the limits and validated, and kept for the next time.

The limits are checked before the standard rules, some of which take time that grows with the square of the
document and are bounded themselves, and what is refused never reaches Strawberry.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    get_variable_values,
    parse,
    validate,
)
from graphql.execution.values import VariableValues
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from tieline_gateway.transport.errors import RequestRefused, Told, told, told_of
from tieline_gateway.transport.leavings import compact, forgetful, take_apart, unchain_words
from tieline_gateway.transport.limits import Limits, Measured, broken, costs, measure
from tieline_gateway.transport.rows import Variables
from tieline_gateway.transport.rules import TooMany, rules

MAX_KEPT = 200
MAX_KEPT_CHARS = 8_000
MAX_KEPT_TOGETHER = 100_000
"""Characters of all of them: a collection of garbage looks through what was made of each, while nothing else runs."""
MAX_ERRORS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """A document that is fit to run, and the most that each of its operations costs, by name."""

    document: DocumentNode
    costs: Mapping[str | None, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    """`size` is what it counts, `who` brought it."""

    read: Read
    size: int
    who: str


class Documents:
    """The documents of one schema. `read` and `check` raise `RequestRefused` with the reasons."""

    def __init__(self, schema: GraphQLSchema, limits: Limits, *, development: bool) -> None:
        self._schema = schema
        self._limits = limits.for_development() if development else limits
        self._hide_suggestions = not development
        self._rules = rules(
            most_values=self._limits.max_values,
            most_uses=self._limits.max_uses,
            most_comparisons=self._limits.max_comparisons,
            introspection=development,
        )
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._held: Counter[str] = Counter()
        self._keeping = Lock()  # some are read aside

    def __len__(self) -> int:
        return len(self._kept)

    def knows(self, text: str) -> bool:
        """Whether it was read lately, so that it need not be read again."""
        return text in self._kept

    def read(self, text: str, who: str = "") -> Read:
        """The document, fit to run. The latest are kept: 200, of 8,000 characters each and 100,000 in all.

        Where there are more, one leaves of whoever brought most of them: `who` brings many drives out its own.
        """
        with self._keeping:
            kept = self._kept.get(text)
            if kept is not None:
                self._kept.move_to_end(text)
                return kept.read
        document = self._parse(text)
        measured = measure(self._schema, document, self._limits)
        try:
            self._validate(document, measured)
        except RequestRefused:
            take_apart(document)
            raise
        read = Read(document=document, costs=costs(measured))
        if len(text) <= MAX_KEPT_CHARS:
            compact(document)
            with self._keeping:
                self._keep(text, read, who)
        return read

    def _keep(self, text: str, read: Read, who: str) -> None:
        if text in self._kept:
            return
        size = max(len(text), MAX_KEPT_TOGETHER // MAX_KEPT)
        self._kept[text] = _Kept(read=read, size=size, who=who)
        self._held[who] += size
        while self._held.total() > MAX_KEPT_TOGETHER:
            self._forget_one_of(max(self._held, key=self._held.__getitem__))

    def _forget_one_of(self, who: str) -> None:
        oldest = next(text for text, kept in self._kept.items() if kept.who == who)
        self._held[who] -= self._kept.pop(oldest).size
        if not self._held[who]:
            del self._held[who]

    def cost(self, read: Read, operation: OperationDefinitionNode, variables: Variables) -> int:
        """What the operation costs with these variables: at most what its document was judged by."""
        found = (
            costs(measure(self._schema, read.document, self._limits, variables)) if variables else read.costs
        )
        return found[operation.name.value if operation.name else None]

    def check(self, operation: OperationDefinitionNode, variables: dict[str, Any]) -> VariableValues:
        """The operation's variables with their defaults. Refuses those that do not fit, before anything runs."""
        found = get_variable_values(
            self._schema,
            operation.variable_definitions or (),
            variables,
            max_errors=MAX_ERRORS,
            hide_suggestions=self._hide_suggestions,
        )
        if isinstance(found, list):
            raise RequestRefused([told_of(error, "BAD_USER_INPUT") for error in found])
        return found

    def _parse(self, text: str) -> DocumentNode:
        bound = self._limits.max_tokens
        try:
            document = parse(text, max_lexical_tokens=bound, max_comments=bound)
        except GraphQLSyntaxError as error:
            raise RequestRefused([told_of(error, _code_of(error))]) from None
        if "\\u" in text and _has_nul(document):
            raise RequestRefused.because("GRAPHQL_PARSE_FAILED", "A string holds a NUL character.")
        unchain_words(document)
        return document

    def _validate(self, document: DocumentNode, measured: Measured) -> None:
        errors = broken(measured, self._limits) or self._unfit(document)
        errors = errors or self._unfit_for_strawberry(document)
        if errors:
            raise RequestRefused([told_of(error, "GRAPHQL_VALIDATION_FAILED") for error in errors])

    def _unfit_for_strawberry(self, document: DocumentNode) -> list[GraphQLError]:
        with forgetful((MaybeNullValidationRule, OneOfInputValidationRule)) as rules:
            return validate(self._schema, document, rules, max_errors=MAX_ERRORS)

    def _unfit(self, document: DocumentNode) -> list[GraphQLError]:
        """What the standard rules say against the document."""
        try:
            with forgetful(self._rules) as rules:
                return validate(
                    self._schema,
                    document,
                    rules,
                    max_errors=MAX_ERRORS,
                    hide_suggestions=self._hide_suggestions,
                )
        except TooMany as error:
            raise RequestRefused([_too_much(error.bound, self._limits)]) from None


def graphql_schema(schema: strawberry.Schema) -> GraphQLSchema:
    """The graphql-core schema that Strawberry made; it has no public name there."""
    return schema._schema  # noqa: SLF001


def choose(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation that the request means. Raises `RequestRefused` unless there is exactly one."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if name is not None:
        operations = [node for node in operations if node.name and node.name.value == name]
    if len(operations) == 1:
        return operations[0]
    reason = (
        "There is no operation of the name in 'operationName'."
        if name is not None
        else "Say with 'operationName' which of the document's operations to run."
        if operations
        else "The document has no operation."
    )
    raise RequestRefused.because("OPERATION_RESOLUTION_FAILURE", reason)


def only(operation: OperationDefinitionNode, *allowed: OperationType) -> None:
    """Refuse an operation whose kind may not run on this transport."""
    if operation.operation not in allowed:
        raise RequestRefused.because(
            "OPERATION_RESOLUTION_FAILURE",
            f"A {operation.operation.value} cannot run over HTTP; open a graphql-transport-ws socket.",
        )


_TOO_MUCH = {
    "comparisons": "Seeing that the fields of this document fit together takes more than {:,} comparisons: select a "
    "field once in a place, or spread fewer fragments there.",
    "uses": "The operations of this document use variables more than {:,} times: send one operation at a time.",
    "values": "The lists and objects of this document hold more than {:,} values: send them as variables.",
}


def _too_much(bound: str, limits: Limits) -> Told:
    most: int = getattr(limits, f"max_{bound}")
    return told("QUERY_TOO_LARGE", _TOO_MUCH[bound].format(most), bound=bound, limit=most)


def _code_of(error: GraphQLSyntaxError) -> str:
    if error.message.endswith("nested too deeply. Parsing aborted."):
        return "QUERY_TOO_DEEP"
    return "QUERY_TOO_LARGE" if error.message.endswith("Parsing aborted.") else "GRAPHQL_PARSE_FAILED"


def _has_nul(document: DocumentNode) -> bool:
    token = document.loc.start_token if document.loc else None
    while token is not None:
        if token.value and "\x00" in token.value:
            return True
        token = token.next
    return False
