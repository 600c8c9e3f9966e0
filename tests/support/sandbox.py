"""The sandbox as tests use it: a process of its own, its control API, and a person with a browser who consents.

sandbox ── app(...)        an app in the pretended developer portal, for one practice
── populate(...)   a person with organisations
── consent(...)    what that person's browser does from the authorization URL on
── plant(...)      what goes wrong with the next calls
── log(...)        what we asked the provider
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from tests.support.polling import wait_until
from tests.support.ports import free_port
from tests.support.processes import assert_unbroken
from tests.support.source import ROOT
from tieline.credentials.apps.service import NewApp, add_app
from tieline.host import host
from tieline.ids import AppId, PracticeId, new_id
from tieline.vault import Secret

_HELD_SECONDS = 20.0
"""Longer than any strike, and not so long that a caller gives up."""


@dataclass(frozen=True, kw_only=True)
class App:
    """A practice's app at the pretended provider, known on both sides."""

    id: AppId
    client_id: str
    callback_url: str


@dataclass(frozen=True, kw_only=True)
class Books:
    """An organisation at the provider, by the provider's id."""

    tenant_id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with a login at the provider."""

    id: str
    email: str
    organisations: tuple[Books, ...]

    def named(self, name: str) -> Books:
        return next(books for books in self.organisations if books.name == name)


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """A running sandbox; `url` is its address without a slash at the end."""

    url: str
    http: httpx.AsyncClient = field(repr=False)

    @property
    def xero(self) -> str:
        return f"{self.url}/xero"

    async def control(self, method: str, path: str, body: object = None, **query: str) -> Any:
        """Call the control API; a refusal fails the test."""
        answer = await self.http.request(method, f"{self.url}/_control{path}", json=body, params=query)
        assert answer.status_code == 200, (method, path, answer.text)
        return answer.json()

    async def hold(self) -> None:
        """Calls of providers wait until there is another latency."""
        await self.control("PUT", "/latency", {"seconds": _HELD_SECONDS})

    @asynccontextmanager
    async def holding(self, *, then: float) -> AsyncIterator[None]:
        """Calls of providers wait for the end of the block, so that nothing ends meanwhile; `then` is the latency."""
        await self.hold()
        try:
            yield
        finally:
            await self.control("PUT", "/latency", {"seconds": then})

    async def let_slow_go(self) -> None:
        """What a fault holds up is answered now."""
        await self.control("PUT", "/latency", {"seconds": 0})

    async def app(self, practice_id: PracticeId, *, bulk_consent: bool = True, **settings: Any) -> App:
        """An app of this practice's own, in the portal and in Tieline. `settings` are the portal's own."""
        client_id = f"app-{new_id()}"
        made = await self.control("PUT", f"/apps/{client_id}", {"bulk_consent": bulk_consent, **settings})
        new = NewApp(
            provider="xero",
            client_id=client_id,
            secret=Secret(made["secret"]),
            bulk_consent=bulk_consent,
            sandbox_url=self.xero,
        )
        app_id = (await add_app(practice_id, new)).id
        callback_url = host().callback_url("xero", app_id)
        await self.control("PUT", f"/apps/{client_id}", {"redirect_uris": [callback_url]})
        return App(id=app_id, client_id=client_id, callback_url=callback_url)

    async def populate(self, *names: str, organisations: int | None = None, **more: Any) -> Person:
        """A new person with new organisations, of these names as far as they go."""
        seed = str(new_id())
        wanted: dict[str, Any] = {
            "seed": seed,
            "prefix": seed[-4:],
            "names": names,
            "organisations": organisations or len(names),
        }
        made = await self.control("POST", "/populate", wanted | more)
        return Person(
            id=made["user_id"],
            email=made["email"],
            organisations=tuple(
                Books(tenant_id=one["tenant_id"], name=one["name"]) for one in made["organisations"]
            ),
        )

    async def share(self, person: Person, *books: Books) -> None:
        """Let another person connect these organisations too, and no other from now on."""
        await self.control("PUT", f"/users/{person.id}", {"organisations": [one.tenant_id for one in books]})

    async def consent(
        self,
        authorization_url: str,
        person: Person,
        books: Sequence[Books] | None = None,
        *,
        allow: bool = True,
    ) -> str:
        """The person answers the consent page for these organisations, or all: where the browser is sent then."""
        chosen = person.organisations if books is None else books
        fields = {
            "user": person.id,
            "decision": "allow" if allow else "deny",
            "organisation": [one.tenant_id for one in chosen],
        }
        answer = await self.http.post(authorization_url, data=fields)
        assert answer.status_code == 302, (authorization_url, answer.text)
        return answer.headers["location"]

    async def plant(self, kind: str, endpoint: str, *, times: int = 1, after: int = 0, **more: Any) -> None:
        """The next calls of this endpoint go wrong; `more` belongs to the fault, or to whom it is meant for."""
        whom: dict[str, Any] = {
            name: more.pop(name) for name in ("organisation", "user", "method") if name in more
        }
        fault = {"kind": kind, **more}
        plan: dict[str, Any] = {"fault": fault, "endpoint": endpoint, "times": times, "after": after, **whom}
        await self.control("POST", "/faults", plan)

    async def revoke(self, app: App, person: Person, books: Books | None = None) -> None:
        """The person takes the consent back at the provider, for one organisation or for all."""
        named: dict[str, str] = {} if books is None else {"organisation": books.tenant_id}
        await self.control("POST", "/revoke", {"user": person.id, "client_id": app.client_id, **named})

    async def log(self, app: App, *endpoints: str) -> list[dict[str, Any]]:
        """What this app asked the provider, in order; of these endpoints, or all but the consent page."""
        entries: list[dict[str, Any]] = (await self.control("GET", "/log"))["entries"]
        return [
            entry
            for entry in entries
            if entry["client_id"] == app.client_id
            and (entry["endpoint"] in endpoints if endpoints else entry["endpoint"] != "authorize")
        ]

    async def move_clock(self, seconds: float) -> None:
        await self.control("POST", "/clock", {"advance_seconds": seconds})


@dataclass(frozen=True, kw_only=True)
class Landed:
    """What a browser that comes back is told: the answer of our callback."""

    response: httpx.Response = field(repr=False)

    @property
    def told(self) -> dict[str, str]:
        """The parameters of the redirect to the front end."""
        assert self.response.status_code == 303, self.response.text
        return dict(parse_qsl(urlsplit(self.response.headers["location"]).query))


async def land(http: httpx.AsyncClient, callback: str, **headers: str) -> Landed:
    """Follow the provider's redirect to our callback, and no further."""
    return Landed(response=await http.get(callback, headers=headers, follow_redirects=False))


@contextmanager
def running_sandbox(logs: Path, module: str = "tieline_sandbox", *arguments: str) -> Iterator[str]:
    """A sandbox on a free port until the block ends, started by this module; its address."""
    port = free_port()
    log = logs / f"sandbox-{port}.log"
    with log.open("wb") as output:
        popen = subprocess.Popen(
            [sys.executable, "-m", module, "--port", str(port), *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: "sandbox.ready" in log.read_text(), "the sandbox is ready")
        yield f"http://localhost:{port}"
        assert_unbroken(log.read_text())
    finally:
        popen.terminate()
        popen.wait()
