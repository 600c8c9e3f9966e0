"""A practice's app at Intuit, and an access token for each of many companies: one consent each."""

from __future__ import annotations

from functools import partial

from tests.credentials.holding import exchanged
from tests.support.intuit import QuickBooks
from tests.support.sandbox import App as Registered
from tests.support.sandbox import Sandbox
from tieline.credentials.apps.repository import AppRepository
from tieline.database import scope
from tieline.ids import AppId, PracticeId, new_id
from tieline.practices.service import NewMember, create_practice
from tieline.principal import Role
from tieline.vault import Secret


async def hold_companies(sandbox: Sandbox, companies: int) -> tuple[PracticeId, AppId, dict[str, str]]:
    """A new practice, its app, and the tokens by company."""
    admin = NewMember(name="The Admin", email="admin@firm.invalid", role=Role.ADMIN)
    firm = await create_practice(f"Firm {new_id()}", admin=admin)
    quickbooks = QuickBooks(sandbox=sandbox)
    registered, owner = await quickbooks.app(firm.id), await quickbooks.populate(companies=companies)
    async with scope(firm.id):
        app = await AppRepository.of(firm.id).get(registered.id)
    assert app is not None
    secret = Secret(await _secret(quickbooks, registered))
    tokens = {}
    for company in owner.companies:
        given = await exchanged(
            app, registered, secret, partial(quickbooks.consent, person=owner, company=company)
        )
        tokens[company.realm_id] = given.access.reveal()
    return firm.id, app.id, tokens


async def _secret(quickbooks: QuickBooks, registered: Registered) -> str:
    secret: str = (await quickbooks.control("PUT", f"/apps/{registered.client_id}", {}))["secret"]
    return secret
