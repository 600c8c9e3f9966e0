"""The ASGI application: the providers behind their gates, the control API beside them."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Mount

from tieline_sandbox import control
from tieline_sandbox.gate import Gate, Provider
from tieline_sandbox.quickbooks.provider import QuickBooks
from tieline_sandbox.quickbooks.service import PREFIX as QUICKBOOKS
from tieline_sandbox.sandbox import Sandbox
from tieline_sandbox.xero.provider import PREFIX as XERO
from tieline_sandbox.xero.provider import Xero


def create_app(*, public_url: str = "http://localhost:9100", state_file: Path | None = None) -> Starlette:
    """An application with a state of its own; `public_url` is where browsers and apps find it."""
    sandbox = Sandbox(public_url=public_url, state_file=state_file)

    def gate(provider: Provider) -> Gate:
        return Gate(
            provider=provider,
            clock=sandbox.clock,
            log=sandbox.log,
            faults=sandbox.faults,
            store=sandbox.store,
            latency=sandbox.latency,
        )

    routes = [
        Mount("/_control", routes=control.routes(sandbox)),
        Mount(XERO, app=gate(Xero(sandbox.xero))),
        Mount(QUICKBOOKS, app=gate(QuickBooks(sandbox.quickbooks))),
    ]
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    app.state.sandbox = sandbox
    return app
