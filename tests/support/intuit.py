"""The pretended Intuit as tests use it: an app, a person with companies, a browser that consents, the books.

quickbooks ── app(...)        an app in the pretended developer portal, for one practice
           ── populate(...)   a person with companies
           ── consent(...)    what that person's browser does from the authorization URL on
           ── books(...)      everything a company holds
           ── edit(...)       somebody works in a company

Faults, the clock and the log are the sandbox's own, which is `quickbooks.sandbox`; plant faults with
`provider="quickbooks"` where the endpoint's name is Xero's too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.support.sandbox import App, Sandbox
from tieline.credentials.apps.service import NewApp, add_app
from tieline.host import host
from tieline.ids import PracticeId, new_id
from tieline.vault import Secret


@dataclass(frozen=True, kw_only=True)
class Company:
    """A company at Intuit, by Intuit's id."""

    realm_id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with a login at Intuit."""

    id: str
    email: str
    companies: tuple[Company, ...]

    def named(self, name: str) -> Company:
        return next(company for company in self.companies if company.name == name)


@dataclass(frozen=True, kw_only=True)
class QuickBooks:
    """The part of a running sandbox that is QuickBooks Online's."""

    sandbox: Sandbox

    @property
    def url(self) -> str:
        return f"{self.sandbox.url}/quickbooks"

    async def control(self, method: str, path: str, body: object = None) -> Any:
        """Call the control API; a refusal fails the test."""
        return await self.sandbox.control(method, f"/quickbooks{path}", body)

    async def app(self, practice_id: PracticeId, **settings: Any) -> App:
        """An app of this practice's own, in the portal and in Tieline. `settings` are the portal's own."""
        client_id = f"app-{new_id()}"
        made = await self.control("PUT", f"/apps/{client_id}", settings)
        new = NewApp(
            provider="quickbooks",
            client_id=client_id,
            secret=Secret(made["secret"]),
            sandbox_url=self.url,
        )
        app_id = (await add_app(practice_id, new)).id
        callback_url = host().callback_url("quickbooks", app_id)
        await self.control("PUT", f"/apps/{client_id}", {"redirect_uris": [callback_url]})
        return App(id=app_id, client_id=client_id, callback_url=callback_url)

    async def populate(self, *names: str, companies: int | None = None, **more: Any) -> Person:
        """A new person with new companies, of these names as far as they go."""
        seed = str(new_id())
        wanted = {"seed": seed, "prefix": seed[-4:], "names": names, "companies": companies or len(names)}
        made = await self.control("POST", "/populate", wanted | more)
        return Person(
            id=made["user_id"],
            email=made["email"],
            companies=tuple(Company(realm_id=one["realm_id"], name=one["name"]) for one in made["companies"]),
        )

    async def share(self, person: Person, *companies: Company) -> None:
        """Let a person connect these companies, and no other from now on."""
        realms = [one.realm_id for one in companies]
        await self.control("PUT", f"/users/{person.id}", {"companies": realms})

    async def consent(
        self, authorization_url: str, person: Person, company: Company | None = None, *, allow: bool = True
    ) -> str:
        """The person answers the consent page for this company, or the only one: where the browser goes then."""
        fields = {
            "user": person.id,
            "decision": "allow" if allow else "deny",
            "company": (company or person.companies[0]).realm_id,
        }
        answer = await self.sandbox.http.post(authorization_url, data=fields)
        assert answer.status_code == 302, (authorization_url, answer.text)
        return answer.headers["location"]

    async def revoke(self, *, person: Person | None = None, company: Company | None = None) -> None:
        """The app is disconnected at Intuit: by this person, in this company, or both."""
        whose = {"user": person and person.id, "realm": company and company.realm_id}
        given = {name: value for name, value in whose.items() if value is not None}
        await self.control("POST", "/revoke", given)

    async def books(self, company: Company) -> dict[str, Any]:
        """The company's info and every record of each dataset, numbers as they stand in the JSON."""
        address = f"{self.sandbox.url}/_control/quickbooks/companies/{company.realm_id}/books"
        answer = await self.sandbox.http.get(address)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = json.loads(answer.content, parse_float=Decimal)
        return found

    async def edit(self, company: Company, dataset: str, **how: Any) -> dict[str, Any]:
        """Somebody works in the company: the record as its API shows it from now on."""
        path = f"/companies/{company.realm_id}/records"
        record: dict[str, Any] = (await self.control("POST", path, {"dataset": dataset, **how}))["record"]
        return record
