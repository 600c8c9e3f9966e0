"""A practice's app at Intuit, and an access token for each of many companies: one consent each."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from tests.support.intuit import Company, Person, QuickBooks
from tests.support.sandbox import App as Registered
from tests.support.sandbox import Sandbox
from tieline.credentials.apps.repository import App, AppRepository
from tieline.credentials.apps.service import endpoints_of, provider_of
from tieline.database import scope
from tieline.host import host
from tieline.ids import AppId, PracticeId, new_id
from tieline.plugins import Challenge, Product, authorization_url, code_request, read_tokens, send
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
    tokens = {
        company.realm_id: await _consented(quickbooks, app, registered, secret, owner, company)
        for company in owner.companies
    }
    return firm.id, app.id, tokens


async def _secret(quickbooks: QuickBooks, registered: Registered) -> str:
    secret: str = (await quickbooks.control("PUT", f"/apps/{registered.client_id}", {}))["secret"]
    return secret


async def _consented(
    quickbooks: QuickBooks, app: App, registered: Registered, secret: Secret, owner: Person, company: Company
) -> str:
    """The owner's trip to the consent page for one company: the access token that came of it."""
    provider, endpoints, challenge = provider_of(app), endpoints_of(app), Challenge.make()
    scopes = provider.oauth.scopes_for([Product.BOOKKEEPING])
    page = authorization_url(
        provider.oauth,
        endpoints,
        client_id=app.client_id,
        redirect_uri=registered.callback_url,
        state="state",
        challenge=challenge,
        scopes=scopes,
    )
    back = dict(parse_qsl(urlsplit(await quickbooks.consent(page, owner, company)).query))
    request = code_request(
        provider.oauth,
        endpoints,
        client_id=app.client_id,
        client_secret=secret,
        code=Secret(back["code"]),
        redirect_uri=registered.callback_url,
        verifier=challenge.verifier,
    )
    answer = await send(host().client, request, provider="quickbooks", seconds=20)
    return read_tokens("quickbooks", *answer, asked_scopes=scopes).access.reveal()
