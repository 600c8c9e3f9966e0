"""Questions to the schema as a transport puts them, in this process and for a caller who is known already."""

from __future__ import annotations

from typing import Any

from tieline.identity.tokens import Identity
from tieline.principal import Principal
from tieline_gateway.graphql.context import Context
from tieline_gateway.graphql.schema import build_schema


async def asked(principal: Principal, document: str, **variables: Any) -> dict[str, Any]:
    """The data of an operation that has no errors."""

    async def known() -> Principal:
        return principal

    async def nobody() -> Identity:
        raise AssertionError

    context = await Context.of(known, nobody)
    answer = await build_schema().execute(document, variable_values=variables, context_value=context)
    assert answer.errors is None, answer.errors
    assert answer.data is not None
    return answer.data
