"""A schema as the transport runs it: documents arrive read, and the values of their variables looked through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import strawberry
from graphql import DocumentNode, GraphQLError, GraphQLSchema, OperationDefinitionNode
from graphql.execution import Executor
from graphql.execution.values import VariableValues
from strawberry.extensions import SchemaExtension
from strawberry.types.execution import ExecutionContext

_JUDGED = "judged"


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """An operation that may run, of a document, with the values of its variables."""

    document: DocumentNode
    operation: OperationDefinitionNode
    values: VariableValues

    def carried(self) -> dict[str, Any]:
        """The operation's extensions that make `ServedSchema` use this, and read and look through nothing again."""
        return {_JUDGED: self}


class ServedSchema(strawberry.Schema):
    """It runs what is `Judged` only, and errors are logged by `Mask` alone.

    It shares everything with `schema` except its methods, so a subclass's overrides do not come along.
    """

    def __init__(self, schema: strawberry.Schema) -> None:
        vars(self).update(vars(schema))
        self.extensions = (_ReadDocument, *schema.extensions)
        self.execution_context_class = _believing(schema.execution_context_class)

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        pass


class _ReadDocument(SchemaExtension):
    def on_parse(self) -> Iterator[None]:
        extensions = self.execution_context.operation_extensions or {}
        self.execution_context.graphql_document = extensions[_JUDGED].document
        yield

    def on_validate(self) -> Iterator[None]:
        self.execution_context.pre_execution_errors = []
        yield


def _believing(executor: type[Executor[Any]]) -> type[Executor[Any]]:
    """An executor that takes the values as they were judged: thousands would be looked through on the event loop."""

    class Believing(executor):  # type: ignore[misc, valid-type]  # made for the class it is given
        @classmethod
        def build(
            cls, schema: GraphQLSchema, *given: Any, operation_extensions: dict[str, Any], **named: Any
        ) -> list[GraphQLError] | Executor[Any]:
            judged: Judged = operation_extensions[_JUDGED]
            _document, root, context, _raw_values, *more = given
            built: list[GraphQLError] | Executor[Any] = super().build(
                schema,
                _without_variables(judged),
                root,
                context,
                {},
                *more,
                operation_extensions=operation_extensions,
                **named,
            )
            if not isinstance(built, list):
                built.operation, built.variable_values = judged.operation, judged.values
            return built

    return Believing


def _without_variables(judged: Judged) -> DocumentNode:
    if not judged.operation.variable_definitions:
        return judged.document
    bare = replace(judged.operation, variable_definitions=())
    return DocumentNode(
        definitions=tuple(bare if one is judged.operation else one for one in judged.document.definitions)
    )
