"""A practice that holds a credential: got by a real consent at the sandbox, looked at from above."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import asyncpg

from tests.support import sandbox as portal
from tests.support.jobs import calendar
from tests.support.rows import insertion
from tests.support.sandbox import Books, Person, Sandbox
from tieline.clients.service import NewClient, create_client
from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.repository import ConnectionRepository, NewConnection
from tieline.connections.states import Reason
from tieline.credentials.apps.repository import App, AppRepository
from tieline.credentials.apps.service import endpoints_of, provider_of
from tieline.credentials.giving_back.service import Turn, begin
from tieline.credentials.pairs import Pair
from tieline.credentials.repository import Credential, CredentialRepository
from tieline.credentials.service import keep_consent
from tieline.credentials.tokens import CredentialTokens
from tieline.database import scope
from tieline.host import host
from tieline.ids import ClientId, ConnectionId, OrganisationId, PersonId, PracticeId, new_id
from tieline.plugins import (
    Challenge,
    Grant,
    Product,
    Reached,
    Subject,
    TokenSet,
    authorization_url,
    code_request,
    read_tokens,
    send,
)
from tieline.practices.service import NewMember, create_practice
from tieline.principal import Principal, Role
from tieline.vault import Secret
from tieline.work import unit_of_work


@dataclass(frozen=True, kw_only=True)
class Holding:
    """A credential and all around it; `above` is a superuser's connection."""

    practice_id: PracticeId
    admin_id: PersonId
    sandbox: Sandbox
    portal: portal.App
    person: Person
    app: App
    credential: Credential
    above: asyncpg.Connection = field(repr=False)

    @property
    def tokens(self) -> CredentialTokens:
        return CredentialTokens(self.practice_id, self.credential.id)

    async def row(self) -> dict[str, Any]:
        """The credential as it stands in the table now."""
        return dict(await self.above.fetchrow("SELECT * FROM credential WHERE id = $1", self.credential.id))

    async def fault(self) -> str | None:
        """What the provider has against the app."""
        code: str | None = await self.above.fetchval(
            "SELECT fault FROM provider_app WHERE id = $1", self.app.id
        )
        return code

    async def refreshes(self) -> list[dict[str, Any]]:
        """The calls of the token endpoint since the consent."""
        return (await self.sandbox.log(self.portal, "token"))[1:]

    async def consent(self, books: Sequence[Books] | None = None) -> tuple[Pair, Subject]:
        """The same person consents again: what the token endpoint gives."""
        return await consented(self.sandbox, self.app, self.portal, self.person, books)

    async def keep(
        self, pair: Pair, subject: Subject, *, by: PersonId | None = None, takes_over: bool = False
    ) -> Credential:
        """Keep a consent that this person brought, the admin unless one is named."""
        async with unit_of_work(Principal.machine(self.practice_id)) as work:
            return await keep_consent(
                work, self.app, pair, subject, person_id=by or self.admin_id, takes_over=takes_over
            )

    async def organisation(self, books: Books) -> OrganisationId:
        """The organisation in our tables, reached by the credential."""
        async with unit_of_work(Principal.machine(self.practice_id)) as work:
            reached = Reached(external_id=books.tenant_id, name=books.name, consented=True)
            organisations = OrganisationRepository.of(self.practice_id)
            known = await organisations.upsert(
                self.app.provider, self.app.environment, [reached], at=work.now
            )
            await CredentialRepository.of(self.practice_id).set_reach(
                self.credential.id, {known[0].id: True}, at=work.now
            )
        return known[0].id

    async def connect(
        self, books: Books, *, product: Product = Product.BOOKKEEPING, client_id: ClientId | None = None
    ) -> ConnectionId:
        """A client connected to these books through the credential; a new one unless it is named."""
        principal = Principal.machine(self.practice_id)
        if client_id is None:
            client_id = (await create_client(principal, NewClient(name=books.name))).id
        organisation_id = await self.organisation(books)
        async with unit_of_work(principal) as work:
            await OrganisationRepository.of(self.practice_id).set_client({organisation_id: client_id})
            made = await ConnectionRepository.of(self.practice_id).add_many(
                [
                    NewConnection(
                        client_id=client_id,
                        product=product,
                        organisation_id=organisation_id,
                        credential_id=self.credential.id,
                        mismatch=False,
                    )
                ],
                at=work.now,
            )
        return made[0].id

    async def disconnect(self, connection_id: ConnectionId) -> None:
        async with unit_of_work(Principal.machine(self.practice_id)) as work:
            await ConnectionRepository.of(self.practice_id).disconnect(connection_id, at=work.now)

    async def organisation_of(self, connection_id: UUID) -> OrganisationId:
        found: OrganisationId = await self.above.fetchval(
            "SELECT organisation_id FROM connection WHERE id = $1", connection_id
        )
        return found

    async def reason(self, connection_id: ConnectionId) -> Reason | None:
        text = await self.above.fetchval("SELECT reason FROM connection WHERE id = $1", connection_id)
        return Reason(text) if text else None

    async def expiries(self) -> list[UUID]:
        """The connections whose expiry was told, once for each time."""
        rows = await self.above.fetch(
            "SELECT payload->>'connection_id' AS id FROM event WHERE practice_id = $1 "
            "AND kind = 'CONNECTION_EXPIRED' ORDER BY position",
            self.practice_id,
        )
        return [UUID(row["id"]) for row in rows]

    async def sign_in(self, **values: object) -> UUID:
        """A sign-in of the admin's at this app, as these columns say."""
        at = await now()
        begun = {"purpose": "CONNECT", "products": ["BOOKKEEPING"], "state": "STARTED"}
        whose = {"provider_app_id": self.app.id, "person_id": self.admin_id}
        return await self._insert("sign_in", {**begun, **whose, "created_at": at, "changed_at": at, **values})

    async def round(self, **values: object) -> UUID:
        """A round of a new sign-in, as these columns say; out, unless they say how it came back."""
        at, state = await now(), new_id().bytes
        sent = {"state_hash": state, "verifier_sealed": b"", "created_at": at, "expires_at": at}
        return await self._insert("consent_round", {**sent, "sign_in_id": await self.sign_in(), **values})

    async def find(self, organisation_id: OrganisationId, *, usable_until: datetime) -> None:
        """A completed sign-in that found this organisation through the credential."""
        ready = {"state": "READY", "ready_at": usable_until - timedelta(hours=24)}
        sign_in_id = await self.sign_in(**ready, usable_until=usable_until)
        await self.above.execute(
            "INSERT INTO sign_in_organisation (practice_id, sign_in_id, organisation_id, credential_id, consented) "
            "VALUES ($1, $2, $3, $4, true)",
            self.practice_id,
            sign_in_id,
            organisation_id,
            self.credential.id,
        )

    async def _insert(self, table: str, values: dict[str, object]) -> UUID:
        row = {"id": new_id(), "practice_id": self.practice_id, **values}
        await self.above.execute(insertion(table, row), *row.values())
        return UUID(str(row["id"]))

    async def jobs(self, actor: str) -> list[dict[str, Any]]:
        rows = await self.above.fetch(
            "SELECT * FROM job WHERE practice_id = $1 AND actor = $2",
            self.practice_id,
            f"credentials.{actor}",
        )
        return [dict(row) for row in rows]

    async def lapse(self) -> None:
        """As if so much real time had gone by that the lease is over."""
        await self.above.execute(
            "UPDATE credential SET lease_until = lease_until - interval '31 seconds' WHERE id = $1",
            self.credential.id,
        )

    async def turn(self) -> Turn:
        """The time to give something back."""
        async with unit_of_work(Principal.machine(self.practice_id)):
            return await begin(self.practice_id, self.app.id)

    async def grants(self) -> list[dict[str, Any]]:
        """What this app has been granted, as the provider has it."""
        listed: list[dict[str, Any]] = (await self.sandbox.control("GET", "/grants"))["grants"]
        return [grant for grant in listed if grant["client_id"] == self.portal.client_id]


async def hold(sandbox: Sandbox, above: asyncpg.Connection, *names: str) -> Holding:
    """A new practice whose admin has consented to all of a new person's organisations; two, unless they are named."""
    admin = NewMember(name="The Admin", email="admin@firm.invalid", role=Role.ADMIN)
    firm = await create_practice(f"Firm {new_id()}", admin=admin)
    registered = await sandbox.app(firm.id)
    person = await sandbox.populate(*(names or ("Ashford Bakery Ltd", "Elm Books Ltd")))
    async with scope(firm.id):
        app = await AppRepository.of(firm.id).get(registered.id)
    assert app is not None
    pair, subject = await consented(sandbox, app, registered, person)
    async with unit_of_work(Principal.machine(firm.id)) as work:
        credential = await keep_consent(work, app, pair, subject, person_id=firm.admin_id, takes_over=True)
    return Holding(
        practice_id=firm.id,
        admin_id=firm.admin_id,
        sandbox=sandbox,
        portal=registered,
        person=person,
        app=app,
        credential=credential,
        above=above,
    )


async def consented(
    sandbox: Sandbox, app: App, registered: portal.App, person: Person, books: Sequence[Books] | None = None
) -> tuple[Pair, Subject]:
    """The person's trip to the consent page, and what came of it."""
    secret = Secret(await secret_of(sandbox, registered))
    tokens = await exchanged(app, registered, secret, lambda page: sandbox.consent(page, person, books))
    return Pair.of(tokens, at=await now()), provider_of(app).subject(Grant(tokens=tokens, parameters={}))


async def exchanged(
    app: App, registered: portal.App, secret: Secret, consent: Callable[[str], Awaitable[str]]
) -> TokenSet:
    """What a provider gives for a consent; `consent` goes to its page, and says where the browser is sent then."""
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
    back = dict(parse_qsl(urlsplit(await consent(page)).query))
    request = code_request(
        provider.oauth,
        endpoints,
        client_id=app.client_id,
        client_secret=secret,
        code=Secret(back["code"]),
        redirect_uri=registered.callback_url,
        verifier=challenge.verifier,
    )
    answer = await send(host().client, request, provider=app.provider, seconds=20)
    return read_tokens(app.provider, *answer, asked_scopes=scopes)


async def secret_of(sandbox: Sandbox, registered: portal.App) -> str:
    """The app's secret as the developer portal shows it."""
    secret: str = (await sandbox.control("PUT", f"/apps/{registered.client_id}", {}))["secret"]
    return secret


async def now() -> datetime:
    """The deployment's calendar instant."""
    return await calendar()
