"""The standard rules, some of which are held to a bound: their work may grow with the square of a document.

One sees that fields answering under one name fit together. It compares in pairs: every two fields of a name, every two
fragments of a selection, and what is below them. It counts what this takes, and stops here at our limit instead of at
the library's, which is time enough to keep everybody else waiting. Another quotes a value in each error about it. Three
look at each use of a variable once for each operation that comes by it.
"""

from __future__ import annotations

from typing import Any

from graphql import (
    ASTValidationRule,
    GraphQLError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OverlappingFieldsCanBeMergedRule,
    SelectionSetNode,
    ValidationContext,
    ValuesOfCorrectTypeRule,
    specified_rules,
)
from graphql.validation.validate import ValidationAbortedError

MAX_QUOTED_CHARS = 5_000


class TooManyComparisons(Exception):
    """The document takes more comparisons than it may; whether its fields fit is not known."""


class TooManyUses(Exception):
    """The operations of the document use variables more often than they may, all together."""


class Using(ASTValidationRule):
    """Raises `TooManyUses` where variables are used more than `most` times.

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
            raise TooManyUses


class Comparing(OverlappingFieldsCanBeMergedRule):
    """Raises `TooManyComparisons` after `most` steps: about two for each pair of fields or of fragments."""

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
            raise TooManyComparisons from None


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
    *, most_comparisons: int, most_uses: int, introspection: bool
) -> tuple[type[ASTValidationRule], ...]:
    """What every document is held to, in the library's order after the bound on uses of variables."""
    using = type("Using", (Using,), {"most": most_uses})
    comparing = type("Comparing", (Comparing,), {"most": most_comparisons})
    bounded: dict[type[ASTValidationRule], type[ASTValidationRule]] = {
        OverlappingFieldsCanBeMergedRule: comparing,
        ValuesOfCorrectTypeRule: Quoting,
    }
    standard = (using, *(bounded.get(rule, rule) for rule in specified_rules))
    return standard if introspection else (*standard, NoSchemaIntrospectionCustomRule)
