"""A trip to the provider and back: a caller, an app, a person with a login there, and a browser."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.firm import Caller, Firm
from tests.support.polling import until
from tests.support.sandbox import App, Books, Landed, Person, Sandbox, land

DONE = "https://app.example/done?tab=2"
START = """mutation($input: StartSignInInput!) { startSignIn(input: $input) {
  signIn { id state provider { slug } products failure { code } } authorizationUrl errors { code field message } } }"""
COMPLETE = """mutation($input: CompleteSignInInput!) { completeSignIn(input: $input) {
  signIn { id state failure { code message } usableUntil detailsTotal } errors { code field message retryAt } } }"""
CONTINUE = """mutation($input: ContinueSignInInput!) { continueSignIn(input: $input) {
  signIn { id state } authorizationUrl errors { code field } } }"""
SIGN_IN = """query($id: ID!) { signIn(id: $id) { id state purpose products failure { code message } usableUntil
  detailsTotal detailsDone connection { id } provider { slug name configured bulkConsent callbackUrl }
  organisations(first: 50) { totalCount nodes { consented inUse client { id }
    organisation { id name legalName country currency externalId provider { slug } }
    suggestedClients(product: BOOKKEEPING) { score exact client { name } } } } } }"""
FOLLOW = "subscription($id: ID!) { signIn(id: $id) { state detailsDone detailsTotal failure { code } } }"


@dataclass(frozen=True, kw_only=True)
class Trip:
    """One practice with an app at the provider, and a person who has a login there."""

    firm: Firm
    sandbox: Sandbox
    app: App
    person: Person
    browser: httpx.AsyncClient = field(repr=False)

    async def start(self, caller: Caller | None = None, **more: Any) -> dict[str, Any]:
        wanted = {"provider": "xero", "purpose": "CONNECT", "products": ["BOOKKEEPING"], "returnUrl": DONE}
        payload: dict[str, Any] = (await (caller or self.firm.admin).ask(START, input=wanted | more))[
            "startSignIn"
        ]
        return payload

    async def consent(self, started: dict[str, Any], *books: Books, allow: bool = True) -> str:
        """The address of our callback that the provider sends the browser to."""
        assert started["errors"] == [], started
        return await self.sandbox.consent(
            started["authorizationUrl"], self.person, books or None, allow=allow
        )

    async def land(self, callback: str, **headers: str) -> Landed:
        return await land(self.browser, callback, **headers)

    async def proof(self, started: dict[str, Any]) -> dict[str, str]:
        """The person consents to everything and the browser comes back: what the front end is told."""
        return (await self.land(await self.consent(started))).told

    async def complete(self, told: dict[str, str], caller: Caller | None = None) -> dict[str, Any]:
        given = {"id": told["signIn"], "proof": told["proof"]}
        payload: dict[str, Any] = (await (caller or self.firm.admin).ask(COMPLETE, input=given))[
            "completeSignIn"
        ]
        return payload

    async def ready(self) -> str:
        """The id of a sign-in of the admin's that is completed and found all of the person's organisations."""
        told = await self.proof(await self.start())
        completed = await self.complete(told)
        assert completed["errors"] == [], completed
        return told["signIn"]

    async def found(self, sign_in_id: str) -> dict[str, str]:
        """The ids of the organisations that a sign-in found, by name."""
        nodes = (await self.look(sign_in_id))["organisations"]["nodes"]
        return {node["organisation"]["name"]: node["organisation"]["id"] for node in nodes}

    async def until_detailed(self, sign_in_id: str) -> None:
        """Wait until a worker has read the details of what a sign-in found, and asks the provider no more for it."""

        async def detailed() -> bool:
            seen = await self.look(sign_in_id)
            return bool(seen["detailsDone"] == seen["detailsTotal"])

        await until(detailed, "the details of what was found are read")

    async def look(self, sign_in_id: str) -> dict[str, Any]:
        seen: dict[str, Any] = (await self.firm.admin.ask(SIGN_IN, id=sign_in_id))["signIn"]
        return seen


def codes(payload: dict[str, Any]) -> list[str]:
    return [error["code"] for error in payload["errors"]]
