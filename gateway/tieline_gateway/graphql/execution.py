"""Long lists are answered in turns: a page of hundreds of rows keeps nobody from the event loop until it is done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

from graphql import GraphQLOutputType, GraphQLResolveInfo, get_nullable_type, is_leaf_type
from graphql.pyutils import AwaitableOrValue, Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

FEW = 25
"""Rows that are answered at once."""

_TURN_SECONDS = 0.005


class InTurns(StrawberryGraphQLCoreExecutionContext):
    """What rows ask loaders for is asked once all of them were gone through, so that it stays one question."""

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        field_details_list: Any,
        info: GraphQLResolveInfo[Any],
        path: Path,
        items: Iterable[Any],
        position_context: Any,
    ) -> AwaitableOrValue[list[Any]]:
        answering = item_type, field_details_list, info, path
        if not isinstance(items, list) or len(items) <= FEW or is_leaf_type(get_nullable_type(item_type)):
            return super().complete_iterable_value(*answering, items, position_context)
        return self.complete_async_iterator_value(*answering, _in_turns(items), position_context)


async def _in_turns(rows: list[Any]) -> AsyncIterator[Any]:
    """Each row, and a turn for others whenever these have taken a while."""
    clock = asyncio.get_running_loop().time
    over_at = clock() + _TURN_SECONDS
    for row in rows:
        if clock() >= over_at:
            await asyncio.sleep(0)
            over_at = clock() + _TURN_SECONDS
        yield row
