"""The sandbox on a proof's calendar. It notes refusals that are due to calls that came too late."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import datetime
from http import HTTPStatus
from pathlib import Path

from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.proofs.pace import Pace
from tieline_sandbox import app as application
from tieline_sandbox import serve
from tieline_sandbox.clock import Clock

ASKED, LATENESS = b"x-asked", b"x-lateness"
"""When a call's place was asked for, and how many seconds later it should have come: by the calendar."""


class Punctual:
    """In front of the sandbox. Each late call excuses one refusal of its own organisation: itself, or a later one."""

    def __init__(self, app: ASGIApp, pace: Pace) -> None:
        self._app = app
        self._pace = pace
        self._late: Counter[tuple[str, bytes]] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        if ASKED not in headers:
            await self._app(scope, receive, send)
            return
        whose = scope["path"], headers.get(b"xero-tenant-id", b"")
        took = self._pace.now().timestamp() - float(headers[ASKED])
        self._late[whose] += took > float(headers[LATENESS])

        async def tell(message: Message) -> None:
            if message.get("status") == HTTPStatus.TOO_MANY_REQUESTS and self._late[whose]:
                self._late[whose] -= 1
                self._pace.note_excused()
            await send(message)

        await self._app(scope, receive, tell)


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
