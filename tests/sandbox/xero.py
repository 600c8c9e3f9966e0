"""How the tests talk to the pretended Xero: as an app, as a person, and through the control API."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

CLIENT_ID, SECRET = "sandbox-xero", "sandbox-xero-secret"
CALLBACK = "http://localhost:5000/callback"
_BOOKS = ("settings", "contacts", "invoices", "payments", "banktransactions", "manualjournals")
BOOKS_SCOPES = " ".join(f"accounting.{name}.read" for name in _BOOKS)
SCOPES = f"openid profile email offline_access {BOOKS_SCOPES}"
RECEIPT: dict[str, Any] = {
    "AttachmentID": "0b6d2ad4-3d1c-4a8f-9d6b-5d9a4a3c1e10",
    "FileName": "receipt no. 7.pdf",
    "Url": "https://example.invalid/receipt.pdf",
    "MimeType": "application/pdf",
    "ContentLength": 2_000,
}
VERIFIER = "a-verifier-of-at-least-forty-three-characters-long"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who can log in; `tenants` are the ids of the organisations, in order."""

    id: str
    email: str
    tenants: list[str]
    names: list[str]


@dataclass(frozen=True, kw_only=True)
class Xero:
    """`http` is a client of the sandbox's address."""

    http: httpx.AsyncClient

    async def control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = await self.http.request(method, f"/_control{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def configure(self, **more: Any) -> None:
        await self.control("PUT", f"/apps/{CLIENT_ID}", {"redirect_uris": [CALLBACK], **more})

    async def advance(self, **units: float) -> None:
        seconds = units.get("seconds", 0) + 60 * units.get("minutes", 0) + 86_400 * units.get("days", 0)
        await self.control("POST", "/clock", {"advance_seconds": seconds})

    async def plant(
        self, kind: str, *, endpoint: str = "any", plan: Mapping[str, Any] | None = None, **fault: Any
    ) -> None:
        await self.control(
            "POST", "/faults", {"endpoint": endpoint, "fault": {"kind": kind, **fault}, **(plan or {})}
        )

    async def populate(self, **wanted: Any) -> Person:
        made = await self.control("POST", "/populate", wanted)
        organisations = made["organisations"]
        return Person(
            id=made["user_id"],
            email=made["email"],
            tenants=[one["tenant_id"] for one in organisations],
            names=[one["name"] for one in organisations],
        )

    async def ask(self, method: str = "GET", *, form: Any = None, **query: str) -> httpx.Response:
        """The authorize endpoint, as a browser opens it."""
        asked = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": CALLBACK,
            "scope": SCOPES,
            "state": "a state & more",
            **query,
        }
        return await self.http.request(method, "/xero/identity/connect/authorize", params=asked, data=form)

    async def decide(
        self, person: Person, tenants: Sequence[str], decision: str = "allow", **query: str
    ) -> httpx.Response:
        form = {"user": person.id, "organisation": list(tenants), "decision": decision}
        return await self.ask("POST", form=form, **query)

    async def code(self, person: Person, *tenants: str, **query: str) -> str:
        """A consent that went well."""
        return returned(await self.decide(person, tenants, **query))["code"]

    async def token(self, **form: str) -> httpx.Response:
        return await self.http.post("/xero/connect/token", data=form, auth=(CLIENT_ID, SECRET))

    async def exchange(self, code: str, **more: str) -> httpx.Response:
        return await self.token(grant_type="authorization_code", code=code, redirect_uri=CALLBACK, **more)

    async def refresh(self, token: str) -> httpx.Response:
        return await self.token(grant_type="refresh_token", refresh_token=token)

    async def connect(self, person: Person, *tenants: str, **query: str) -> dict[str, Any]:
        """Consent and exchange: the pair of tokens."""
        answer = await self.exchange(await self.code(person, *tenants, **query))
        assert answer.status_code == 200, answer.text
        pair: dict[str, Any] = answer.json()
        return pair

    async def connections(self, access_token: str, **query: str) -> httpx.Response:
        return await self.http.get("/xero/connections", params=query, headers=bearer(access_token))

    async def read(
        self,
        access_token: str,
        tenant: str,
        resource: str = "Organisation",
        *,
        headers: Mapping[str, str] | None = None,
        **query: Any,
    ) -> httpx.Response:
        """A GET of the accounting API, as JSON."""
        sent = bearer(access_token) | {
            "Xero-tenant-id": tenant,
            "Accept": "application/json",
            **(headers or {}),
        }
        return await self.http.get(f"/xero/api.xro/2.0/{resource}", params=query, headers=sent)

    async def log(self, **query: Any) -> list[dict[str, Any]]:
        answer = await self.http.get("/_control/log", params=query)
        entries: list[dict[str, Any]] = answer.json()["entries"]
        return entries


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def returned(answer: httpx.Response) -> dict[str, str]:
    """What stands in the query of a redirect to the app."""
    assert answer.status_code == 302, answer.text
    place = answer.headers["location"]
    assert place.startswith(f"{CALLBACK}?"), place
    return {name: values[0] for name, values in parse_qs(urlsplit(place).query).items()}


def claims(token: str) -> dict[str, Any]:
    """The middle of a JWT, without looking at its signature."""
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found
