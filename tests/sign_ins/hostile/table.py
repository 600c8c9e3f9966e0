"""A hostile sign-in and its twin: one staging for both, which differ in the fault alone.

Hostile    a fault that ends what it was tried on: it and its twin are staged anew, one after the other
Family     faults that end nothing: all are tried on one staging, and its twins are accepted after them
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from tests.sign_ins.conftest import make_desk
from tests.sign_ins.desk import Desk
from tests.support.catalog import practice_column, tenant_tables
from tests.support.sandbox import Books, Person
from tieline.clients.service import NewClient, create_client
from tieline.connections.repository import Connection
from tieline.connections.service import connect
from tieline.connections.states import Reason
from tieline.errors import TielineError
from tieline.ids import AppId, ClientId, OrganisationId, SignInId
from tieline.plugins import Product
from tieline.principal import Principal
from tieline.sign_ins.service import answer_consent, complete_sign_in
from tieline.sign_ins.states import SignInState
from tieline.vault import Secret

Brought = Mapping[str, str]
"""What a browser comes back with."""
Act = Callable[[], Awaitable[str | None]]
Snapshot = dict[str, list[str]]
Made = TypeVar("Made")
Staged = TypeVar("Staged")

NOTHING: frozenset[str] = frozenset()
OWN_END = frozenset({"sign_in", "consent_round"})
"""A sign-in that comes to nothing is written down, and nobody else's row is."""
LATER = OWN_END | {"job"}
"""And what was granted for it is to be given back."""


class Stage(Protocol):
    def __call__(self, scene: Scene, *, is_hostile: bool) -> Awaitable[Act]: ...


@dataclass(frozen=True, kw_only=True)
class Hostile:
    """`name` is what must stay refused, with the code `refused`; `leaves` are the tables it may leave a trace in.

    `told` is what the provider says to its code, where only the provider can tell: 400, or 200 where only the tokens
    can. `alone`: each needs a practice of its own.
    """

    name: str
    refused: str
    stage: Stage
    leaves: frozenset[str] = NOTHING
    told: tuple[int, ...] = ()
    alone: bool = False


@dataclass(frozen=True, kw_only=True)
class Fault(Generic[Staged]):
    """What is tried, and the code it is refused with."""

    name: str
    refused: str
    act: Callable[[Scene, Staged], Awaitable[str | None]]


@dataclass(frozen=True, kw_only=True)
class Family(Generic[Staged]):
    """Faults of one kind and the same without them; none of the faults leaves a trace."""

    name: str
    stage: Callable[[Scene], Awaitable[Staged]]
    faults: tuple[Fault[Staged], ...]
    twins: tuple[Callable[[Scene, Staged], Awaitable[str | None]], ...]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A practice whose admin is the victim, who has a login with three organisations at the provider."""

    desk: Desk
    kim: Person
    found: dict[str, Any] = field(default_factory=dict)
    """Who else is there: made when first asked for."""

    @property
    def victim(self) -> Principal:
        return self.desk.admin

    async def anew(self, move: Any = None) -> Scene:
        """The same in a practice of its own, where `move` moves the clock."""
        return Scene(desk=replace(await self._practice(), move=move or self.desk.move), kim=self.kim)

    async def once(self, name: str, make: Callable[[], Awaitable[Made]]) -> Made:
        if name not in self.found:
            self.found[name] = await make()
        made: Made = self.found[name]
        return made

    async def elsewhere(self) -> Desk:
        """Another practice, whose rows are watched too."""
        return await self.once("elsewhere", self._practice)

    async def colleague(self) -> Principal:
        """Another admin of the victim's practice: the attacker, wherever one is needed."""
        return await self.once("colleague", self.desk.colleague)

    async def _practice(self) -> Desk:
        return await make_desk(self.desk.sandbox, self.desk.above, self.desk.move)

    async def stranger(self, *names: str) -> Person:
        """Somebody else with a login at the provider."""
        return await self.desk.sandbox.populate(*(names or ("Delta Farm",)))

    async def brought(
        self, who: Principal | None = None, login: Person | None = None, desk: Desk | None = None
    ) -> Brought:
        """Somebody has signed in as far as the provider's last redirect."""
        at = desk or self.desk
        return await at.consent(await at.start(who), login or self.kim)

    async def lands(
        self,
        brought: Brought,
        who: Principal | None = None,
        *,
        slug: str = "xero",
        app_id: AppId | None = None,
    ) -> str | None:
        """The browser comes back, and whoever sits there goes on with what it is told."""
        answer = await answer_consent(slug, app_id or self.desk.app.id, brought)
        if answer.proof is None or answer.sign_in_id is None:
            assert answer.failure is not None
            return answer.failure.value
        return await self.completes(answer.sign_in_id, answer.proof, who)

    async def completes(
        self, sign_in_id: SignInId, proof: Secret, who: Principal | None = None
    ) -> str | None:
        async def completed() -> None:
            done = await complete_sign_in(who or self.victim, sign_in_id, proof)
            assert done.state is SignInState.READY

        return await refusal_of(completed())

    async def connects(
        self,
        sign_in_id: SignInId,
        organisation_id: OrganisationId,
        who: Principal | None = None,
        *,
        client_id: ClientId,
        product: Product = Product.BOOKKEEPING,
    ) -> str | None:
        """Somebody connects a client with a sign-in."""
        asked = connect(
            who or self.victim,
            sign_in_id,
            client_id=client_id,
            product=product,
            organisation_id=organisation_id,
        )
        return await refusal_of(asked)

    async def client(self, desk: Desk | None = None) -> ClientId:
        return (await create_client((desk or self.desk).admin, NewClient(name="Ashford Bakery"))).id

    async def ready(
        self, who: Principal | None = None, login: Person | None = None, *books: Books
    ) -> tuple[SignInId, dict[str, OrganisationId]]:
        """A completed sign-in, and what it found by name."""
        ready = await self.desk.ready(login or self.kim, *books, principal=who)
        return ready.id, await self.organisations()

    async def connected(self, sign_in_id: SignInId, name: str, *, reason: Reason | None = None) -> Connection:
        """A connection to what a sign-in of the victim's found, of a client that is called the same."""
        organisation_id, credential_id, _ = (await self.desk.found(sign_in_id))[name]
        return await self.desk.connect(organisation_id, credential_id, reason=reason)

    async def organisations(self, desk: Desk | None = None) -> dict[str, OrganisationId]:
        """All that a practice knows of, by name."""
        practice_id = (desk or self.desk).practice_id
        rows = await self.desk.above.fetch(
            "SELECT name, id FROM organisation WHERE practice_id = $1", practice_id
        )
        return {row["name"]: OrganisationId(UUID(str(row["id"]))) for row in rows}

    async def snapshot(self) -> Snapshot:
        """Every row of these practices in every table."""
        practices = [self.desk.practice_id]
        if "elsewhere" in self.found:
            practices.append((await self.elsewhere()).practice_id)
        rows = await self.desk.above.fetch(_every_row(), practices)
        found: Snapshot = {table: [] for table in tenant_tables()}
        for row in rows:
            found[row["of"]].append(row["row"])
        return found

    async def exchanges(self) -> list[int]:
        """What the providers said to the codes that were to be exchanged."""
        entries = (await self.desk.sandbox.control("GET", "/log"))["entries"]
        return [each["status"] for each in entries if each["grant_type"] == "authorization_code"]


async def refusal_of(asked: Awaitable[object]) -> str | None:
    """The code that this is refused with."""
    try:
        await asked
    except TielineError as error:
        return error.code
    return None


@cache
def _every_row() -> str:
    return " UNION ALL ".join(
        f"(SELECT '{table}' AS of, to_jsonb(t)::text AS row FROM {table} AS t "
        f"WHERE {practice_column(table)} = ANY ($1::uuid[]) ORDER BY 2)"
        for table in tenant_tables()
    )
