"""The sandbox on a proof's calendar. It notes the calls that came later than the quota counts on."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.proofs.pace import Pace
from tieline_sandbox import app as application
from tieline_sandbox import serve
from tieline_sandbox.clock import Clock

ASKED, LATENESS = b"x-asked", b"x-lateness"
"""When a call's place was asked for, and how many seconds later it should have come: by the calendar."""


class Punctual:
    """In front of the sandbox."""

    def __init__(self, app: ASGIApp, pace: Pace) -> None:
        self._app = app
        self._pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        if ASKED in headers:
            took = self._pace.now().timestamp() - float(headers[ASKED])
            if took > float(headers[LATENESS]):
                self._pace.note_late()
        await self._app(scope, receive, send)


def main(_port_is: str, port: str, path: str) -> None:
    pace = Pace(Path(path))

    def now(clock: Clock) -> datetime:
        return pace.now() + clock.offset

    setattr(Clock, "now", now)  # noqa: B010 - the one clock that it has

    def paced(*, public_url: str, state_file: Path | None) -> Starlette:
        app = application.create_app(public_url=public_url, state_file=state_file)
        app.add_middleware(Punctual, pace=pace)
        return app

    setattr(serve, "create_app", paced)  # noqa: B010
    serve.serve(host="127.0.0.1", port=int(port), state_file=None, public_url=f"http://localhost:{port}")


if __name__ == "__main__":
    main(*sys.argv[1:])
