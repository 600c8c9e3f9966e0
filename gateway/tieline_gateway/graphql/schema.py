"""The schema put together from the slices; `schema.graphql` in the repository is its print."""

from __future__ import annotations

from functools import cache

import strawberry

from tieline_gateway.graphql.clients.mutations import ClientMutations
from tieline_gateway.graphql.clients.queries import ClientQueries
from tieline_gateway.graphql.practices.queries import PracticeQueries


@strawberry.type
class Query(PracticeQueries, ClientQueries):
    pass


@strawberry.type
class Mutation(ClientMutations):
    pass


@cache
def build_schema() -> strawberry.Schema:
    return strawberry.Schema(query=Query, mutation=Mutation)


def print_schema() -> str:
    """What `schema.graphql` holds."""
    return build_schema().as_str() + "\n"
