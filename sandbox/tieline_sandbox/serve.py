"""Serving the application until a signal comes."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from pathlib import Path

import typer
import uvicorn

from tieline_sandbox.app import create_app
from tieline_sandbox.dropping import droppable_protocol
from tieline_sandbox.sandbox import Sandbox
from tieline_sandbox.welcome import welcome


class CannotListen(Exception):
    """The port is somebody else's, or the address is not this machine's."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        taken = error.errno == errno.EADDRINUSE
        super().__init__(
            f"Port {port} is taken: end what listens there, or choose another one with --port."
            if taken
            else f"The sandbox cannot listen on {host}, port {port}: {error.strerror}."
        )


class _Server(uvicorn.Server):
    """Says that it is ready, with what people need to log in."""

    def __init__(self, config: uvicorn.Config, sandbox: Sandbox) -> None:
        super().__init__(config)
        self._sandbox = sandbox

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        await self._sandbox.store.settle()
        typer.echo("\n".join([*welcome(self._sandbox), "sandbox.ready"]))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._sandbox.latency.end()
        await super().shutdown(sockets)


def serve(*, host: str, port: int, state_file: Path | None, public_url: str) -> None:
    """Runs until SIGTERM or SIGINT, and then ends the process with exit code 0. Raises CannotListen."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)  # the server raises the signal again when it has shut down
    listening = _listening(host, port)
    app = create_app(public_url=public_url, state_file=state_file)
    config = uvicorn.Config(
        app,
        http=droppable_protocol,  # type: ignore[arg-type]  # anything that makes a protocol will do
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=30,  # longer than clients keep a connection, or one is closed under a call now and then
        timeout_graceful_shutdown=2,
    )
    asyncio.run(_Server(config, app.state.sandbox).serve(sockets=[listening]))


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.create_server(address, family=family)
    except OSError as error:
        raise CannotListen(host, port, error) from error
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each answer waits 40 ms for an ACK
    return listening


def _end(_number: int, _frame: object) -> None:
    raise SystemExit(0)
