"""A practice with people in it, and what they say to the API: GraphQL in, JSON out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from tieline.ids import PersonId, PracticeId, TeamId, new_id
from tieline.practices import service
from tieline.practices.keys import issue_key
from tieline.practices.plan import Plan
from tieline.practices.service import NewMember
from tieline.principal import ClientAccess, Permission, Role

CREATE = (
    "mutation($input: CreateClientInput!) { createClient(input: $input) { client { id } errors { code } } }"
)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Somebody with a key."""

    http: httpx.AsyncClient = field(repr=False)
    key: str = field(repr=False)
    practice_id: PracticeId
    person_id: PersonId | None

    async def post(self, query: str, **variables: Any) -> httpx.Response:
        return await self.http.post(
            "/graphql",
            json={"query": query, "variables": variables},
            headers={"authorization": f"Bearer {self.key}"},
        )

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The answer's data; an error fails the test."""
        answer: dict[str, Any] = (await self.post(query, **variables)).json()
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    async def codes(self, query: str, **variables: Any) -> list[str]:
        """The codes of the answer's errors."""
        answer = (await self.post(query, **variables)).json()
        return [error["extensions"]["code"] for error in answer.get("errors", [])]

    async def create_client(self, name: str, **details: Any) -> str:
        """The new client's id; a refusal fails the test."""
        payload = (await self.ask(CREATE, input={"name": name, **details}))["createClient"]
        assert payload["errors"] == [], payload
        client_id: str = payload["client"]["id"]
        return client_id


@dataclass(frozen=True, kw_only=True)
class Firm:
    """A practice of its own for one test."""

    http: httpx.AsyncClient = field(repr=False)
    practice_id: PracticeId
    admin: Caller

    async def member(
        self,
        *permissions: Permission,
        role: Role = Role.MEMBER,
        clients: ClientAccess = ClientAccess.ALL,
        scopes: frozenset[Permission] | None = None,
    ) -> Caller:
        """A new member with a key."""
        member = NewMember(
            name="Some Member",
            email=f"{new_id()}@firm.invalid",
            role=role,
            permissions=frozenset(permissions),
            client_access=clients,
        )
        person_id = await service.add_member(self.practice_id, member)
        return await self.caller(person_id, scopes=scopes)

    async def caller(
        self, person_id: PersonId | None, *, scopes: frozenset[Permission] | None = None
    ) -> Caller:
        """A key for this person, or for a service."""
        issued = await issue_key(self.practice_id, name="test", person_id=person_id, scopes=scopes)
        return Caller(
            http=self.http, key=issued.secret.reveal(), practice_id=self.practice_id, person_id=person_id
        )

    async def team(self, name: str) -> TeamId:
        return await service.create_team(self.practice_id, name)


async def open_firm(http: httpx.AsyncClient, *, plan: Plan = Plan.ADVANCED) -> Firm:
    """A new practice with one admin."""
    first = NewMember(name="The Admin", email="admin@firm.invalid", role=Role.ADMIN)
    made = await service.create_practice(f"Firm {new_id()}", admin=first, plan=plan)
    issued = await issue_key(made.id, name="admin", person_id=made.admin_id)
    admin = Caller(http=http, key=issued.secret.reveal(), practice_id=made.id, person_id=made.admin_id)
    return Firm(http=http, practice_id=made.id, admin=admin)


def unknown_id() -> str:
    return str(UUID(int=new_id().int))
