"""How the tests talk to the pretended Intuit: as an app, as a person, and through the control API."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

CLIENT_ID, SECRET = "sandbox-quickbooks", "sandbox-quickbooks-secret"
CALLBACK = "http://localhost:5000/callback"
ACCOUNTING = "com.intuit.quickbooks.accounting"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-long"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
HARD = {"x-include-refresh-token-hard-expires-in": "true"}


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who can log in; `realms` are the ids of the companies, in order."""

    id: str
    email: str
    realms: list[str]
    names: list[str]


@dataclass(frozen=True, kw_only=True)
class Intuit:
    """`http` is a client of the sandbox's address."""

    http: httpx.AsyncClient

    async def control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The part of the control API that is QuickBooks'."""
        return await self.shared(method, f"/quickbooks{path}", body)

    async def shared(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = await self.http.request(method, f"/_control{path}", json=body)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text, parse_float=Decimal)

    async def configure(self, **more: Any) -> None:
        await self.control("PUT", f"/apps/{CLIENT_ID}", {"redirect_uris": [CALLBACK], **more})

    async def advance(self, **units: float) -> None:
        seconds = units.get("seconds", 0) + 3600 * units.get("hours", 0) + 86_400 * units.get("days", 0)
        await self.shared("POST", "/clock", {"advance_seconds": seconds})

    async def plant(
        self, kind: str, *, endpoint: str = "any", plan: Mapping[str, Any] | None = None, **fault: Any
    ) -> None:
        fault = {"kind": kind, **fault}
        await self.shared("POST", "/faults", {"endpoint": endpoint, "fault": fault, **(plan or {})})

    async def populate(self, **wanted: Any) -> Person:
        made = await self.control("POST", "/populate", wanted)
        companies = made["companies"]
        return Person(
            id=made["user_id"],
            email=made["email"],
            realms=[one["realm_id"] for one in companies],
            names=[one["name"] for one in companies],
        )

    async def ask(
        self, method: str = "GET", *, path: str = "/connect/oauth2", form: Any = None, **query: str
    ) -> httpx.Response:
        """The authorize endpoint, as a browser opens it."""
        asked = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": CALLBACK,
            "scope": ACCOUNTING,
            "state": "a state & more",
            **query,
        }
        return await self.http.request(method, f"/quickbooks{path}", params=asked, data=form)

    async def decide(
        self, person: Person, realm: str, decision: str = "allow", **query: str
    ) -> httpx.Response:
        form = {"user": person.id, "company": realm, "decision": decision}
        return await self.ask("POST", form=form, **query)

    async def code(self, person: Person, realm: str, **query: str) -> str:
        """A consent that went well."""
        return returned(await self.decide(person, realm, **query))["code"]

    async def token(self, headers: Mapping[str, str] | None = None, /, **form: str) -> httpx.Response:
        path = "/quickbooks/oauth2/v1/tokens/bearer"
        return await self.http.post(path, data=form, auth=(CLIENT_ID, SECRET), headers=headers)

    async def exchange(self, code: str, **more: str) -> httpx.Response:
        return await self.token(grant_type="authorization_code", code=code, redirect_uri=CALLBACK, **more)

    async def refresh(self, token: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return await self.token(headers, grant_type="refresh_token", refresh_token=token)

    async def refreshed(self, token: str) -> dict[str, Any]:
        """A refresh that went well."""
        answer = await self.refresh(token)
        assert answer.status_code == 200, answer.text
        pair: dict[str, Any] = answer.json()
        return pair

    async def revoke(self, token: str) -> httpx.Response:
        path = "/quickbooks/v2/oauth2/tokens/revoke"
        return await self.http.post(path, json={"token": token}, auth=(CLIENT_ID, SECRET))

    async def connect(self, person: Person, realm: str | None = None, **query: str) -> dict[str, Any]:
        """Consent and exchange: the pair of tokens."""
        answer = await self.exchange(await self.code(person, realm or person.realms[0], **query))
        assert answer.status_code == 200, answer.text
        pair: dict[str, Any] = answer.json()
        return pair

    async def get(self, access_token: str, realm: str, path: str = "", **query: Any) -> httpx.Response:
        """A GET of the accounting API: of the company's info unless said otherwise."""
        place = f"/quickbooks/v3/company/{realm}/{path or f'companyinfo/{realm}'}"
        headers = bearer(access_token) | {"Accept": "application/json"}
        return await self.http.get(place, params=query, headers=headers)

    async def log(self, **query: Any) -> list[dict[str, Any]]:
        answer = await self.http.get("/_control/log", params=query)
        entries: list[dict[str, Any]] = answer.json()["entries"]
        return entries


@dataclass(frozen=True, kw_only=True)
class Books:
    """One company's books, as an app and as the control API see them."""

    intuit: Intuit
    realm: str
    access_token: str

    async def query(self, statement: str) -> dict[str, Any]:
        """The content of the `QueryResponse`."""
        answer = await self.ask(statement)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = json.loads(answer.text, parse_float=Decimal)["QueryResponse"]
        return found

    async def ask(self, statement: str) -> httpx.Response:
        return await self.intuit.get(self.access_token, self.realm, "query", query=statement)

    async def changes(self, entities: str, since: str) -> list[dict[str, Any]]:
        """The `QueryResponse` of each entity."""
        answer = await self.cdc(entities, since)
        assert answer.status_code == 200, answer.text
        [only] = answer.json()["CDCResponse"]
        responses: list[dict[str, Any]] = only["QueryResponse"]
        return responses

    async def cdc(self, entities: str, since: str) -> httpx.Response:
        query = {"entities": entities, "changedSince": since}
        return await self.intuit.get(self.access_token, self.realm, "cdc", **query)

    async def truth(self, dataset: str) -> list[dict[str, Any]]:
        books = await self.intuit.control("GET", f"/companies/{self.realm}/books")
        records: list[dict[str, Any]] = books[dataset]
        return records

    async def edit(self, dataset: str, **edit: Any) -> dict[str, Any]:
        path = f"/companies/{self.realm}/records"
        made = await self.intuit.control("POST", path, {"dataset": dataset, **edit})
        record: dict[str, Any] = made["record"]
        return record

    async def now(self) -> str:
        """The sandbox's time, with its offset."""
        return str((await self.intuit.shared("GET", "/clock"))["now"])


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
