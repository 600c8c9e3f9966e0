"""Serving the application until a signal comes, and saying what there is to log in with."""

from __future__ import annotations

import asyncio
import signal
import socket
from pathlib import Path

import typer
import uvicorn

from tieline_sandbox.app import create_app
from tieline_sandbox.dropping import droppable_protocol
from tieline_sandbox.sandbox import Sandbox
from tieline_sandbox.xero.seeded import CLIENT_ID

_SHOWN_PEOPLE = 10


class _Server(uvicorn.Server):
    """Says that it is ready, with what people need to log in."""

    def __init__(self, config: uvicorn.Config, sandbox: Sandbox) -> None:
        super().__init__(config)
        self._sandbox = sandbox

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        await self._sandbox.store.settle()
        typer.echo("\n".join(_welcome(self._sandbox)))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._sandbox.latency.end()
        await super().shutdown(sockets)


def serve(*, host: str, port: int, state_file: Path | None, public_url: str) -> None:
    """Runs until SIGTERM or SIGINT, and then ends the process with exit code 0."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)  # the server raises the signal again when it has shut down
    app = create_app(public_url=public_url, state_file=state_file)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=droppable_protocol,  # type: ignore[arg-type]  # anything that makes a protocol will do
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    asyncio.run(_Server(config, app.state.sandbox).serve())


def _end(_number: int, _frame: object) -> None:
    raise SystemExit(0)


def _welcome(sandbox: Sandbox) -> list[str]:
    state = sandbox.state.xero
    app = state.apps.get(CLIENT_ID)
    lines = [f"Tieline sandbox at {sandbox.public_url} (Xero under {sandbox.xero.signer.issuer})"]
    if app:
        lines.append(f"client_id {app.client_id}  client_secret {app.secret}")
    for user in list(state.users.values())[:_SHOWN_PEOPLE]:
        count = len(user.organisations)
        lines.append(f"{user.given_name} {user.family_name} <{user.email}>: {count} organisations")
    return [*lines, "sandbox.ready"]
