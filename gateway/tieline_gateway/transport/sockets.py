"""graphql-transport-ws on the same path: frames read with suspicion, a fresh context for each operation.

Close codes: 4400 a frame that is not of the protocol, 4401 subscribed before the acknowledgement, 4403 the
caller is not (or no longer) known, 4406 another protocol, 4408 no `connection_init` in time, 4409 an id used
twice, 4429 initialised twice or too many frames, 4430 more sockets than one caller may hold, 4500 a bug on our
side, 1002 no frame, 1007 no text, 1009 a frame too large, 1012 the server stops, 1013 try again in a moment.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext, suppress
from datetime import timedelta
from typing import Any, cast

from graphql import OperationType
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    CompleteMessage,
    ConnectionInitMessage,
    Message,
    SubscribeMessage,
)

from tieline.errors import Refused, TryAgain, Unauthenticated
from tieline_gateway.transport.callers import Caller
from tieline_gateway.transport.errors import RequestRefused, Told, TooMany, refused
from tieline_gateway.transport.frames import Frames
from tieline_gateway.transport.incoming import LONG, GraphQLRequest, Malformed, read_json, values_in
from tieline_gateway.transport.operations import Joined, Operations, Outcome

MAX_OPERATIONS = 50
OPERATIONS_RETRY_SECONDS = 5
INIT_SECONDS = 10.0
_CANCEL_SECONDS = 1.0


class Sockets(GraphQL[Caller, None]):
    """The ASGI application of the path's WebSocket side."""

    def __init__(
        self,
        operations: Operations[Any],
        *,
        hears: Callable[[str, str], AbstractAsyncContextManager[None]] | None = None,
        allowed_origins: frozenset[str],
        init_seconds: float = INIT_SECONDS,
    ) -> None:
        super().__init__(
            operations.schema,
            graphql_ide=None,
            allow_queries_via_get=False,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=init_seconds),
            max_subscriptions_per_connection=None,
            allowed_origins=sorted(allowed_origins),
        )
        self.operations = operations
        self._hears = hears
        self.websocket_adapter_class = Frames
        self.graphql_transport_ws_handler_class = _Handler

    async def get_context(
        self,
        request: Request | WebSocket,
        response: Response | WebSocket,  # noqa: ARG002
    ) -> Caller:
        return Caller(host=request.client.host if request.client else None)

    async def on_ws_connect(self, context: Caller) -> Any:
        try:
            async with self._heard(context):
                context.joined = await self.operations.joined(context.credentials())
        except Refused:
            raise ConnectionRejectionError from None
        return await super().on_ws_connect(context)

    def _heard(self, caller: Caller) -> AbstractAsyncContextManager[None]:
        if self._hears is None or caller.host is None:
            return nullcontext()
        return self._hears(caller.host, caller.brought())

    def encode_json(self, data: object) -> str:
        return json.dumps(data, separators=(",", ":"), allow_nan=False)


class _Handler(BaseGraphQLTransportWSHandler[Caller, None]):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._shared: Operations[Any] = cast("Sockets", self.view).operations
        self._running: set[asyncio.Task[None]] = set()
        self._staying: asyncio.Task[None] | None = None
        self._frames = cast("Frames", self.websocket)
        self._frames.reads = self._read

    async def _read(self, frame: str) -> object:
        if len(frame) <= LONG:
            return read_json(frame)
        if not self.connection_acknowledged:
            raise Malformed(f"A frame may hold {LONG:,} characters before the acknowledgement.")
        joined = self.context.joined
        return await self._shared.read_long(frame, joined.who if joined else self.context.host or "")

    async def handle_message(self, message: Message) -> None:
        try:
            _check_message(message)
            await super().handle_message(message)
        except Malformed as error:
            await self.handle_invalid_message(str(error))
        except WebSocketDisconnected:
            raise
        except TooMany as error:
            await self._frames.close(4430, str(error), retry_after=error.retry_after)
        except RequestRefused as error:
            await self._frames.close(1013, str(error), retry_after=error.retry_after)
        except TryAgain as error:
            await self.websocket.close(1013, str(error))
        except Exception as error:  # noqa: BLE001 - masked and logged
            await self.handle_task_exception(error)
            await self.websocket.close(4500, "Something went wrong on our side.")

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        await super().handle_connection_init(message)
        joined = self.context.joined
        if self.connection_acknowledged and self._staying is None and joined is not None:
            self._staying = asyncio.create_task(self._stay(joined))

    async def _stay(self, joined: Joined) -> None:
        """Close the socket once its caller may stay no longer, whether or not anything is under way."""
        try:
            await joined.over()
        except Exception as error:  # noqa: BLE001 - masked and logged
            self._shared.mask.internal(error)
            await self.websocket.close(4500, "Something went wrong on our side.")
        await self.websocket.close(4403, "Forbidden")

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        if self.connection_acknowledged and len(self._running) >= MAX_OPERATIONS:
            sentence = f"A socket may run {MAX_OPERATIONS} operations at once."
            too_many = RequestRefused.because(
                "TOO_MANY_OPERATIONS", sentence, retry_after=OPERATIONS_RETRY_SECONDS
            )
            await self.send_message(_error(message["id"], too_many.errors))
            return
        await super().handle_subscribe(message)
        operation = self.operations.get(message["id"])
        if operation is not None and operation.task is not None:
            self._running.add(operation.task)
            operation.task.add_done_callback(self._running.discard)

    async def handle_complete(self, message: CompleteMessage) -> None:
        """Cancel the operation, and read no further frame before it let go, or a second went by."""
        operation = self.operations.get(message["id"])
        await super().handle_complete(message)
        if operation is not None and operation.task is not None:
            await asyncio.wait({operation.task}, timeout=_CANCEL_SECONDS)

    async def shutdown(self) -> None:
        try:
            await self._shut_down()
        finally:
            if self.context.joined is not None:
                self.context.joined.leave()

    async def _shut_down(self) -> None:
        running = set(self._running)
        if self._staying is not None:
            self._staying.cancel()
            running.add(self._staying)
        await super().shutdown()
        if running:
            await asyncio.wait(running)

    async def handle_task_exception(self, error: Exception) -> None:
        self._shared.mask.internal(error)

    async def run_operation(self, operation: Operation[Caller, None]) -> None:
        try:
            await self._run(operation)
        except WebSocketDisconnected:
            pass
        except RequestRefused as error:
            await self._fail(operation, error.errors)
        except (Refused, TryAgain) as error:
            await self._fail(operation, [refused(error)])
            if isinstance(error, Unauthenticated):
                await self.websocket.close(4403, "Forbidden")
        except Exception as error:  # noqa: BLE001 - masked and logged
            await self._fail(operation, [self._shared.mask.internal(error)])
        finally:
            if self.operations.get(operation.id) is operation:
                self.forget_id(operation.id)

    async def _run(self, operation: Operation[Caller, None]) -> None:
        credentials = self.context.credentials()
        context = await self._shared.authenticated(credentials)
        request = GraphQLRequest(
            query=operation.query,
            variables=operation.variables or {},
            values=values_in(operation.variables or {}),
            operation_name=operation.operation_name,
        )
        prepared, context = await self._shared.admit(request, context, credentials)
        if prepared.kind is OperationType.SUBSCRIPTION:
            async with aclosing(self._shared.subscribe(prepared, context)) as outcomes:
                async for outcome in outcomes:
                    await self._send(operation, outcome)
        else:
            await self._send(operation, await self._shared.run(prepared, context))
        await operation.send_operation_message({"id": operation.id, "type": "complete"})

    async def _send(self, operation: Operation[Caller, None], outcome: Outcome) -> None:
        if outcome.began:
            await operation.send_operation_message(
                {"id": operation.id, "type": "next", "payload": cast("Any", outcome.payload())}
            )
        else:
            await self._fail(operation, outcome.errors)
        if outcome.unauthenticated:
            await self.websocket.close(4403, "Forbidden")
            raise WebSocketDisconnected

    async def _fail(self, operation: Operation[Caller, None], errors: list[Told]) -> None:
        with suppress(WebSocketDisconnected):
            await operation.send_operation_message(_error(operation.id, errors))


def _error(operation_id: str, errors: list[Told]) -> Message:
    return {"id": operation_id, "type": "error", "payload": cast("Any", errors)}


def _check_message(message: object) -> None:
    """Raise `Malformed` unless this is a message that a client may send, its fields of the right types."""
    if not isinstance(message, dict):
        raise Malformed("A message is a JSON object.")
    kind = message.get("type")
    if not isinstance(kind, str):
        raise Malformed("'type' must be a string.")
    if kind in {"connection_init", "ping", "pong"}:
        if not isinstance(message.get("payload"), dict | None):
            raise Malformed("'payload' must be an object or null.")
        if message.get("payload") is None:
            message["payload"] = {}
    elif kind in {"subscribe", "complete"}:
        if not isinstance(message.get("id"), str) or not message["id"]:
            raise Malformed("'id' must be a string that is not empty.")
        if kind == "subscribe":
            GraphQLRequest.read(message.get("payload"))
    else:
        raise Malformed("Unknown message type.")
