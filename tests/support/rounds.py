"""Sign-ins in rounds: a person at Intuit, where each consent is for one company, and the front end that leads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg
import httpx

from tests.support.firm import Firm
from tests.support.intuit import Company, Person, QuickBooks
from tests.support.sandbox import App, Landed, land
from tests.support.trips import COMPLETE, CONTINUE, DONE, SIGN_IN, START


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """One practice with an app at Intuit, and a person who may connect some companies; `above` sees every row."""

    firm: Firm
    quickbooks: QuickBooks
    app: App
    person: Person
    browser: httpx.AsyncClient = field(repr=False)
    above: asyncpg.Connection = field(repr=False)

    async def start(self, purpose: str = "CONNECT", **more: Any) -> dict[str, Any]:
        wanted = {"provider": "quickbooks", "purpose": purpose, "returnUrl": DONE}
        products = {} if purpose == "RECONNECT" else {"products": ["BOOKKEEPING"]}
        payload: dict[str, Any] = (await self.firm.admin.ask(START, input=wanted | products | more))[
            "startSignIn"
        ]
        assert payload["errors"] == [], payload
        return payload

    async def go_on(self, sign_in_id: str, **more: Any) -> dict[str, Any]:
        payload: dict[str, Any] = (await self.firm.admin.ask(CONTINUE, input={"id": sign_in_id} | more))[
            "continueSignIn"
        ]
        assert payload["errors"] == [], payload
        return payload

    async def come_back(self, begun: dict[str, Any], company: Company) -> Landed:
        """The person consents for this company, wherever the link leads, and the browser comes back."""
        anywhere = self._unselected(begun["authorizationUrl"])
        callback = await self.quickbooks.consent(anywhere, self.person, company)
        return await land(self.browser, callback)

    async def told(self, begun: dict[str, Any], company: Company) -> dict[str, str]:
        """What the front end is told of a round."""
        return (await self.come_back(begun, company)).told

    async def complete(self, told: dict[str, str]) -> dict[str, Any]:
        given = {"id": told["signIn"], "proof": told.get("proof", "none")}
        payload: dict[str, Any] = (await self.firm.admin.ask(COMPLETE, input=given))["completeSignIn"]
        return payload

    async def completed(self, begun: dict[str, Any], company: Company) -> dict[str, Any]:
        """The sign-in after a round that went well."""
        payload = await self.complete(await self.told(begun, company))
        assert payload["errors"] == [], payload
        signed_in: dict[str, Any] = payload["signIn"]
        return signed_in

    async def queue(self, *companies: Company) -> str:
        """The id of a sign-in that a person was led through, one company after another."""
        begun = await self.start("BULK_CONNECT")
        sign_in_id: str = begun["signIn"]["id"]
        for number, company in enumerate(companies):
            begun = begun if number == 0 else await self.go_on(sign_in_id)
            await self.completed(begun, company)
        return sign_in_id

    async def look(self, sign_in_id: str) -> dict[str, Any]:
        seen: dict[str, Any] = (await self.firm.admin.ask(SIGN_IN, id=sign_in_id))["signIn"]
        return seen

    async def found(self, sign_in_id: str) -> dict[str, str]:
        """The ids of the organisations that a sign-in found, by name."""
        nodes = (await self.look(sign_in_id))["organisations"]["nodes"]
        return {node["organisation"]["name"]: node["organisation"]["id"] for node in nodes}

    async def credential(self, company: Company) -> dict[str, Any] | None:
        """The row of the credential that is bound to this company."""
        row = await self.above.fetchrow(
            "SELECT * FROM credential WHERE practice_id = $1 AND subject = $2",
            self.firm.practice_id,
            company.realm_id,
        )
        return dict(row) if row else None

    async def is_known(self, company: Company) -> bool:
        """Whether the company is an organisation of the practice."""
        known: bool = await self.above.fetchval(
            "SELECT EXISTS (SELECT FROM organisation WHERE practice_id = $1 AND external_id = $2)",
            self.firm.practice_id,
            company.realm_id,
        )
        return known

    async def live_grants(self, company: Company) -> int:
        """How many of our consents for this company Intuit still honours."""
        grants = (await self.quickbooks.control("GET", "/grants"))["grants"]
        return sum(
            grant["is_live"]
            for grant in grants
            if (grant["client_id"], grant["realm_id"]) == (self.app.client_id, company.realm_id)
        )

    async def asked(self, endpoint: str) -> int:
        """How often Intuit was asked this by our app."""
        return len(await self.quickbooks.sandbox.log(self.app, endpoint))

    @staticmethod
    def _unselected(url: str) -> str:
        """The page as somebody sees it who switches to another company: the link preselects, and binds nobody."""
        parts, ours = urlsplit(url), {"appId", "realmId", "mode"}
        query = [pair for pair in parse_qsl(parts.query) if pair[0] not in ours]
        path = parts.path.replace("/app/connect/oauth2/request", "/connect/oauth2")
        return urlunsplit(parts._replace(path=path, query=urlencode(query)))
