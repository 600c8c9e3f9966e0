"""Members of the practice: questions about them, and changes to them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from tieline.ids import ClientId, PersonId, TeamId
from tieline.pages import DEFAULT_PAGE, Page
from tieline.practices.api_keys.ending import HandedOver
from tieline.practices.api_keys.service import MAX_KEYS
from tieline.practices.members import repository, service
from tieline.practices.members.service import MemberChange
from tieline.principal import ClientAccess, Permission, Role
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import GIVEN, read_id
from tieline_gateway.graphql.pages import PageInfo
from tieline_gateway.graphql.practices.api_keys import MANY_KEYS, ApiKey, shown
from tieline_gateway.graphql.practices.types import Person, Team
from tieline_gateway.graphql.user_errors import EXPECTED, UserError
from tieline_gateway.transport.rows import RowsOf


@strawberry.type(
    description="A person's place in the practice. Practice admins hold all permissions and see all clients."
)
class Member:
    person: Person
    role: Role
    permissions: list[Permission] = strawberry.field(
        description="What it was given; an admin holds all of them."
    )
    client_access: ClientAccess
    listed_clients: int = strawberry.field(
        description="How many clients are listed for it by name: `clients(listedFor:)` shows them."
    )
    integrates: int = strawberry.field(
        description="How many connections hang on its logins, but for those that a person has disconnected. "
        "`connections(integratedBy:)` shows both."
    )
    created_at: datetime = strawberry.field(description="Since when it is a member.")
    team_ids: strawberry.Private[tuple[TeamId, ...]]

    @strawberry.field(description="The teams it is in, by name.")
    async def teams(self, info: Info) -> list[Team]:
        found = await info.context.loaders.team.load_many(list(self.team_ids))
        return sorted((Team.of(team) for team in found if team), key=lambda team: (team.name, team.id))

    @classmethod
    def of(cls, member: repository.Member) -> Member:
        return cls(
            person=Person.of(member.person),
            role=member.role,
            permissions=list(member.permissions),
            client_access=member.client_access,
            listed_clients=member.listed_clients,
            integrates=member.integrates,
            created_at=member.created_at,
            team_ids=member.team_ids,
        )


@strawberry.type(description="A member and where it stands in its list.")
class MemberEdge:
    cursor: str
    node: Member


@strawberry.type(description="A page of members.")
class MemberPage:
    nodes: list[Member]
    edges: list[MemberEdge]
    page_info: PageInfo
    total_count: int = strawberry.field(description="How many members the whole list has.")
    event_cursor: str = strawberry.field(description="Events after this cursor are what this page may lack.")

    @classmethod
    def of(cls, page: Page[repository.Member]) -> MemberPage:
        nodes = [Member.of(member) for member in page.rows]
        return cls(
            nodes=nodes,
            edges=[
                MemberEdge(cursor=cursor, node=node) for cursor, node in zip(page.cursors, nodes, strict=True)
            ],
            page_info=PageInfo.of(page),
            total_count=page.total,
            event_cursor=page.event_cursor,
        )


@strawberry.input(
    description="What is to be otherwise with a member; what is left out or null stays as it is."
)
class UpdateMemberInput:
    person_id: strawberry.ID
    role: Role | None = None
    permissions: list[Permission] | None = strawberry.field(
        default=None, description="All that it is to hold."
    )
    client_access: ClientAccess | None = None
    team_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="All teams that it is to be in, at most 200."
    )
    client_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="All clients that are to be listed for it by name, at most 5,000."
    )

    def read(self) -> tuple[PersonId, MemberChange]:
        """Raises NotFound for ids that are none."""
        person_id = PersonId(read_id("member", self.person_id, field="personId"))
        teams, clients = self.team_ids, self.client_ids
        return person_id, MemberChange(
            role=self.role,
            permissions=None if self.permissions is None else frozenset(self.permissions),
            client_access=self.client_access,
            team_ids=None if teams is None else [TeamId(_id("team", one, "teamIds")) for one in teams],
            client_ids=None
            if clients is None
            else [ClientId(_id("client", one, "clientIds")) for one in clients],
        )


def _id(kind: str, given: strawberry.ID, field: str) -> UUID:
    return read_id(kind, given, field=field)


@strawberry.input(description="Somebody who is to come in no more.")
class DeactivatePersonInput:
    person_id: strawberry.ID
    and_keys_of_services: bool = strawberry.field(
        default=False,
        description="End also the keys of services that it made, at once: what runs by them stops.",
    )


@strawberry.input(description="Somebody who is to come in again.")
class ReactivatePersonInput:
    person_id: strawberry.ID


@strawberry.type(description="A member that was changed.")
class UpdateMemberPayload:
    member: Member | None = strawberry.field(description="As it is now; null when nothing changed.")
    errors: list[UserError]


@strawberry.type(description="Somebody who was deactivated.")
class DeactivatePersonPayload:
    person: Person | None = strawberry.field(description="As it is now; null when nothing changed.")
    revoked_keys: list[ApiKey] = strawberry.field(
        description="The first 1,000 of the keys that it had made for others and that ended now: those that act as "
        "other people, and with `andKeysOfServices` those of services.",
        metadata=MANY_KEYS,
    )
    revoked_key_count: int = strawberry.field(description="How many that are in all.")
    keys_to_replace: list[ApiKey] = strawberry.field(
        description="Keys that it made and may know, and that work on: of services, at most 100, and the one that this "
        "is called with.",
        metadata=RowsOf(part=None, most=MAX_KEYS + 1).declared,
    )
    errors: list[UserError]


@strawberry.type(description="Somebody who was reactivated.")
class PersonPayload:
    person: Person | None = strawberry.field(description="As it is now; null when nothing changed.")
    errors: list[UserError]


def _deactivated(person: Person | None, keys: HandedOver, errors: list[UserError]) -> DeactivatePersonPayload:
    return DeactivatePersonPayload(
        person=person,
        revoked_keys=shown(keys.revoked),
        revoked_key_count=len(keys.revoked),
        keys_to_replace=[ApiKey.of(key) for key in keys.remaining[: MAX_KEYS + 1]],
        errors=errors,
    )


@strawberry.type
class MemberQueries:
    @strawberry.field(
        description="The members of the practice by name, for members and services. Null, with an error, for others, "
        "and for a bad page size, cursor, search or id."
    )
    async def members(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description="Rows a page, 1 to 200.")] = DEFAULT_PAGE,
        after: Annotated[
            str | None,
            strawberry.argument(
                description="A cursor of this same list: another search or filter refuses it."
            ),
        ] = None,
        search: Annotated[
            str | None,
            strawberry.argument(
                description="Each word must begin a word of the name; case and accents do not count."
            ),
        ] = None,
        role: Annotated[Role | None, strawberry.argument(description="Only with this role.")] = None,
        team_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only of this team.")
        ] = None,
        *,
        deactivated: Annotated[
            bool, strawberry.argument(description="Those who are deactivated, in place of those who are not.")
        ] = False,
    ) -> MemberPage | None:
        page = await service.list_members(
            info.context.principal,
            search=search,
            role=role,
            team_id=None if team_id is None else TeamId(read_id("team", team_id, field="teamId")),
            deactivated=deactivated,
            first=first,
            after=after,
        )
        return MemberPage.of(page)

    @strawberry.field(
        description="One member, for members and services. Unknown: the error NOT_FOUND; for others: FORBIDDEN."
    )
    async def member(
        self,
        info: Info,
        person_id: Annotated[strawberry.ID, strawberry.argument(description="The person's id.")],
    ) -> Member | None:
        named = PersonId(read_id("member", person_id, field="personId"))
        return Member.of(await service.get_member(info.context.principal, named))


@strawberry.type
class MemberMutations:
    @strawberry.mutation(
        description="Change a member's role, permissions and which clients it sees. For practice admins."
    )
    async def update_member(
        self, info: Info, input: Annotated[UpdateMemberInput, GIVEN]
    ) -> UpdateMemberPayload:
        try:
            person_id, change = input.read()
            member = await service.update_member(info.context.principal, person_id, change)
        except EXPECTED as error:
            return UpdateMemberPayload(member=None, errors=UserError.of(error))
        return UpdateMemberPayload(member=Member.of(member), errors=[])

    @strawberry.mutation(
        description="End at once what a person may in the practice and with its clients, its API keys, and those that "
        "it made to act as others. Its place is kept for a return, and what hangs on its logins goes on. For practice "
        "admins. Done again, it ends what is left of these keys."
    )
    async def deactivate_person(
        self, info: Info, input: Annotated[DeactivatePersonInput, GIVEN]
    ) -> DeactivatePersonPayload:
        try:
            person_id = PersonId(read_id("person", input.person_id, field="personId"))
            gone = await service.deactivate_person(
                info.context.principal, person_id, and_keys_of_services=input.and_keys_of_services
            )
        except EXPECTED as error:
            return _deactivated(None, HandedOver(), UserError.of(error))
        return _deactivated(Person.of(gone.person), gone.keys, [])

    @strawberry.mutation(
        description="Let a person come in again, with the place that it had; API keys that ended stay so. For practice "
        "admins."
    )
    async def reactivate_person(
        self, info: Info, input: Annotated[ReactivatePersonInput, GIVEN]
    ) -> PersonPayload:
        try:
            person_id = PersonId(read_id("person", input.person_id, field="personId"))
            person = await service.reactivate_person(info.context.principal, person_id)
        except EXPECTED as error:
            return PersonPayload(person=None, errors=UserError.of(error))
        return PersonPayload(person=Person.of(person), errors=[])
