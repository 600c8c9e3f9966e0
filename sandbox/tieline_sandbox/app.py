"""The ASGI application: the providers behind their gates, the control API beside them."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Mount

from tieline_sandbox import control
from tieline_sandbox.gate import Gate
from tieline_sandbox.sandbox import Sandbox
from tieline_sandbox.xero.provider import PREFIX, Xero


def create_app(*, public_url: str = "http://localhost:9100", state_file: Path | None = None) -> Starlette:
    """An application with a state of its own; `public_url` is where browsers and apps find it."""
    sandbox = Sandbox(public_url=public_url, state_file=state_file)
    gate = Gate(
        provider=Xero(sandbox.xero),
        clock=sandbox.clock,
        log=sandbox.log,
        faults=sandbox.faults,
        store=sandbox.store,
        latency=sandbox.latency,
    )
    app = Starlette(routes=[Mount("/_control", routes=control.routes(sandbox)), Mount(PREFIX, app=gate)])
    app.router.redirect_slashes = False
    app.state.sandbox = sandbox
    return app
