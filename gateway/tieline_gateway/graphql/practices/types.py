"""Viewer, practice, person and team."""

from __future__ import annotations

from datetime import datetime

import strawberry

from tieline.ids import TeamId
from tieline.practices import repository, service
from tieline.practices.plan import Plan
from tieline.principal import ClientAccess, ClientRole, Permission, Role
from tieline_gateway.graphql.context import Info

strawberry.enum(Plan, description="What the practice has bought.")
strawberry.enum(Role, description="What a member is in the practice.")
strawberry.enum(Permission, description="What a member may do.")
strawberry.enum(
    ClientAccess,
    description="Which clients a member sees: ALL, or those LISTED for it by name or looked after by its teams.",
)
strawberry.enum(
    ClientRole,
    description="What a person is at a client: an ADMINISTRATOR changes its connections and people, a READER looks.",
)


@strawberry.type(description="The firm: every row belongs to one, and callers see one at a time.")
class Practice:
    id: strawberry.ID
    name: str
    plan: Plan
    consent_life_days: int | None = strawberry.field(
        description="How long a consent lasts; null: consents do not run out by themselves."
    )
    syncs_paused_at: datetime | None = strawberry.field(
        description="Since when nothing is synced that nobody asks for; null: syncs come by themselves."
    )
    created_at: datetime

    @classmethod
    def of(cls, practice: repository.Practice) -> Practice:
        return cls(
            id=strawberry.ID(str(practice.id)),
            name=practice.name,
            plan=practice.plan,
            consent_life_days=practice.consent_life_days,
            syncs_paused_at=practice.syncs_paused_at,
            created_at=practice.created_at,
        )


@strawberry.type(description="Somebody of the practice.")
class Person:
    id: strawberry.ID
    name: str
    email: str | None = strawberry.field(
        description="For members and services. People of a client see their own, and its administrators those of the "
        "client's own people, but of nobody who is a member of the practice."
    )
    deactivated_at: datetime | None = strawberry.field(
        description="Since when the person may no longer come in; null for who may."
    )

    @classmethod
    def of(cls, person: repository.Person) -> Person:
        return cls(
            id=strawberry.ID(str(person.id)),
            name=person.name,
            email=person.email,
            deactivated_at=person.deactivated_at,
        )


@strawberry.type(description="A group of members who look after the same clients.")
class Team:
    id: strawberry.ID
    name: str
    key: strawberry.Private[TeamId]

    @strawberry.field(description="How many members it has who are not deactivated.")
    async def member_count(self, info: Info) -> int:
        size = await info.context.loaders.team_size.load(self.key)
        return size.members if size else 0

    @strawberry.field(description="How many clients it looks after, of those that the caller sees.")
    async def client_count(self, info: Info) -> int:
        size = await info.context.loaders.team_size.load(self.key)
        return size.clients if size else 0

    @classmethod
    def of(cls, team: repository.Team) -> Team:
        return cls(id=strawberry.ID(str(team.id)), name=team.name, key=team.id)


@strawberry.type(
    description="The caller: the person or service behind the API key or token, in its practice."
)
class Viewer:
    practice: Practice
    person: Person | None = strawberry.field(description="Null for a service key.")
    role: Role | None = strawberry.field(
        description="Null for services, and for people who only belong to single clients."
    )
    permissions: list[Permission] = strawberry.field(
        description="What the caller may do, the scopes of its key considered."
    )

    @strawberry.field(description="The practice's teams by name; for members of the practice.")
    async def teams(self, info: Info) -> list[Team]:
        return [Team.of(team) for team in await service.list_teams(info.context.principal)]

    @classmethod
    def of(cls, viewer: service.Viewer) -> Viewer:
        principal = viewer.principal
        return cls(
            practice=Practice.of(viewer.practice),
            person=Person.of(viewer.person) if viewer.person else None,
            role=principal.role,
            permissions=[permission for permission in Permission if principal.may(permission)],
        )
