"""Serving the application until a signal comes, and saying what there is to log in with."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import typer
import uvicorn

from tieline_sandbox.app import create_app
from tieline_sandbox.dropping import droppable_protocol
from tieline_sandbox.people import Someone, full_name
from tieline_sandbox.quickbooks import seeded as quickbooks_seeded
from tieline_sandbox.quickbooks.model import App as QuickBooksApp
from tieline_sandbox.sandbox import Sandbox
from tieline_sandbox.xero import seeded as xero_seeded
from tieline_sandbox.xero.model import App as XeroApp

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
    xero, quickbooks = sandbox.state.xero, sandbox.state.quickbooks
    lines = [
        f"Tieline sandbox at {sandbox.public_url}",
        f"Xero under {sandbox.xero.signer.issuer}",
        *_credentials(xero.apps.get(xero_seeded.CLIENT_ID)),
        *_people((user, len(user.organisations)) for user in xero.users.values()),
        f"QuickBooks Online under {sandbox.quickbooks.base}",
        *_credentials(quickbooks.apps.get(quickbooks_seeded.CLIENT_ID)),
        *_people((user, len(user.companies)) for user in quickbooks.users.values()),
    ]
    return [*lines, "sandbox.ready"]


def _credentials(app: XeroApp | QuickBooksApp | None) -> list[str]:
    return [f"  client_id {app.client_id}  client_secret {app.secret}"] if app else []


def _people(people: Iterable[tuple[Someone, int]]) -> list[str]:
    shown = islice(people, _SHOWN_PEOPLE)
    return [f"  {full_name(user)} <{user.email}>: {count} sets of books" for user, count in shown]
