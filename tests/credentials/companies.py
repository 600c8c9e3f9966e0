"""A practice that holds the credential of one company at Intuit, where an old token has no grace."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import asyncpg

from tests.credentials.holding import Holding
from tests.support.intuit import QuickBooks
from tests.support.sandbox import Books, Person, Sandbox
from tieline.credentials.apps.repository import AppRepository
from tieline.credentials.repository import CredentialRepository
from tieline.database import scope
from tieline.ids import new_id
from tieline.plugins import Product
from tieline.practices.service import NewMember, create_practice
from tieline.principal import ClientAccess, Permission, Principal, Role
from tieline.sign_ins.service import NewSignIn, answer_consent, complete_sign_in, start_sign_in
from tieline.sign_ins.states import Purpose


async def hold_company(sandbox: Sandbox, above: asyncpg.Connection) -> Holding:
    """A new practice whose admin has signed in for a new person's only company."""
    admin = NewMember(name="The Admin", email="admin@firm.invalid", role=Role.ADMIN)
    firm = await create_practice(f"Firm {new_id()}", admin=admin)
    quickbooks = QuickBooks(sandbox=sandbox)
    registered, owner = await quickbooks.app(firm.id), await quickbooks.populate("Ashford Bakery Ltd")
    [company] = owner.companies

    principal = Principal(
        practice_id=firm.id,
        person_id=firm.admin_id,
        api_key_id=None,
        role=Role.ADMIN,
        client_access=ClientAccess.ALL,
        permissions=frozenset(Permission),
        key_scopes=None,
    )
    asked = NewSignIn(provider="quickbooks", purpose=Purpose.CONNECT, products=(Product.BOOKKEEPING,))
    started = await start_sign_in(principal, asked)
    assert started.authorization_url is not None
    back = await quickbooks.consent(started.authorization_url, owner, company)
    answer = await answer_consent("quickbooks", registered.id, dict(parse_qsl(urlsplit(back).query)))
    assert answer.proof is not None, answer
    await complete_sign_in(principal, started.sign_in.id, answer.proof)

    async with scope(firm.id):
        app = await AppRepository.of(firm.id).get(registered.id)
        credential = await CredentialRepository.of(firm.id).by_subject(registered.id, company.realm_id)
    assert app is not None
    assert credential is not None
    books = Books(tenant_id=company.realm_id, name=company.name)
    return Holding(
        practice_id=firm.id,
        admin_id=firm.admin_id,
        sandbox=sandbox,
        portal=registered,
        person=Person(id=owner.id, email=owner.email, organisations=(books,)),
        app=app,
        credential=credential,
        above=above,
    )
