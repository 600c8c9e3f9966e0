"""The sandbox within the process, one for all rules: its control API, the way to it, and what READMEs say it costs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from tieline_sandbox.app import create_app

URL = "http://localhost:9100"
CALLBACK = "http://localhost:8000/callback"
_PLUGINS = Path(__file__).parents[2] / "plugins"
_ROW = re.compile(r"^\| `(\w+)` \| (\d+) \|", re.MULTILINE)


@cache
def transport() -> httpx.ASGITransport:
    return httpx.ASGITransport(create_app(public_url=URL))


def unchanged_calls(plugin: str) -> Mapping[str, int]:
    """What the table of its README says that each feed costs when nothing has changed."""
    text = (_PLUGINS / plugin / "README.md").read_text()
    table = text.partition("| Feed | Nothing changed |")[2].partition("\n\n")[0]
    return {feed: int(calls) for feed, calls in _ROW.findall(table)}


class Sandboxed:
    """A client of the sandbox, which is as at its beginning."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.transport = transport()

    async def control(self, method: str, path: str, body: object = None) -> Any:
        answer = await self.http.request(method, f"/_control{path}", json=body)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    async def now(self) -> datetime:
        return datetime.fromisoformat((await self.control("GET", "/clock"))["now"])

    async def advance(self, by: timedelta) -> None:
        await self.control("POST", "/clock", {"advance_seconds": by.total_seconds()})

    async def plant(self, provider: str, fault: Mapping[str, Any]) -> None:
        await self.control(
            "POST", "/faults", {"provider": provider, "endpoint": "accounting", "fault": fault}
        )

    async def decide(self, authorization_url: str, form: Mapping[str, str]) -> str:
        """The person answers the consent page: where the browser goes then."""
        back = await self.http.post(authorization_url, data={**form, "decision": "allow"})
        assert back.status_code == 302, back.text
        return back.headers["location"]


def client() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=transport(), base_url=URL)
