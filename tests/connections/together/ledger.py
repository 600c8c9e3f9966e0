"""Two providers in this process that remember what was granted, and who still used what was taken back from them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import httpx

from tests.support.pretend import Pretend
from tieline.plugins import Consent, Grant, OrganisationDetails, Reached, Remaining, Session, Subject, faults
from tieline.plugins.faults import Fault

MANY, ONE = "pretend", "feigned"
"""One consent of the first may reach many organisations, one of the second reaches one: its subject."""

Whose: TypeAlias = tuple[str, str]
"""An app's client id, and a subject."""


class Remembering(Pretend):
    """The plugin: what it asks is answered by a `Ledger`."""

    def __init__(self, slug: str) -> None:
        super().__init__(slug)
        is_many = slug == MANY
        self.info = replace(self.info, bulk_consent=is_many, guided_queue=not is_many)

    def remaining(self, response: httpx.Response) -> Sequence[Remaining]:
        del response
        return ()

    def classify(self, response: httpx.Response) -> Fault | None:
        known: dict[int, Fault] = {
            401: faults.TokenExpired(),
            403: faults.AccessLost(),
            404: faults.Missing(),
        }
        return known.get(response.status_code)

    def subject(self, grant: Grant) -> Subject:
        subject, mark, _ = grant.tokens.access.reveal().split(".")
        return Subject(id=subject, login=f"{subject}@ledger.invalid", consent=mark)

    async def organisations(self, session: Session, consent: Consent | None) -> Sequence[Reached]:
        told: dict[str, list[str]] = json.loads((await session.get("organisations")).text)
        return [
            Reached(external_id=each, name=name, consented=consent is not None and consent.mark == mark)
            for each, (name, mark) in told.items()
        ]

    async def organisation(self, session: Session) -> OrganisationDetails:
        name = (await session.get(f"organisations/{session.organisation or session.subject}")).text
        unknown = dict.fromkeys(
            ("legal_name", "country", "currency", "tax_number", "registration_number", "timezone")
        )
        return OrganisationDetails(name=name, **unknown)

    async def release(self, session: Session, external_id: str) -> None:
        await session.request("DELETE", f"organisations/{external_id}")


@dataclass(kw_only=True)
class Granted:
    """Organisations that a subject has opened to an app, each with the mark of the latest consent to it."""

    since: int
    marks: dict[str, str] = field(default_factory=dict)


class Ledger:
    """The server: `names` are its organisations; `uses` is asked what uses something at the moment it is taken back.

    `wronged` are the answers to that; `removed` is what was taken away here, and not by us, since the last consent;
    `sent` are the sign-ins whose people have been sent here.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names
        self.granted: dict[Whose, Granted] = {}
        self.removed: set[tuple[str, str, str]] = set()
        self.wronged: list[str] = []
        self.sent: set[UUID] = set()
        self.moment: Callable[[], Awaitable[None]] | None = None
        self.uses: Callable[[str, str, str | None], Awaitable[list[str]]] | None = None
        self._codes: dict[str, tuple[Whose, str, str]] = {}
        self._tokens: dict[str, tuple[Whose, str, int]] = {}
        self._numbers = itertools.count(1)

    def consent(self, url: str, subject: str, organisations: Sequence[str]) -> dict[str, str]:
        """Somebody consents at this address: what the browser comes back with."""
        asked, number = dict(parse_qsl(urlsplit(url).query)), next(self._numbers)
        whose, mark = (asked["client_id"], subject), f"consent{number}"
        granted = self.granted.setdefault(whose, Granted(since=number))
        granted.marks |= dict.fromkeys(organisations, mark)
        self.removed -= {(*whose, each) for each in organisations}
        self._codes[f"code{number}"] = (whose, mark, asked["scope"])
        return {"code": f"code{number}", "state": asked["state"]}

    def remove(self, client_id: str, subject: str, external_id: str) -> None:
        """Somebody takes it away on the provider's own site."""
        granted = self.granted.get((client_id, subject))
        if granted is not None and granted.marks.pop(external_id, None) is not None:
            self.removed.add((client_id, subject, external_id))

    def remove_all(self, client_id: str, subject: str) -> None:
        granted = self.granted.pop((client_id, subject), None)
        if granted is not None:
            self.removed |= {(client_id, subject, each) for each in granted.marks}

    def opens(self, client_id: str, subject: str, external_id: str) -> bool:
        granted = self.granted.get((client_id, subject))
        return granted is not None and external_id in granted.marks

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """Before a call is answered, and before its answer is read, is a moment of whoever makes it."""
        if self.moment is None:
            return await self._answer(request)
        await self.moment()
        answer = await self._answer(request)
        await self.moment()
        return answer

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/token":
            return self._token(dict(parse_qsl(request.content.decode())))
        if path == "/revoke":
            return await self._revoke(dict(parse_qsl(request.content.decode()))["token"])
        whose = self._whose(request.headers["authorization"].removeprefix("Bearer "))
        if whose is None:
            return httpx.Response(401)
        return await self._books(request.method, whose, path.removeprefix("/api/organisations").strip("/"))

    async def _books(self, method: str, whose: Whose, external_id: str) -> httpx.Response:
        marks = self.granted[whose].marks
        if not external_id:
            return httpx.Response(200, json={each: [self.names[each], mark] for each, mark in marks.items()})
        if external_id not in marks:
            return httpx.Response(404 if method == "DELETE" else 403)
        if method == "DELETE":
            await self._take_back(*whose, external_id)
            marks.pop(external_id, None)
            return httpx.Response(204)
        return httpx.Response(200, text=self.names[external_id])

    def _token(self, asked: Mapping[str, str]) -> httpx.Response:
        if asked["grant_type"] == "authorization_code":
            whose, mark, scope = self._codes.pop(asked["code"])
            since = self.granted[whose].since
        else:
            whose, scope, since = self._tokens[asked["refresh_token"]]
            if self._whose(asked["refresh_token"]) is None:
                return httpx.Response(400, json={"error": "invalid_grant"})
            mark = asked["refresh_token"].split(".")[1]
        number = next(self._numbers)
        access, refresh = f"{whose[1]}.{mark}.a{number}", f"{whose[1]}.{mark}.r{number}"
        self._tokens |= dict.fromkeys((access, refresh), (whose, scope, since))
        pair = {"access_token": access, "refresh_token": refresh, "expires_in": 1800, "scope": scope}
        return httpx.Response(200, json=pair | {"token_type": "Bearer"})

    async def _revoke(self, token: str) -> httpx.Response:
        """All that the subject granted to the app goes."""
        whose = self._whose(token)
        if whose is not None:
            await self._take_back(*whose, None)
            self.granted.pop(whose, None)
        return httpx.Response(200)

    async def _take_back(self, client_id: str, subject: str, external_id: str | None) -> None:
        assert self.uses is not None
        self.wronged += await self.uses(client_id, subject, external_id)

    def _whose(self, token: str) -> Whose | None:
        whose, _, since = self._tokens[token]
        granted = self.granted.get(whose)
        return whose if granted is not None and granted.since == since else None
