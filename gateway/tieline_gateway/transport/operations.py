"""Running one operation: read, chosen, checked, executed within its time, and its errors masked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic, TypeVar

from graphql import OperationDefinitionNode, OperationType
from strawberry.types.execution import ExecutionResult, PreExecutionError

from tieline.errors import Unauthenticated
from tieline_gateway.transport.aside import Aside
from tieline_gateway.transport.documents import Documents, choose
from tieline_gateway.transport.errors import Mask, RequestRefused, Told
from tieline_gateway.transport.incoming import LONG, Credentials, GraphQLRequest, read_json
from tieline_gateway.transport.served import Judged, ServedSchema

Context = TypeVar("Context")

BASE_COST = 100
"""What any operation costs, on top of its document: its caller is looked up, and it has a transaction."""

SHORT_CHARS = 500
"""A text that is read at once. Whatever it holds, that is soon done."""

FEW_VALUES = 1_000
"""So many values of variables are looked through at once."""

CHARS_READ = 10
"""So many characters of a text that is not known cost one."""

BYTES_READ = 100
"""So many bytes of a long body cost one, whatever is in it."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """An operation that may run: everything that can be said against the request has been looked at.

    `cost` is what its document says that it costs with the variables that came along.
    """

    request: GraphQLRequest
    judged: Judged
    cost: int

    @property
    def operation(self) -> OperationDefinitionNode:
        return self.judged.operation

    @property
    def kind(self) -> OperationType:
        return self.operation.operation


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One result for the caller. `began` is False if a subscription ended before it could start.

    `unauthenticated`: somewhere on the way it turned out that the caller is no longer known.
    """

    data: dict[str, Any] | None
    errors: list[Told]
    began: bool
    unauthenticated: bool

    def payload(self) -> dict[str, Any]:
        return {"data": self.data, **({"errors": self.errors} if self.errors else {})}


@dataclass(frozen=True, kw_only=True)
class Joined:
    """A socket that was let in: `over` returns once its caller may stay no longer, `leave` is called at its end.

    `who` names its caller.
    """

    who: str
    over: Callable[[], Awaitable[None]]
    leave: Callable[[], None]


@dataclass(frozen=True, kw_only=True)
class Operations(Generic[Context]):
    """What the HTTP endpoint and the sockets share. `seconds` is the time a query or mutation may take."""

    schema: ServedSchema
    documents: Documents
    mask: Mask
    context: Callable[[Credentials], Awaitable[Context]]
    joins: Callable[[Credentials], Awaitable[Joined]] | None
    spends: Callable[[Context, int], Awaitable[timedelta | None]] | None
    caller: Callable[[Context], Awaitable[str]] | None
    seconds: float
    aside: Aside = field(default_factory=Aside)

    async def authenticated(self, credentials: Credentials) -> Context:
        """A fresh context for one operation. Raises what the hook raises, and `RequestRefused` when late."""
        async with self._in_time():
            return await self.context(credentials)

    async def joined(self, credentials: Credentials) -> Joined | None:
        """Let a socket in. Raises as `authenticated` does, and what the hook for sockets raises."""
        if self.joins is None:
            await self.authenticated(credentials)
            return None
        async with self._in_time():
            return await self.joins(credentials)

    async def read_body(self, body: bytes, context: Context) -> object:
        """As `read_json`; a long one is paid for before it is read, whatever comes of that."""
        if len(body) <= LONG:
            return read_json(body)
        await self._spend(context, len(body) // BYTES_READ)
        return await self.read_long(body, await self._who(context))

    async def read_long(self, raw: bytes | str, who: str) -> object:
        """As `read_json`, aside. Raises `RequestRefused` besides, when it took too long or there is too much of it."""
        async with self._in_time():
            return await self.aside(who, read_json, raw)

    def prepare(self, request: GraphQLRequest, who: str = "") -> Prepared:
        """Raises `RequestRefused` with every reason found. `who` sends it: what is kept of it counts as that one's."""
        read = self.documents.read(request.query, who)
        operation = choose(read.document, request.operation_name)
        values = self.documents.check(operation, request.variables)
        cost = self.documents.cost(read, operation, values.coerced)
        judged = Judged(document=read.document, operation=operation, values=values)
        return Prepared(request=request, judged=judged, cost=cost)

    async def admit(
        self, request: GraphQLRequest, context: Context, credentials: Credentials, *, waited: bool = False
    ) -> tuple[Prepared, Context]:
        """As `prepare`, counted for the caller, and also refused to one that asked too much of late.

        A text that is not known is paid for before it is read, whatever comes of that. The operation runs with the
        context that comes back: whoever `waited` before this, or has to wait for the reading, may be nobody by now,
        and is looked up again, once for both, and before anything is said against the operation.
        """
        if waited and self._is_soon_read(request):
            context, waited = await self.authenticated(credentials), False
        cost = BASE_COST
        if not self.documents.knows(request.query):
            await self._spend(context, BASE_COST + len(request.query) // CHARS_READ)
            cost = 0
        who = await self._who(context)
        soon = self._is_soon_read(request)
        waited = waited or not soon
        try:
            prepared = self.prepare(request, who) if soon else await self._prepare_aside(request, who)
        except RequestRefused:
            if waited:
                await self.authenticated(credentials)
            raise
        if waited:
            context = await self.authenticated(credentials)
        await self._spend(context, cost + prepared.cost)
        return prepared, context

    async def _prepare_aside(self, request: GraphQLRequest, who: str) -> Prepared:
        async with self._in_time():
            return await self.aside(who, self.prepare, request, who)

    def _is_soon_read(self, request: GraphQLRequest) -> bool:
        known = self.documents.knows(request.query) or len(request.query) <= SHORT_CHARS
        return known and request.values <= FEW_VALUES

    async def _who(self, context: Context) -> str:
        return "" if self.caller is None else await self.caller(context)

    async def _spend(self, context: Context, cost: int) -> None:
        if self.spends is None:
            return
        async with self._in_time():
            wait = await self.spends(context, cost)
        if wait is not None:
            raise RequestRefused.for_a_while(wait)

    async def run(self, prepared: Prepared, context: Context) -> Outcome:
        """The result of a query or mutation. Raises `RequestRefused` when it took too long."""
        request = prepared.request
        async with self._in_time():
            result = await self.schema.execute(
                request.query,
                variable_values=request.variables,
                context_value=context,
                operation_name=request.operation_name,
                operation_extensions=prepared.judged.carried(),
            )
        return self._outcome(result)

    async def subscribe(self, prepared: Prepared, context: Context) -> AsyncGenerator[Outcome, None]:
        """The results of a subscription, until it ends or its caller stops."""
        request = prepared.request
        source = await self.schema.subscribe(
            request.query,
            variable_values=request.variables,
            context_value=context,
            operation_name=request.operation_name,
            operation_extensions=prepared.judged.carried(),
        )
        async with aclosing(source) as results:
            async for result in results:
                yield self._outcome(result)

    def _outcome(self, result: ExecutionResult) -> Outcome:
        errors = result.errors or []
        return Outcome(
            data=result.data,
            errors=[self.mask.told(error) for error in errors],
            began=not isinstance(result, PreExecutionError),
            unauthenticated=any(isinstance(error.original_error, Unauthenticated) for error in errors),
        )

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        limit = asyncio.timeout(self.seconds)
        try:
            async with limit:
                yield
        except TimeoutError:
            if not limit.expired():
                raise
            raise RequestRefused.because(
                "TIMEOUT",
                f"This took longer than {self.seconds:g} s and was stopped; ask for less.",
                status=503,
            ) from None
