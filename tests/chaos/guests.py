"""People who sign in at a provider while the line to it is rough, and what becomes of that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

from tests.chaos.portfolio import Portfolio
from tests.support.intuit import QuickBooks
from tests.support.proxy import Proxy
from tests.support.sandbox import land
from tests.support.trips import COMPLETE, DONE, START, codes
from tieline.ids import new_id

READY, AWAY = "READY", "PROVIDER_UNAVAILABLE"
_TRIES = 30


@dataclass(kw_only=True)
class Guests(ABC):
    """They sign in to the practice of a portfolio, each with a login of his own. `ended` is how, in their order."""

    portfolio: Portfolio = field(repr=False)
    proxy: Proxy
    ended: list[str] = field(default_factory=list)

    provider: ClassVar[str]

    @abstractmethod
    async def consent(self, page: str) -> str:
        """Somebody new consents on this page to all there is: where the browser is sent then."""

    async def come(self) -> None:
        """One more signs in; the browser has another way to the provider."""
        admin = self.portfolio.admin
        wanted = {"provider": self.provider, "purpose": "CONNECT", "products": ["BOOKKEEPING"]}
        started = (await admin.ask(START, input=wanted | {"returnUrl": DONE}))["startSignIn"]
        assert started["errors"] == [], started
        callback = await self.consent(self.proxy.past(started["authorizationUrl"]))
        told = (await land(self.portfolio.stand.http, callback)).told
        self.ended.append(told["error"] if "error" in told else await self._completed(told))

    async def _completed(self, told: dict[str, str]) -> str:
        """The same is asked again while the provider counts as away: that is what people do."""
        given = {"id": told["signIn"], "proof": told["proof"]}
        for _ in range(_TRIES):
            payload = (await self.portfolio.admin.ask(COMPLETE, input=given))["completeSignIn"]
            if not payload["errors"]:
                return str(payload["signIn"]["state"])
            if codes(payload) != [AWAY]:
                break
        return ",".join(codes(payload))


class XeroGuests(Guests):
    provider = "xero"

    async def consent(self, page: str) -> str:
        sandbox = self.portfolio.stand.sandbox
        return await sandbox.consent(page, await sandbox.populate(f"Guest {new_id()}"))


class IntuitGuests(Guests):
    provider = "quickbooks"

    async def consent(self, page: str) -> str:
        quickbooks = QuickBooks(sandbox=self.portfolio.stand.sandbox)
        return await quickbooks.consent(page, await quickbooks.populate(f"Guest {new_id()}"))
