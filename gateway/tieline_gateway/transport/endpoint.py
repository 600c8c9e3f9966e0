"""The GraphQL path put together: one schema, its limits, and the hook that says who is asking."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic

import strawberry
from starlette.routing import BaseRoute, Route, WebSocketRoute

from tieline.log import correlation_id
from tieline_gateway.transport.documents import Documents, graphql_schema
from tieline_gateway.transport.errors import Mask
from tieline_gateway.transport.http import BODY_SECONDS, HTTPEndpoint
from tieline_gateway.transport.incoming import Credentials
from tieline_gateway.transport.limits import Limits
from tieline_gateway.transport.operations import Context, Joined, Operations
from tieline_gateway.transport.served import ServedSchema
from tieline_gateway.transport.sockets import INIT_SECONDS, Sockets

OPERATION_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class GraphQLTransport(Generic[Context]):
    """Serves `schema` over HTTP and WebSocket.

    `context` is called with what the caller says about itself, once for each operation and once more when a socket
    opens; it answers a fresh context, or raises `tieline.errors.Unauthenticated` or another refusal.
    `hears` is called with the address that a socket comes from and what is said on it of its caller, and is entered
    around looking that up; it raises `RequestRefused` for an address that is not heard.
    `joins`, where it is there, is called instead when a socket opens, with the same, and raises the same, or `TooMany`.
    It answers what returns once the caller may stay no longer: the socket is closed then, also with nothing under way.
    `spends` is called with the context and the cost of each operation, and of reading a document that is not known; it
    answers how long to wait instead, where its caller has asked too much.
    `caller` is called with the context and names whoever asks: nobody waits for all that another one has to be read.
    `allowed_origins` are the origins besides our own whose pages may open sockets. `development` allows
    introspection and suggestions. `operation_seconds` bounds queries and mutations, not subscriptions.
    """

    schema: strawberry.Schema
    context: Callable[[Credentials], Awaitable[Context]]
    hears: Callable[[str, str], AbstractAsyncContextManager[None]] | None = None
    joins: Callable[[Credentials], Awaitable[Joined]] | None = None
    spends: Callable[[Context, int], Awaitable[timedelta | None]] | None = None
    caller: Callable[[Context], Awaitable[str]] | None = None
    allowed_origins: frozenset[str]
    development: bool
    limits: Limits = field(default_factory=Limits)
    correlation_id: Callable[[], str] = correlation_id
    operation_seconds: float = OPERATION_SECONDS
    body_seconds: float = BODY_SECONDS
    init_seconds: float = INIT_SECONDS

    def routes(self, path: str = "/graphql") -> list[BaseRoute]:
        """The routes of both sides, on one path. Each call makes its own cache of documents."""
        served = ServedSchema(self.schema)
        operations = Operations(
            schema=served,
            documents=Documents(graphql_schema(self.schema), self.limits, development=self.development),
            mask=Mask(correlation_id=self.correlation_id),
            context=self.context,
            joins=self.joins,
            spends=self.spends,
            caller=self.caller,
            seconds=self.operation_seconds,
        )
        sockets = Sockets(
            operations,
            hears=self.hears,
            allowed_origins=self.allowed_origins,
            init_seconds=self.init_seconds,
        )
        http = HTTPEndpoint(operations=operations, body_seconds=self.body_seconds)
        return [Route(path, http), WebSocketRoute(path, sockets)]
