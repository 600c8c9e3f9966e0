"""A practice with two of everything: what somebody who sees one client has, and what is beyond its sight."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books
from tests.support.firm import Caller, Firm
from tieline.clients.editing import ClientChanges, update_client
from tieline.connections import service as connections
from tieline.host import host
from tieline.identity import authenticate
from tieline.ids import AppId, ClientId, CredentialId, OrganisationId, PersonId, SignInId, new_id
from tieline.practices import service
from tieline.practices.invitations.service import NewInvitation, invite_client_member, invite_member
from tieline.practices.keys import hash_key, issue_key
from tieline.principal import ClientRole, Permission
from tieline.sign_ins.trips import hashed

_PROVIDER = "xero"


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A client with all that belongs to it, and beside it what is one caller's own, or is not.

    `broken` is a connection whose consent has run out; `doomed` is to be deleted, and `free` things are not connected.
    """

    name: str
    code: str
    client: str
    free_client: str
    doomed: str
    organisation: str
    free_organisation: str
    connection: str
    broken: str
    run: str
    integrator: str
    reader: str
    client_invitation: str
    signed_in: str = ""
    key: str = ""
    owner: str = ""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """`near` is what the caller has if anybody has, `far` what it has not; `given` is of the whole practice."""

    near: Ground
    far: Ground
    given: dict[str, str]

    def values(self, ground: Ground) -> dict[str, str]:
        return self.given | asdict(ground)

    def ids(self) -> set[str]:
        """Every id in it."""
        values = {*self.values(self.near).values(), *self.values(self.far).values()}
        return {value for value in values if _is_id(value)}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What a scene is set on."""

    firm: Firm
    books: Books

    async def near_and_far(self) -> tuple[Ground, Ground]:
        return await self._ground("Near"), await self._ground("Far")

    async def scene(self, near: Ground, far: Ground, caller: Caller) -> Scene:
        """What the caller has of its own goes to what is near; a colleague has the same far away."""
        colleague = await self.firm.member(*Permission)
        spare = await self.firm.member()
        (new_organisation,) = await self.books.organisations("New", provider=_PROVIDER)
        proof = secrets.token_urlsafe(16)
        reached = [
            OrganisationId(UUID(each))
            for ground in (near, far)
            for each in (ground.organisation, ground.free_organisation)
        ]
        theirs = self._person_of(caller)
        sign_in, _ = await self._sign_in([*reached, new_organisation], theirs)
        return Scene(
            near=await self._own(near, caller, proof),
            far=await self._own(far, colleague, proof),
            given={
                "team": str(await self.firm.team("Of this firm")),
                "spare_team": str(await self.firm.team("Spare")),
                "colleague": str(colleague.person_id),
                "spare_person": str(spare.person_id),
                "new_organisation": str(new_organisation),
                "sign_in": str(sign_in),
                "proof": proof,
                "csv": f"name,code\n{near.name},{near.code}\n{far.name},{far.code}\n",
                "token": await self._invitation(),
                "after": await self._news(near, far),
            },
        )

    async def lists(self, near: Ground, person_id: PersonId) -> None:
        """Let a member see what is near by name."""
        await self.books.sql.execute(
            "INSERT INTO member_client (practice_id, person_id, client_id) SELECT $1, $2, unnest($3::uuid[])",
            self.firm.practice_id,
            person_id,
            clients_of(near),
        )

    async def hands_to_team(self, near: Ground, person_id: PersonId) -> None:
        """Let a member see what is near by a team of its own."""
        team_id = await self.firm.team("Near")
        await self.books.sql.execute(
            "INSERT INTO member_team (practice_id, person_id, team_id) VALUES ($1, $2, $3)",
            self.firm.practice_id,
            person_id,
            team_id,
        )
        await self.books.sql.execute(
            "UPDATE client SET team_id = $2 WHERE id = ANY($1::uuid[])", clients_of(near), team_id
        )

    async def of_clients(self, near: Ground, role: ClientRole) -> Caller:
        """Somebody who belongs to what is near, and not to the practice."""
        email = f"{new_id()}@c.invalid"
        people = {
            await service.add_client_member(
                self.firm.practice_id, name="Theirs", email=email, client_id=client_id, role=role
            )
            for client_id in clients_of(near)
        }
        return await self.firm.caller(people.pop())

    async def _ground(self, word: str) -> Ground:
        books, name = self.books, f"{word} {secrets.token_hex(4)}"
        client, free, doomed = [await books.client(f"{name}{more}") for more in ("", " Free", " Doomed")]
        held, unheld = await books.organisations(name, f"{name} Free", provider=_PROVIDER)
        return Ground(
            name=name,
            code=f"{word}-1",
            client=str(client.id),
            free_client=str(free.id),
            doomed=str(doomed.id),
            organisation=str(held),
            free_organisation=str(unheld),
            **await self._connections(client.id, held),
            **await self._people(client.id),
        )

    async def _connections(self, client_id: ClientId, held: OrganisationId) -> dict[str, str]:
        """One that works and one that does not, on a credential of somebody's own."""
        books = self.books
        sign_in, credential_id = await self._sign_in([held], books.me)
        connection, broken = [
            await connections.connect(
                books.admin, sign_in, client_id=client_id, product=product, organisation_id=held
            )
            for product in (BOOKKEEPING, DATA_HEALTH)
        ]
        await books.expire(broken, "CONSENT_EXPIRED")
        integrator = (await self.firm.member()).person_id
        await books.sql.execute(
            "UPDATE credential SET person_id = $2 WHERE id = $1", credential_id, integrator
        )
        run = await books.sql.fetchval("SELECT id FROM sync_run WHERE organisation_id = $1", held)
        return {
            "connection": str(connection.id),
            "broken": str(broken.id),
            "run": str(run),
            "integrator": str(integrator),
        }

    async def _people(self, client_id: ClientId) -> dict[str, str]:
        """Somebody who is of the client, and somebody who is asked to be."""
        reader = await service.add_client_member(
            self.firm.practice_id,
            name="Reader",
            email=f"{new_id()}@c.invalid",
            client_id=client_id,
            role=ClientRole.READER,
        )
        invited = await invite_client_member(
            self.books.admin, client_id, email=f"{new_id()}@c.invalid", name="Asked", role=ClientRole.READER
        )
        return {"reader": str(reader), "client_invitation": str(invited.invitation.id)}

    async def _own(self, ground: Ground, caller: Caller, proof: str) -> Ground:
        owner = self._person_of(caller)
        signed_in, credential_id = await self._sign_in(
            [OrganisationId(UUID(ground.free_organisation))], owner
        )
        await self._prove(signed_in, credential_id, proof)
        is_service = caller.person_id is None
        key = await issue_key(
            self.firm.practice_id,
            name="Spare",
            person_id=None if is_service else owner,
            scopes=frozenset() if is_service else None,
        )
        await self.books.sql.execute(  # a key with scopes ends none but itself and what was made with it
            "UPDATE api_key SET made_with = (SELECT id FROM api_key WHERE hash = $2) WHERE id = $1",
            key.id,
            hash_key(caller.key),
        )
        return replace(ground, signed_in=str(signed_in), key=str(key.id), owner=str(owner))

    def _person_of(self, caller: Caller) -> PersonId:
        """Who has things of its own; somebody of the practice for who can have none here."""
        if caller.person_id is None or caller.practice_id != self.firm.practice_id:
            return self.books.me
        return caller.person_id

    async def _sign_in(
        self, organisations: Collection[OrganisationId], person_id: PersonId
    ) -> tuple[SignInId, CredentialId]:
        provider = host().registry.get(_PROVIDER)
        assert provider is not None
        scopes = provider.oauth.scopes_for(provider.info.products)
        credential_id = await self.books.credential(person_id, scopes=scopes, provider=_PROVIDER)
        sign_in_id = await self.books.sign_in(
            credential_id, organisations, person_id=person_id, provider=_PROVIDER
        )
        return sign_in_id, credential_id

    async def _prove(self, sign_in_id: SignInId, credential_id: CredentialId, proof: str) -> None:
        """As a round that came back leaves it once its proof was shown."""
        at = datetime.now(UTC)
        await self.books.sql.execute(
            "INSERT INTO consent_round (id, practice_id, sign_in_id, state_hash, verifier_sealed, code_hash, outcome, "
            "subject, credential_id, proof_hash, proof_until, consented_at, taken_at, created_at, expires_at) "
            "VALUES ($1, $2, $3, $4, $4, $4, 'GRANTED', 'x', $5, $6, $8, $7, $7, $7, $8)",
            new_id(),
            self.firm.practice_id,
            sign_in_id,
            secrets.token_bytes(32),
            credential_id,
            hashed(proof),
            at,
            at + timedelta(minutes=5),
        )

    async def _invitation(self) -> str:
        invited = NewInvitation(email=f"{new_id()}@firm.invalid", name="Invited")
        return (await invite_member(self.books.admin, invited)).token.reveal()

    async def _news(self, near: Ground, far: Ground) -> str:
        """A cursor after which something happens to what is far, then to what is near."""
        cursor = await self._cursor()
        for ground in (far, near):
            await update_client(
                self.books.admin, ClientId(UUID(ground.client)), ClientChanges(legal_name=ground.name)
            )
        return cursor

    async def _cursor(self) -> str:
        page = await self.firm.admin.ask("{ clients(first: 1) { eventCursor } }")
        cursor: str = page["clients"]["eventCursor"]
        return cursor


async def set_stage(sql: asyncpg.Connection, firm: Firm) -> Stage:
    """With an app at a provider that nobody asks anything."""
    app_id = AppId(new_id())
    await sql.execute(
        "INSERT INTO provider_app (id, practice_id, provider, environment, client_id, secret_sealed, bulk_consent, "
        "created_at) VALUES ($1, $2, $3, 'SANDBOX', $4, 'sealed', true, $5)",
        app_id,
        firm.practice_id,
        _PROVIDER,
        secrets.token_hex(8),
        datetime.now(UTC),
    )
    admin = await authenticate(firm.admin.key)
    books = Books(sql=sql, practice_id=firm.practice_id, admin=admin, apps={_PROVIDER: app_id})
    return Stage(firm=firm, books=books)


def clients_of(ground: Ground) -> list[ClientId]:
    return [ClientId(UUID(each)) for each in (ground.client, ground.free_client, ground.doomed)]


def _is_id(value: Any) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True
