"""A practice with apps at pretend providers, and what sign-ins would have brought, written straight into the tables."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from tests.support.locks import waiting
from tests.support.polling import until
from tests.support.pretend import ALL_SCOPES, BOOKKEEPING, DATA_HEALTH, LISTS, Pretend, pretending
from tieline.clients.repository import Client
from tieline.clients.service import NewClient, create_client
from tieline.connections import service as connections
from tieline.connections.repository import Connection
from tieline.events.repository import Recorded
from tieline.events.service import read_events
from tieline.identity import authenticate
from tieline.ids import (
    AppId,
    ClientId,
    CredentialId,
    OrganisationId,
    PersonId,
    PracticeId,
    SignInId,
    new_id,
)
from tieline.names import name_key
from tieline.plugins import Product
from tieline.practices import service
from tieline.practices.keys import issue_key
from tieline.practices.plan import Plan
from tieline.practices.service import NewMember
from tieline.principal import ClientAccess, ClientRole, Permission, Principal, Role

__all__ = ["BOOKKEEPING", "DATA_HEALTH", "LISTS", "Books", "Pretend", "open_books", "pretending"]


@dataclass(frozen=True, kw_only=True)
class Books:
    """One practice, looked at and written to by a superuser; `admin` calls the services."""

    sql: asyncpg.Connection = field(repr=False)
    practice_id: PracticeId
    admin: Principal
    apps: dict[str, AppId]

    @property
    def me(self) -> PersonId:
        assert self.admin.person_id is not None
        return self.admin.person_id

    async def member(
        self,
        *permissions: Permission,
        role: Role = Role.MEMBER,
        clients: ClientAccess = ClientAccess.ALL,
        scopes: frozenset[Permission] | None = None,
    ) -> Principal:
        member = NewMember(
            name="Some Member",
            email=f"{new_id()}@firm.invalid",
            role=role,
            permissions=frozenset(permissions),
            client_access=clients,
        )
        return await self.calling(await service.add_member(self.practice_id, member), scopes=scopes)

    async def of_client(self, client: Client, role: ClientRole) -> Principal:
        """Somebody who belongs to a single client."""
        person_id = await service.add_client_member(
            self.practice_id, name="Theirs", email=f"{new_id()}@c.invalid", client_id=client.id, role=role
        )
        return await self.calling(person_id)

    async def calling(
        self, person_id: PersonId | None, *, scopes: frozenset[Permission] | None = None
    ) -> Principal:
        issued = await issue_key(self.practice_id, name="test", person_id=person_id, scopes=scopes)
        return await authenticate(issued.secret.reveal())

    async def client(self, name: str, **details: Any) -> Client:
        return await create_client(self.admin, NewClient(name=name, **details))

    async def clients(self, count: int, name: str = "Client") -> list[ClientId]:
        """Many at once, by SQL; each with a word to find it by."""
        ids = [ClientId(new_id()) for _ in range(count)]
        names = [f"{name} {number:05}" for number in range(count)]
        await self.sql.execute(
            "INSERT INTO client (id, practice_id, name, name_key, detail_sources, created_at) "
            "SELECT n.id, $1, n.name, n.key, '{}', $2 "
            "FROM unnest($3::uuid[], $4::text[], $5::text[]) AS n (id, name, key)",
            self.practice_id,
            datetime.now(UTC),
            ids,
            names,
            [name_key(each) for each in names],
        )
        await self.sql.execute(
            "INSERT INTO client_word (practice_id, word, client_id) SELECT $1, $2, unnest($3::uuid[])",
            self.practice_id,
            name.lower(),
            ids,
        )
        return ids

    async def organisations(
        self, *names: str, provider: str = "pretend", legal_name: str | None = None
    ) -> list[OrganisationId]:
        ids = [OrganisationId(new_id()) for _ in names]
        await self.sql.execute(
            "INSERT INTO organisation (id, practice_id, provider, environment, external_id, name, name_key, "
            "legal_name, created_at) SELECT o.id, $1, $2, 'SANDBOX', 'x' || o.id, o.name, o.key, $7, $3 "
            "FROM unnest($4::uuid[], $5::text[], $6::text[]) AS o (id, name, key)",
            self.practice_id,
            provider,
            datetime.now(UTC),
            ids,
            names,
            [name_key(name) for name in names],
            legal_name,
        )
        return ids

    async def organisation(self, name: str, **details: Any) -> OrganisationId:
        return (await self.organisations(name, **details))[0]

    async def credential(
        self,
        person_id: PersonId | None = None,
        *,
        scopes: Iterable[str] = ALL_SCOPES,
        provider: str = "pretend",
        state: str = "LIVE",
    ) -> CredentialId:
        credential_id = CredentialId(new_id())
        await self.sql.execute(
            "INSERT INTO credential (id, practice_id, provider_app_id, subject, login, person_id, tokens_sealed, "
            "scopes, access_expires_at, state, refreshed_at, created_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $9, $9)",
            credential_id,
            self.practice_id,
            self.apps[provider],
            secrets.token_hex(8),
            "somebody@ledger.invalid",
            person_id or self.me,
            b"sealed",
            list(scopes),
            datetime.now(UTC),
            state,
        )
        return credential_id

    async def sign_in(
        self,
        credential_id: CredentialId,
        organisation_ids: Collection[OrganisationId],
        *,
        person_id: PersonId | None = None,
        provider: str = "pretend",
        usable_for: timedelta | None = timedelta(days=1),
        state: str = "READY",
    ) -> SignInId:
        """A completed sign-in that found these; with `usable_for=None` one that is not completed yet."""
        sign_in_id, at = SignInId(new_id()), datetime.now(UTC)
        ready = at if usable_for is not None else None
        await self.sql.execute(
            "INSERT INTO sign_in (id, practice_id, person_id, provider_app_id, purpose, products, state, ready_at, "
            "usable_until, created_at, changed_at) VALUES ($1, $2, $3, $4, 'CONNECT', $5, $6, $7, $8, $9, $9)",
            sign_in_id,
            self.practice_id,
            person_id or self.me,
            self.apps[provider],
            [BOOKKEEPING.value],
            state,
            ready,
            at + usable_for if usable_for is not None else None,
            at,
        )
        await self.sql.execute(
            "INSERT INTO sign_in_organisation (practice_id, sign_in_id, organisation_id, credential_id, consented) "
            "SELECT $1, $2, unnest($3::uuid[]), $4, true",
            self.practice_id,
            sign_in_id,
            list(organisation_ids),
            credential_id,
        )
        await self.sql.execute(
            "INSERT INTO consent (practice_id, credential_id, organisation_id, consented_at) "
            "SELECT $1, $2, unnest($3::uuid[]), $4 ON CONFLICT DO NOTHING",
            self.practice_id,
            credential_id,
            list(organisation_ids),
            at,
        )
        return sign_in_id

    async def connected(
        self, client: Client | ClientId, organisation_id: OrganisationId, product: Product = BOOKKEEPING
    ) -> Connection:
        """A client connected through a new sign-in of the admin's."""
        credential_id = await self.credential()
        sign_in_id = await self.sign_in(credential_id, [organisation_id])
        return await connections.connect(
            self.admin,
            sign_in_id,
            client_id=client.id if isinstance(client, Client) else client,
            product=product,
            organisation_id=organisation_id,
        )

    async def expire(self, connection: Connection, reason: str) -> None:
        await self.sql.execute("UPDATE connection SET reason = $2 WHERE id = $1", connection.id, reason)

    async def row(self, table: str, id: UUID) -> dict[str, Any]:
        found = await self.sql.fetchrow(f"SELECT * FROM {table} WHERE id = $1", id)
        assert found is not None
        return dict(found)

    async def count(self, table: str, condition: str = "true") -> int:
        number: int = await self.sql.fetchval(
            f"SELECT count(*) FROM {table} WHERE practice_id = $1 AND {condition}", self.practice_id
        )
        return number

    async def events(self) -> list[tuple[str, dict[str, Any]]]:
        """What was recorded since this was last asked, in its order."""
        rows = await self.sql.fetch(
            "DELETE FROM event WHERE practice_id = $1 RETURNING position, kind, payload", self.practice_id
        )
        ordered = sorted(rows, key=lambda row: row["position"])
        return [(row["kind"], json.loads(row["payload"])) for row in ordered]

    async def kinds(self) -> list[str]:
        return [kind for kind, _ in await self.events()]

    async def told(self, principal: Principal, cursor: str, *kinds: str) -> list[Recorded]:
        """The latest events after the cursor, once they are of these kinds: open transactions hold them up."""

        async def latest() -> list[Recorded]:
            return list((await read_events(principal, cursor)).events[-len(kinds) :])

        async def there() -> bool:
            return [event.kind for event in await latest()] == list(kinds)

        await until(there, f"{', '.join(kinds)} can be read")
        return await latest()

    async def all_told(self) -> None:
        """Wait until whoever asks now is told all that was recorded: an open transaction of anybody holds it up."""
        held_up = "SELECT FROM event WHERE practice_id = $1 AND xid >= pg_snapshot_xmin(pg_current_snapshot()) LIMIT 1"

        async def none() -> bool:
            return not await self.sql.fetch(held_up, self.practice_id)

        await until(none, "no event is held up")

    async def is_free(self, table: str, id: UUID) -> bool:
        """Whether nobody holds the row."""
        return bool(await self.sql.fetch(f"SELECT id FROM {table} WHERE id = $1 FOR UPDATE SKIP LOCKED", id))

    async def somebody_waits(self) -> bool:
        """Whether a transaction waits for a lock that another one holds."""
        return bool(await waiting(self.sql))

    async def runs(self, state: str = "QUEUED") -> list[dict[str, Any]]:
        rows = await self.sql.fetch(
            "SELECT * FROM sync_run WHERE practice_id = $1 AND state = $2 ORDER BY id",
            self.practice_id,
            state,
        )
        return [dict(row) for row in rows]

    async def jobs(self, actor: str) -> list[dict[str, Any]]:
        """The arguments of the jobs of this actor that are waiting."""
        rows = await self.sql.fetch(
            "SELECT arguments FROM job WHERE practice_id = $1 AND actor = $2 ORDER BY id",
            self.practice_id,
            actor,
        )
        return [json.loads(row["arguments"]) for row in rows]


async def open_books(sql: asyncpg.Connection) -> Books:
    """A new practice with one admin and an app at each pretend provider."""
    first = NewMember(name="The Admin", email="admin@firm.invalid", role=Role.ADMIN)
    made = await service.create_practice(f"Firm {new_id()}", admin=first, plan=Plan.ADVANCED)
    issued = await issue_key(made.id, name="admin", person_id=made.admin_id)
    apps = {slug: AppId(new_id()) for slug in ("pretend", "feigned")}
    await sql.executemany(
        "INSERT INTO provider_app (id, practice_id, provider, environment, client_id, secret_sealed, bulk_consent, "
        "created_at) VALUES ($1, $2, $3, 'SANDBOX', gen_random_uuid()::text, 'sealed', true, $4)",
        [(app_id, made.id, slug, datetime.now(UTC)) for slug, app_id in apps.items()],
    )
    return Books(
        sql=sql,
        practice_id=made.id,
        admin=await authenticate(issued.secret.reveal()),
        apps=apps,
    )
