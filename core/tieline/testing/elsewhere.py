"""Pages read in another process, which knows of the reading nothing but a cursor; its calls go over the line here.

`Elsewhere` is this side. The other is the module itself, run by Python: it gets the provider and the sign-in, then one
question after another, and each line of its answers is a call to make or what a page shows.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import pickle
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from tieline.errors import ConsentGone
from tieline.plugins import Endpoints, FreeGate, Page, Provider, Session
from tieline.testing.bench import Bench, Login
from tieline.vault import Secret

_LONGEST_LINE = 128 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Start:
    """What the other process is told once."""

    provider: Provider
    endpoints: Endpoints
    access: str
    subject: str
    organisation: str
    now: datetime
    halved: int


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """The other process."""

    bench: Bench
    process: asyncio.subprocess.Process

    async def page(self, feed: str, cursor: str | None) -> dict[str, Any]:
        """The `shown` ids of the page after the cursor; or what was `raised`, or how the process died."""
        self._say({"feed": feed, "cursor": cursor})
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            told: dict[str, Any] = json.loads(line)
            if "url" not in told:
                return told
            request = httpx.Request(
                told["method"],
                told["url"],
                headers=told["headers"],
                content=base64.b64decode(told["content"]),
            )
            answer = await self.bench.wire.handle_async_request(request)
            self._say({"status": answer.status_code, **_sent(answer)})
        return {"raised": "the end of the process"}

    def _say(self, what: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what).encode() + b"\n")


@asynccontextmanager
async def elsewhere(bench: Bench, login: Login, *, halved: int) -> AsyncIterator[Elsewhere]:
    """It lives as long as the block."""
    start = Start(
        provider=bench.provider,
        endpoints=bench.endpoints,
        access=(await login.access()).reveal(),
        subject=login.subject.id,
        organisation=bench.pretender.organisation,
        now=await bench.pretender.now(),
        halved=halved,
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-B", "-m", __name__),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path or os.curdir for path in sys.path)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=_LONGEST_LINE,
    )
    try:
        assert process.stdin is not None
        process.stdin.write(base64.b64encode(pickle.dumps(start)) + b"\n")
        yield Elsewhere(bench=bench, process=process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def _sent(message: httpx.Request | httpx.Response) -> dict[str, Any]:
    return {
        "headers": message.headers.multi_items(),
        "content": base64.b64encode(message.content).decode(),
    }


@dataclass(frozen=True, kw_only=True)
class _Tokens:
    """The one that the other process was started with."""

    token: str

    async def access(self) -> Secret:
        return Secret(self.token)

    async def renewed(self, stale: Secret) -> Secret:  # noqa: ARG002 - there is no other
        raise ConsentGone("the provider")


class _Line(httpx.AsyncBaseTransport):
    """Every call is made by the process that started this one."""

    def __init__(self, say: Callable[[object], None]) -> None:
        self._say = say

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self._say({"method": request.method, "url": str(request.url), **_sent(request)})
        told = json.loads(sys.stdin.readline())
        return httpx.Response(
            told["status"], headers=told["headers"], content=base64.b64decode(told["content"])
        )


async def _serve(say: Callable[[object], None]) -> None:
    start: Start = pickle.loads(base64.b64decode(sys.stdin.readline()))  # noqa: S301 - the kit's own
    async with httpx.AsyncClient(transport=_Line(say), trust_env=False) as client:
        while line := sys.stdin.readline():
            say(await _page(start, client, **json.loads(line)))


async def _page(start: Start, client: httpx.AsyncClient, *, feed: str, cursor: str | None) -> dict[str, Any]:
    def now() -> datetime:
        return start.now

    session = Session(
        client=client,
        provider=start.provider,
        endpoints=start.endpoints,
        tokens=_Tokens(token=start.access),
        gate=FreeGate(start.provider.info.slug, now),
        subject=start.subject,
        organisation=start.organisation,
        now=now,
    )
    session.halved = start.halved
    feeds = {each.name: each for known in start.provider.info.feeds.values() for each in known}
    try:
        page: Page = await anext(start.provider.pull(session, feeds[feed], cursor))
    except Exception as error:  # noqa: BLE001 - told to who asked
        return {"raised": type(error).__name__}
    records = [(one.dataset, one.external_id) for one in page.records]
    return {"shown": records + [(one.dataset, one.external_id) for one in page.set_aside]}


def _main() -> None:
    """What the plugin prints is kept out of the answers."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(what: object) -> None:
        answers.write(json.dumps(what) + "\n")
        answers.flush()

    asyncio.run(_serve(say))


if __name__ == "__main__":
    # by its name, as the other side knows it
    from tieline.testing.elsewhere import _main as main

    main()
