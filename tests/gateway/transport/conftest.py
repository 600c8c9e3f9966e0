"""A small schema of its own, served by a real uvicorn on loopback, for all tests of the transport."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import httpx
import pytest
import strawberry
import structlog.testing
import uvicorn
from graphql import GraphQLSchema
from starlette.applications import Starlette
from strawberry.scalars import JSON
from strawberry.types import Info
from structlog.typing import EventDict
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tieline.errors import Busy, Invalid, NotFound, Unauthenticated
from tieline_gateway.connections import BoundedSocket
from tieline_gateway.tasks import close_what_never_began
from tieline_gateway.transport import GraphQLTransport
from tieline_gateway.transport.documents import graphql_schema
from tieline_gateway.transport.incoming import Credentials

MODERN = "application/graphql-response+json"


@dataclass
class Seen:
    """What a test server saw. `running` counts operations under way, `calls` fresh contexts."""

    calls: int = 0
    running: int = 0
    started: int = 0
    cancelled: int = 0
    finished: int = 0
    revoked: set[str] = field(default_factory=set)

    @contextlib.contextmanager
    def under_way(self) -> Iterator[None]:
        self.running += 1
        self.started += 1
        try:
            yield
            self.finished += 1
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise
        finally:
            self.running -= 1


@dataclass(eq=False)
class Call:
    """The context of one operation."""

    seen: Seen
    token: str | None
    loaded: list[str] = field(default_factory=list)


@strawberry.type
class Item:
    name: str

    @strawberry.field
    def children(self, first: int = 10) -> list[Item]:
        return [Item(name=f"{self.name}.{number}") for number in range(min(first, 2))]

    @strawberry.field
    def pages(self, first: int) -> list[Item]:
        return [Item(name=f"{self.name}.{number}") for number in range(min(first, 2))]

    @strawberry.field
    def parent(self) -> Item:
        return self


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "world") -> str:
        return f"hello {name}"

    @strawberry.field
    def item(self) -> Item:
        return Item(name="root")

    @strawberry.field
    def number(self, value: int = 0) -> int:
        return value

    @strawberry.field
    def echo(self, value: JSON) -> JSON:
        return value

    @strawberry.field
    def fails(self, how: str) -> str | None:
        raise _failure(how)

    @strawberry.field
    def must_not_fail(self, how: str) -> str:
        raise _failure(how)

    @strawberry.field
    def too_big(self) -> int:
        return 2**40

    @strawberry.field
    def context(self, info: Info[Call, None]) -> str:
        info.context.loaded.append("field")
        return f"{id(info.context)} {len(info.context.loaded)} {info.context.token}"

    @strawberry.field
    async def wait(self, info: Info[Call, None], seconds: float) -> str:
        with info.context.seen.under_way():
            await asyncio.sleep(seconds)
        return "waited"


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def write(self, info: Info[Call, None], seconds: float = 0) -> str:
        with info.context.seen.under_way():
            await asyncio.sleep(seconds)
        return "written"


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, info: Info[Call, None], to: int = 3) -> AsyncIterator[int]:
        with info.context.seen.under_way():
            for number in range(to):
                yield number

    @strawberry.subscription
    async def forever(self, info: Info[Call, None]) -> AsyncIterator[int]:
        with info.context.seen.under_way():
            yield 0
            await asyncio.Event().wait()

    @strawberry.subscription
    async def breaks(self, how: str, after: int = 1) -> AsyncIterator[int]:
        for number in range(after):
            yield number
        raise _failure(how)


def _failure(how: str) -> Exception:
    failures: dict[str, Exception] = {
        "not found": NotFound("client", "42", field="input.clientId"),
        "invalid": Invalid("This does not fit.", field="input.name"),
        "busy": Busy(),
        "unauthenticated": Unauthenticated(),
    }
    return failures.get(how) or RuntimeError(f"secret {how}")


SCHEMA = strawberry.Schema(Query, Mutation, Subscription)


@dataclass
class Socket:
    """A client's side of one socket."""

    connection: ClientConnection

    async def send(self, message: object) -> None:
        await self.connection.send(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(10):
            return cast("dict[str, Any]", json.loads(await self.connection.recv()))

    async def subscribe(self, operation_id: str, query: str, **more: Any) -> None:
        await self.send({"id": operation_id, "type": "subscribe", "payload": {"query": query, **more}})

    async def closed(self) -> tuple[int | None, str | None]:
        """The code and reason that the server closes with; what it still sends is thrown away."""
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await self.connection.recv()
        return self.connection.close_code, self.connection.close_reason


@dataclass
class Server:
    """A running server: `url` and `socket_url` of its path, and what it saw."""

    port: int
    seen: Seen
    uvicorn: uvicorn.Server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    @property
    def socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/graphql"

    async def post(self, query: object, *, token: str | None = None, **more: Any) -> httpx.Response:
        """One operation; `more` are further parameters of the request."""
        headers = {"accept": MODERN, **({"authorization": f"Bearer {token}"} if token else {})}
        async with httpx.AsyncClient(timeout=20) as client:
            return await client.post(self.url, json={"query": query, **more}, headers=headers)

    async def send(self, body: bytes, **headers: str) -> httpx.Response:
        """A body as it is."""
        sent = {"accept": MODERN, "content-type": "application/json", **headers}
        async with httpx.AsyncClient(timeout=20) as client:
            return await client.post(self.url, content=body, headers=sent)

    @contextlib.asynccontextmanager
    async def connected(self, **more: Any) -> AsyncIterator[Socket]:
        more = {"subprotocols": ["graphql-transport-ws"], "max_size": None, **more}
        async with connect(self.socket_url, **more) as connection:
            yield Socket(connection)

    @contextlib.asynccontextmanager
    async def opened(self, payload: object = None, **more: Any) -> AsyncIterator[Socket]:
        """A socket whose `connection_init` was acknowledged."""
        async with self.connected(**more) as opened:
            await opened.send({"type": "connection_init", "payload": payload})
            assert await opened.receive() == {"type": "connection_ack"}
            yield opened

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        async with asyncio.timeout(10):
            while self.seen.running:  # noqa: ASYNC110 - the server runs in another thread
                await asyncio.sleep(0.01)


class Serve(Protocol):
    def __call__(self, **settings: Any) -> Server: ...


def _transport(seen: Seen, **settings: Any) -> GraphQLTransport[Call]:
    async def context(credentials: Credentials) -> Call:
        token = credentials.token
        if token == "slow":
            await asyncio.sleep(60)
        if token == "bug":
            raise RuntimeError("secret of the hook")
        if token == "busy":
            raise Busy
        if token == "wrong" or token in seen.revoked:
            raise Unauthenticated
        seen.calls += 1
        return Call(seen=seen, token=token)

    defaults: dict[str, Any] = {
        "schema": SCHEMA,
        "context": context,
        "allowed_origins": frozenset({"https://app.example"}),
        "development": False,
        "correlation_id": lambda: "correlation-1",
    }
    return GraphQLTransport(**{**defaults, **settings})


@contextlib.contextmanager
def _serving(**settings: Any) -> Iterator[Server]:
    seen = Seen()
    app = Starlette(routes=_transport(seen, **settings).routes())
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each answer waits 40 ms for an ACK
    server = uvicorn.Server(
        uvicorn.Config(
            app, log_config=None, ws=BoundedSocket, ws_max_size=300_000, timeout_graceful_shutdown=5
        )
    )

    async def serve() -> None:
        close_what_never_began()
        await server.serve(sockets=[listening])

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield Server(port=listening.getsockname()[1], seen=seen, uvicorn=server)
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The transport as it is by default."""
    with _serving() as running:
        yield running


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Makes further servers, with settings of `GraphQLTransport`."""
    with contextlib.ExitStack() as stack:
        yield lambda **settings: stack.enter_context(_serving(**settings))


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[EventDict]]:
    """The events of a test; none is printed, since the stock printer shows local variables and takes its time."""
    with structlog.testing.capture_logs() as events:
        yield events


@pytest.fixture(scope="session")
def schema() -> GraphQLSchema:
    """The schema behind `server`, as graphql-core has it."""
    return graphql_schema(SCHEMA)
