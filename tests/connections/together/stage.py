"""Where it is played: a practice with its people, clients and apps, and what is looked at between two deeds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from tests.connections.together.deeds import SignIn
from tests.connections.together.facts import Facts, Person, read_facts
from tests.connections.together.ledger import MANY, ONE, Ledger
from tests.support.jobs import calendar
from tieline.clients.service import NewClient, create_client
from tieline.credentials.apps.service import NewApp, add_app
from tieline.ids import ClientId, JobId, PersonId, PracticeId, new_id
from tieline.plugins import Product
from tieline.practices.service import NewMember, add_client_member, add_member, create_practice
from tieline.principal import ClientAccess, ClientRole, Permission, Principal, Role
from tieline.vault import Secret
from tieline.worker.roster import ACTORS
from tieline.worker.runner import Runner

CLIENTS = ("Ashford Bakery Ltd", "Birch & Sons", "Cobalt Studio", "Dunmore Dairy")
BOOKS = {
    "a": "Ashford Bakery Ltd",
    "b": "Birch and Sons",
    "c": "Cobalt Studios",
    "d": "Dunmore Dairy",
    "e": "Elm Books",
}
LOGINS = {"ann": ("a", "b", "c"), "bob": ("b", "c", "d"), "cam": ("c", "d", "e")}
ALONE = ("a", "d", "e")
"""The books that the provider of single consents has, too."""

_DUE = """
SELECT id, actor FROM job WHERE practice_id = $1 AND due_at <= $2 AND failed_at IS NULL
   AND actor = ANY ($3::text[]) ORDER BY due_at, id
"""
_ACTORS = (
    "credentials.release_organisation",
    "credentials.release_at_provider",
    "credentials.let_go_credential",
    "clients.purge_client",
)
_USES = """
SELECT 'connection ' || k.id || ' hangs on ' || c.subject AS use
  FROM connection AS k JOIN credential AS c ON c.id = k.credential_id
  JOIN provider_app AS a ON a.id = c.provider_app_id JOIN organisation AS o ON o.id = k.organisation_id
 WHERE a.client_id = $1 AND c.subject = $2 AND ($3::text IS NULL OR o.external_id = $3)
   AND k.ended_at IS NULL AND k.reason IS DISTINCT FROM 'DISCONNECTED'
 UNION ALL
SELECT 'sign-in ' || f.sign_in_id || ' may use ' || c.subject
  FROM sign_in_organisation AS f JOIN sign_in AS s ON s.id = f.sign_in_id
  JOIN credential AS c ON c.id = f.credential_id JOIN provider_app AS a ON a.id = c.provider_app_id
  JOIN organisation AS o ON o.id = f.organisation_id
 WHERE a.client_id = $1 AND c.subject = $2 AND ($3::text IS NULL OR o.external_id = $3) AND s.usable_until > $4
 UNION ALL
SELECT 'consent ' || r.id || ' waits as ' || r.subject
  FROM consent_round AS r JOIN sign_in AS s ON s.id = r.sign_in_id
  JOIN provider_app AS a ON a.id = s.provider_app_id
 WHERE a.client_id = $1 AND r.subject = $2 AND r.outcome = 'GRANTED' AND r.taken_at IS NULL AND r.proof_until > $4
 UNION ALL
SELECT 'somebody is at the provider with ' || r.id
  FROM consent_round AS r JOIN sign_in AS s ON s.id = r.sign_in_id
  JOIN provider_app AS a ON a.id = s.provider_app_id
 WHERE a.client_id = $1 AND r.outcome IS NULL AND (r.code_hash IS NOT NULL OR r.expires_at > $4)
   AND s.id = ANY ($5::uuid[])
"""


@dataclass(kw_only=True)
class Stage:
    """One practice. `apps`: the row and the client id of its app at each provider; `signed_in`: who, latest last."""

    sql: asyncpg.Connection = field(repr=False)
    ledger: Ledger = field(repr=False)
    practice_id: PracticeId
    people: Sequence[Person]
    clients: Sequence[UUID]
    apps: dict[str, tuple[UUID, str]]
    signed_in: list[tuple[Person, UUID]] = field(default_factory=list)

    async def facts(self) -> Facts:
        return await read_facts(self.sql, self.practice_id, at=await calendar())

    def sign_in(
        self, by: Person, slug: str, subject: str, organisations: Sequence[str], *products: Product
    ) -> SignIn:
        return SignIn(
            by=by,
            slug=slug,
            subject=subject,
            organisations=tuple(organisations),
            products=products or tuple(Product),
            ledger=self.ledger,
            app=self.apps[slug],
            tell=lambda sign_in: self.signed_in.append((by, sign_in)),
        )

    async def settle(self) -> None:
        """As if somebody had settled something about each connection, and about each something else."""
        await self.sql.execute(
            "UPDATE connection SET settings = jsonb_build_object('mark', id) "
            "WHERE practice_id = $1 AND settings = '{}'",
            self.practice_id,
        )

    async def due(self, *, every: bool = False) -> list[JobId]:
        """Jobs that let go of something, or all but syncs."""
        wanted = [name for name in ACTORS if not name.startswith("sync.")] if every else _ACTORS
        rows = await self.sql.fetch(_DUE, self.practice_id, await calendar(), wanted)
        return [row["id"] for row in rows]

    async def work(self, job_id: JobId) -> None:
        await Runner(ACTORS).run(job_id)

    async def work_all(self) -> None:
        """Until nothing is due; a job that leads to itself at once would be a fault."""
        for _ in range(20):
            due = await self.due(every=True)
            if not due:
                return
            for job_id in due:
                await self.work(job_id)
        raise AssertionError("jobs do not come to an end")


async def set_stage(sql: asyncpg.Connection, ledger: Ledger) -> Stage:
    """A new practice with four clients and five people, and apps at both providers."""
    first = NewMember(name="The Admin", email="admin@firm.invalid", role=Role.ADMIN)
    made = await create_practice(f"Firm {new_id()}", admin=first)
    admin = _principal(made.id, made.admin_id, Role.ADMIN)
    clients = [(await create_client(admin, NewClient(name=name))).id for name in CLIENTS]
    apps: dict[str, tuple[UUID, str]] = {}
    for slug in (MANY, ONE):
        client_id = str(new_id())
        new = NewApp(provider=slug, client_id=client_id, secret=Secret("secret"), bulk_consent=slug == MANY)
        apps[slug] = ((await add_app(made.id, new)).id, client_id)
    return Stage(
        sql=sql,
        ledger=ledger,
        practice_id=made.id,
        people=await _people(sql, admin, clients),
        clients=clients,
        apps=apps,
    )


async def _people(sql: asyncpg.Connection, admin: Principal, clients: Sequence[ClientId]) -> list[Person]:
    """Two who manage all clients, one who manages two, one who owns a client, one who looks on."""
    practice_id, manages = admin.practice_id, frozenset({Permission.MANAGE_CONNECTIONS})
    listed = frozenset(clients[1:3])

    async def member(access: ClientAccess, permissions: frozenset[Permission]) -> Principal:
        new = NewMember(
            name="Some Member",
            email=f"{new_id()}@firm.invalid",
            role=Role.MEMBER,
            permissions=permissions,
            client_access=access,
        )
        person_id = await add_member(practice_id, new)
        return _principal(practice_id, person_id, Role.MEMBER, permissions, access)

    few = await member(ClientAccess.LISTED, manages)
    await sql.execute(
        "INSERT INTO member_client (practice_id, person_id, client_id) SELECT $1, $2, unnest($3::uuid[])",
        practice_id,
        few.person_id,
        list(listed),
    )
    owner = await add_client_member(
        practice_id,
        name="The Owner",
        email=f"{new_id()}@c.invalid",
        client_id=clients[0],
        role=ClientRole.ADMINISTRATOR,
    )
    owning = frozenset(clients[:1])
    return [
        Person(name="admin", principal=admin, sees=None, manages=True),
        Person(name="manager", principal=await member(ClientAccess.ALL, manages), sees=None, manages=True),
        Person(name="few", principal=few, sees=listed, manages=True),
        Person(
            name="owner",
            principal=_principal(practice_id, owner, None, frozenset()),
            sees=owning,
            manages=False,
            administers=owning,
        ),
        Person(
            name="onlooker",
            principal=await member(ClientAccess.ALL, frozenset()),
            sees=None,
            manages=False,
        ),
    ]


def _principal(
    practice_id: PracticeId,
    person_id: PersonId,
    role: Role | None,
    permissions: frozenset[Permission] = frozenset(Permission),
    access: ClientAccess = ClientAccess.ALL,
) -> Principal:
    return Principal(
        practice_id=practice_id,
        person_id=person_id,
        api_key_id=None,
        role=role,
        client_access=access,
        permissions=permissions,
        key_scopes=None,
    )


class Witness:
    """Says what uses something at this very moment, whoever asks in the middle of whatever."""

    def __init__(self, sql: asyncpg.Connection, ledger: Ledger) -> None:
        self._sql = sql
        self._ledger = ledger
        self._one = asyncio.Lock()

    async def __call__(self, client_id: str, subject: str, external_id: str | None) -> list[str]:
        at = await calendar()
        async with self._one:
            rows = await self._sql.fetch(_USES, client_id, subject, external_id, at, [*self._ledger.sent])
        return [f"{external_id or 'all'} was taken back while {row['use']}" for row in rows]
