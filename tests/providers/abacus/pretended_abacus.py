"""A server that pretends to be Abacus: one company, its accounts by revision, its tax rates in one list."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tieline.testing import App
from tieline.vault import Secret

COMPANY = "c-1"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
APP = App(
    client_id="an-app",
    client_secret=Secret("a-secret"),
    redirect_uri="http://localhost:8000/oauth/abacus/callback",
)
BASIC = "Basic " + base64.b64encode(b"an-app:a-secret").decode()


class PretendedAbacus:
    """`books` are records by dataset and id; each has the `revision` of its last change."""

    url = "http://abacus.test"
    app = APP
    organisation = COMPANY
    words = ("type",)
    webhook_secret = Secret("a-webhook-secret")

    def __init__(self) -> None:
        self.transport = httpx.MockTransport(self.answer)
        self.revision = 0
        self.forgotten = 0
        self.tokens_given = 0
        self.access: set[str] = set()
        self.refresh: set[str] = set()
        self.refusal: httpx.Response | None = None
        self.is_reached = True
        self.held: dict[str, dict[str, dict[str, Any]]] = {"accounts": {}, "tax_rates": {}}
        for number in range(60):
            self._put(
                "accounts", f"a-{number}", name=f"Account {number}", type="EXPENSE", archived=number == 7
            )
        for number in range(3):
            self._put("tax_rates", f"t-{number}", name=f"Rate {number}", percent=f"{number}.50")

    async def now(self) -> datetime:
        return NOW

    async def consent(self, authorization_url: str) -> str:
        asked = parse_qs(urlsplit(authorization_url).query)
        return f"{asked['redirect_uri'][0]}?code=a-code&state={asked['state'][0]}&company={COMPANY}"

    async def expire(self) -> None:
        self.access.clear()

    async def revoke(self) -> None:
        self.access.clear()
        self.refresh.clear()

    async def throttle(self, limit: str, seconds: int) -> bool:
        self.refusal = httpx.Response(429, headers={"x-limit": limit, "retry-after": str(seconds)})
        return True

    async def books(self) -> Mapping[str, list[str]]:
        return {
            dataset: [id_ for id_, one in held.items() if "deleted" not in one]
            for dataset, held in self.held.items()
        }

    async def add(self, dataset: str) -> str | None:
        return self._put(dataset, f"new-{self.revision}", name="New")

    async def change(self, dataset: str) -> str | None:
        return self._put(dataset, (await self.books())[dataset][0], name="Altered")

    async def archive(self, dataset: str) -> str | None:
        return self._put(dataset, (await self.books())[dataset][2], archived=True)

    async def delete(self, dataset: str) -> str | None:
        return self._put(dataset, (await self.books())[dataset][1], deleted=True)

    async def forget(self) -> None:
        self.forgotten = self.revision

    def signed(self, body: bytes) -> dict[str, str]:
        digest = hmac.new(self.webhook_secret.reveal().encode(), body, hashlib.sha256).digest()
        return {"x-abacus-signature": base64.b64encode(digest).decode()}

    async def tell(self, dataset: str) -> bytes:
        told = {"company": COMPANY, "list": dataset, "record": await self.change(dataset)}
        return json.dumps({**told, "event": str(self.revision)}).encode()

    def _put(self, dataset: str, id_: str, **fields: Any) -> str:
        self.revision += 1
        before = self.held[dataset].get(id_, {"id": id_})
        self.held[dataset][id_] = {**before, **fields, "revision": self.revision}
        return id_

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            return self._tokens(request)
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.access:
            return httpx.Response(401)
        if self.refusal is not None:
            refusal, self.refusal = self.refusal, None
            return refusal
        said = self._said(request.method, request.url.path.removeprefix(f"/v3/companies/{COMPANY}"), request)
        return (
            httpx.Response(404)
            if said is None
            else httpx.Response(200, json=said, headers={"x-day-left": "900"})
        )

    def _tokens(self, request: httpx.Request) -> httpx.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        if request.headers["authorization"] != BASIC:
            return httpx.Response(401, json={"error": "invalid_client"})
        if form["grant_type"] == "refresh_token" and form["refresh_token"] not in self.refresh:
            return httpx.Response(400, json={"error": "invalid_grant"})
        self.refresh.discard(form.get("refresh_token", ""))
        self.tokens_given += 1
        access, refresh = f"access-{self.tokens_given}", f"refresh-{self.tokens_given}"
        self.access.add(access)
        self.refresh.add(refresh)
        return httpx.Response(
            200,
            json={
                "access_token": access,
                "refresh_token": refresh,
                "expires_in": 3600,
                "token_type": "Bearer",
            },
        )

    def _said(self, method: str, path: str, request: httpx.Request) -> dict[str, Any] | None:
        if (method, path) == ("DELETE", "/access"):
            was_reached, self.is_reached = self.is_reached, False
            return {} if was_reached else None
        if path == "":
            return {"name": "Acorn", "legal_name": "Acorn Ltd", "country": "GB", "currency": "GBP"}
        if path == "/tax_rates":
            return {"records": [one for one in self.held["tax_rates"].values() if "deleted" not in one]}
        return self._changes(request.url.params) if path == "/accounts" else None

    def _changes(self, asked: httpx.QueryParams) -> dict[str, Any]:
        since, limit = int(asked.get("since", "0")), int(asked["limit"])
        if "since" in asked and since < self.forgotten:
            return {"records": [], "as_of": str(self.revision), "more": False, "too_old": True}
        changed = sorted(
            (one for one in self.held["accounts"].values() if one["revision"] > since),
            key=lambda one: one["revision"],
        )
        shown = changed[:limit]
        return {
            "records": [one for one in shown if "deleted" not in one],
            "deleted": [one["id"] for one in shown if "deleted" in one],
            "as_of": str(shown[-1]["revision"] if shown else since),
            "more": len(changed) > limit,
        }


@asynccontextmanager
async def pretending() -> AsyncIterator[PretendedAbacus]:
    yield PretendedAbacus()
