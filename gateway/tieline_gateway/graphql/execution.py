"""Long lists are answered in turns: a page of hundreds of rows keeps nobody from the event loop until it is done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

from graphql import GraphQLOutputType, GraphQLResolveInfo, get_nullable_type, is_leaf_type
from graphql.pyutils import AwaitableOrValue, Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from tieline_gateway.tasks import close_what_was_held

FEW = 25
"""Rows that are answered at once."""

_TURN_SECONDS = 0.005


class InTurns(StrawberryGraphQLCoreExecutionContext):
    """What the rows of a list ask loaders for is asked once all of them were gone through: it stays one question.

    Lists of an operation share its turns. Where no loop runs, nothing waits for one.
    """

    _over_at = 0.0

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
        is_short = not isinstance(items, list) or len(items) <= FEW
        if is_short or is_leaf_type(get_nullable_type(item_type)) or not _is_on_a_loop():
            return super().complete_iterable_value(*answering, items, position_context)
        return self._completed(*answering, self._in_turns(items), position_context)

    async def _completed(self, *given: Any) -> list[Any]:
        try:
            return await self.complete_async_iterator_value(*given)
        except asyncio.CancelledError as cancelled:
            close_what_was_held(cancelled)
            raise

    async def _in_turns(self, rows: Iterable[Any]) -> AsyncIterator[Any]:
        """Each row, and a turn for others whenever those before have taken a while."""
        clock = asyncio.get_running_loop().time
        for row in rows:
            if clock() >= self._over_at:
                await asyncio.sleep(0)
                self._over_at = clock() + _TURN_SECONDS
            yield row


def _is_on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
