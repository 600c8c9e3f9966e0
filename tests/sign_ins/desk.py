"""A practice at its desk: people who sign in at the pretended provider, and the rows they start from."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import asyncpg

from tests.support.sandbox import App, Books, Person, Sandbox
from tieline.clients.service import NewClient, create_client
from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.repository import Connection, ConnectionRepository, NewConnection
from tieline.database import scope
from tieline.ids import (
    ClientId,
    ConnectionId,
    CredentialId,
    OrganisationId,
    PersonId,
    PracticeId,
    SignInId,
    new_id,
)
from tieline.plugins import Product
from tieline.practices.service import NewMember, add_member
from tieline.principal import ClientAccess, Permission, Principal, Role
from tieline.sign_ins.service import (
    ConsentAnswer,
    NewSignIn,
    SignIn,
    Started,
    answer_consent,
    complete_sign_in,
    list_organisations,
    start_sign_in,
)
from tieline.sign_ins.states import Purpose
from tieline.vault import Secret

LONG_AGO = datetime(2026, 1, 2, tzinfo=UTC)
RETURN_URL = "https://app.example/done"
BOOKKEEPING = (Product.BOOKKEEPING,)


@dataclass(frozen=True, kw_only=True)
class Desk:
    """One practice with its app at the provider. `admin` may everything; `above` sees past all policies."""

    practice_id: PracticeId
    admin: Principal
    app: App
    sandbox: Sandbox = field(repr=False)
    above: asyncpg.Connection = field(repr=False)
    move: Any = field(repr=False)

    async def colleague(self) -> Principal:
        """Another admin of the same practice."""
        member = NewMember(name="Some Colleague", email=f"{new_id()}@firm.invalid", role=Role.ADMIN)
        return principal_of(self.practice_id, await add_member(self.practice_id, member))

    async def start(self, principal: Principal | None = None, **more: Any) -> Started:
        asked = {"purpose": Purpose.CONNECT, "products": BOOKKEEPING, "return_url": RETURN_URL} | more
        return await start_sign_in(principal or self.admin, NewSignIn(provider="xero", **asked))

    async def consent(
        self, started: Started, person: Person, *books: Books, allow: bool = True
    ) -> dict[str, str]:
        """The person consents for these organisations, or all: the parameters the browser comes back with."""
        assert started.authorization_url is not None
        location = await self.sandbox.consent(started.authorization_url, person, books or None, allow=allow)
        assert location.startswith(self.app.callback_url)
        return dict(parse_qsl(urlsplit(location).query))

    async def back(self, parameters: dict[str, str]) -> ConsentAnswer:
        """The browser comes to our callback."""
        return await answer_consent("xero", self.app.id, parameters)

    async def consented(self, person: Person, *books: Books, **more: Any) -> tuple[SignInId, Secret]:
        """A sign-in whose browser is back: its id and its proof."""
        started = await self.start(**more)
        answer = await self.back(await self.consent(started, person, *books))
        assert answer.proof is not None, answer
        return started.sign_in.id, answer.proof

    async def ready(self, person: Person, *books: Books, principal: Principal | None = None) -> SignIn:
        """A completed sign-in."""
        who = principal or self.admin
        sign_in_id, proof = await self.consented(person, *books, principal=who)
        return await complete_sign_in(who, sign_in_id, proof)

    async def names(self, sign_in_id: SignInId, principal: Principal | None = None) -> list[str]:
        page = await list_organisations(principal or self.admin, sign_in_id, first=200)
        return [found.organisation.name for found in page.rows]

    async def found(self, sign_in_id: SignInId) -> dict[str, tuple[OrganisationId, CredentialId, bool]]:
        """What the admin's sign-in found, by name."""
        page = await list_organisations(self.admin, sign_in_id, first=200)
        return {
            found.organisation.name: (found.organisation.id, found.credential_id, found.consented)
            for found in page.rows
        }

    async def connect(
        self,
        organisation_id: OrganisationId,
        credential_id: CredentialId,
        *,
        product: Product = Product.BOOKKEEPING,
        reason: str | None = None,
        client_id: ClientId | None = None,
    ) -> Connection:
        """A connection as it stands after some history."""
        async with scope(self.practice_id):
            [known] = await OrganisationRepository.of(self.practice_id).get_many([organisation_id])
        client_id = client_id or (await create_client(self.admin, NewClient(name=known.name))).id
        new = NewConnection(
            client_id=client_id,
            product=product,
            organisation_id=organisation_id,
            credential_id=credential_id,
            mismatch=False,
        )
        async with scope(self.practice_id):
            await OrganisationRepository.of(self.practice_id).set_client({organisation_id: client_id})
            [made] = await ConnectionRepository.of(self.practice_id).add_many([new], at=LONG_AGO)
        await self.set_reason(made.id, reason)
        return made

    async def set_reason(self, connection_id: ConnectionId, reason: str | None) -> None:
        await self.above.execute("UPDATE connection SET reason = $2 WHERE id = $1", connection_id, reason)

    async def reason(self, connection: Connection) -> str | None:
        reason: str | None = await self.above.fetchval(
            "SELECT reason FROM connection WHERE id = $1", connection.id
        )
        return reason

    async def events(self, *kinds: str) -> list[tuple[str, UUID]]:
        """Events of connections, in their order: kind and connection."""
        rows = await self.above.fetch(
            "SELECT kind, payload->>'connection_id' AS connection FROM event "
            "WHERE practice_id = $1 AND kind LIKE 'CONNECTION%' ORDER BY position",
            self.practice_id,
        )
        return [(row["kind"], UUID(row["connection"])) for row in rows if not kinds or row["kind"] in kinds]

    async def runs(self) -> list[dict[str, Any]]:
        rows = await self.above.fetch(
            "SELECT * FROM sync_run WHERE practice_id = $1 ORDER BY created_at, id", self.practice_id
        )
        return [dict(row) for row in rows]

    async def row(self, sign_in_id: SignInId) -> dict[str, Any]:
        return dict(await self.above.fetchrow("SELECT * FROM sign_in WHERE id = $1", sign_in_id))

    async def rounds(self, sign_in_id: SignInId) -> list[dict[str, Any]]:
        rows = await self.above.fetch(
            "SELECT * FROM consent_round WHERE sign_in_id = $1 ORDER BY id", sign_in_id
        )
        return [dict(row) for row in rows]

    async def credentials(self) -> list[dict[str, Any]]:
        rows = await self.above.fetch(
            "SELECT * FROM credential WHERE practice_id = $1 ORDER BY id", self.practice_id
        )
        return [dict(row) for row in rows]

    async def asked(self, endpoint: str, **fits: Any) -> int:
        """How often the provider was asked this."""
        entries = await self.sandbox.log(self.app, endpoint)
        return sum(all(entry[name] == value for name, value in fits.items()) for entry in entries)

    async def exchanges(self) -> int:
        return await self.asked("token", grant_type="authorization_code")

    async def due(self, sign_in_id: SignInId, actor: str) -> Any:
        """The job of this sign-in; None when there is none."""
        return await self.above.fetchrow(
            "SELECT * FROM job WHERE practice_id = $1 AND key = $2", self.practice_id, f"{actor}:{sign_in_id}"
        )

    async def pass_time(self, by: timedelta) -> None:
        """Calendar time goes on, for us and for the provider."""
        await asyncio.gather(self.move(by), self.sandbox.move_clock(by.total_seconds()))


def principal_of(
    practice_id: PracticeId,
    person_id: PersonId | None,
    *,
    role: Role | None = Role.ADMIN,
    permissions: Sequence[Permission] = tuple(Permission),
    scopes: frozenset[Permission] | None = None,
) -> Principal:
    """Somebody who asks."""
    return Principal(
        practice_id=practice_id,
        person_id=person_id,
        api_key_id=None,
        role=role,
        client_access=ClientAccess.ALL,
        permissions=frozenset(permissions),
        key_scopes=scopes,
    )
