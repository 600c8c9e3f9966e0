"""The standard rules, some of which are held to a bound: their work may grow with the square of a document.

One sees that fields answering under one name fit together. It compares in pairs: every two fields of a name, every two
fragments of a selection, and what is below them. It counts what this takes, and stops here at our limit instead of at
the library's, which is time enough to keep everybody else waiting. Another quotes a value in each error about it. Three
look at each use of a variable once for each operation that comes by it, and several at each value.
"""

from __future__ import annotations

from typing import Any

from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    ListValueNode,
    NoSchemaIntrospectionCustomRule,
    ObjectValueNode,
    OperationDefinitionNode,
    OverlappingFieldsCanBeMergedRule,
    SelectionSetNode,
    ValidationContext,
    ValuesOfCorrectTypeRule,
    specified_rules,
)
from graphql.validation.validate import ValidationAbortedError

from tieline_gateway.transport.leavings import nodes_in

MAX_QUOTED_CHARS = 5_000


class TooMany(Exception):
    """The document takes more than it may; `bound` names of what. Whether it is sound besides is not known."""

    def __init__(self, bound: str) -> None:
        super().__init__(bound)
        self.bound = bound


class Holding(ASTValidationRule):
    """Raises `TooMany` where the document's own lists and objects hold more than `most` values together.

    Several rules look at each of them, and so does whoever runs it. It comes before those.
    """

    most: int

    def enter_document(self, document: DocumentNode, *_: Any) -> None:
        held = 0
        for node in nodes_in(document):
            if isinstance(node, ListValueNode):
                held += len(node.values)
            elif isinstance(node, ObjectValueNode):
                held += len(node.fields)
            if held > self.most:
                raise TooMany("values")


class Using(ASTValidationRule):
    """Raises `TooMany` where variables are used more than `most` times.

    Each operation counts all that its fragments use, and that is how often other rules look at them. It comes before
    those.
    """

    most: int

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.validation_context = context
        self._used = 0

    def enter_operation_definition(self, operation: OperationDefinitionNode, *_: Any) -> None:
        self._used += len(self.validation_context.get_recursive_variable_usages(operation))
        if self._used > self.most:
            raise TooMany("uses")


class Comparing(OverlappingFieldsCanBeMergedRule):
    """Raises `TooMany` after `most` steps: about two for each pair of fields or of fragments."""

    most: int

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = self.most

    def enter_selection_set(
        self, selection_set: SelectionSetNode, _key: Any, parent: Any, *around: Any
    ) -> None:
        try:
            super().enter_selection_set(selection_set, _key, parent, *around)
        except ValidationAbortedError:
            if self.rule_context.remaining_complexity_budget >= 0:
                raise  # as many errors as are told
            raise TooMany("comparisons") from None


class Quoting(ValuesOfCorrectTypeRule):
    """Ends the reading once its errors hold 5,000 characters, for each may quote the same long value."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._quoted = 0

    def report_error(self, error: GraphQLError) -> None:
        super().report_error(error)
        self._quoted += len(error.message)
        if self._quoted > MAX_QUOTED_CHARS:
            raise ValidationAbortedError("The errors quote too much. Validation aborted.")


def rules(
    *, most_values: int, most_uses: int, most_comparisons: int, introspection: bool
) -> tuple[type[ASTValidationRule], ...]:
    """What every document is held to, in the library's order after the bounds on values and on uses of variables."""
    holding = type("Holding", (Holding,), {"most": most_values})
    using = type("Using", (Using,), {"most": most_uses})
    comparing = type("Comparing", (Comparing,), {"most": most_comparisons})
    bounded: dict[type[ASTValidationRule], type[ASTValidationRule]] = {
        OverlappingFieldsCanBeMergedRule: comparing,
        ValuesOfCorrectTypeRule: Quoting,
    }
    standard = (holding, using, *(bounded.get(rule, rule) for rule in specified_rules))
    return standard if introspection else (*standard, NoSchemaIntrospectionCustomRule)
