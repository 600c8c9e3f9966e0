"""People of a single client: the page that lists them, and how they come and go."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from tieline.ids import ClientId, PersonId
from tieline.pages import DEFAULT_PAGE, Page
from tieline.practices.client_members import repository, service
from tieline.principal import ClientRole
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import GIVEN, read_id
from tieline_gateway.graphql.pages import PageInfo
from tieline_gateway.graphql.practices.types import Person
from tieline_gateway.graphql.user_errors import EXPECTED, UserError


@strawberry.type(description="A person's place at a client.")
class ClientMember:
    person: Person
    role: ClientRole
    created_at: datetime = strawberry.field(description="Since when the person belongs to the client.")

    @classmethod
    def of(cls, member: repository.ClientMember) -> ClientMember:
        return cls(person=Person.of(member.person), role=member.role, created_at=member.created_at)


@strawberry.type(description="Somebody of a client and where it stands in its list.")
class ClientMemberEdge:
    cursor: str
    node: ClientMember


@strawberry.type(description="A page of a client's people.")
class ClientMemberPage:
    nodes: list[ClientMember]
    edges: list[ClientMemberEdge]
    page_info: PageInfo
    total_count: int = strawberry.field(description="How many people the whole list has.")
    event_cursor: str = strawberry.field(description="Events after this cursor are what this page may lack.")

    @classmethod
    def of(cls, page: Page[repository.ClientMember]) -> ClientMemberPage:
        nodes = [ClientMember.of(member) for member in page.rows]
        return cls(
            nodes=nodes,
            edges=[
                ClientMemberEdge(cursor=cursor, node=node)
                for cursor, node in zip(page.cursors, nodes, strict=True)
            ],
            page_info=PageInfo.of(page),
            total_count=page.total,
            event_cursor=page.event_cursor,
        )


@strawberry.input(description="What somebody is to be at a client.")
class SetClientMemberInput:
    client_id: strawberry.ID
    person_id: strawberry.ID = strawberry.field(
        description="Anybody of the practice for its admins; for a client's administrators somebody of the client."
    )
    role: ClientRole


@strawberry.input(description="Somebody who is to leave a client.")
class RemoveClientMemberInput:
    client_id: strawberry.ID
    person_id: strawberry.ID


@strawberry.type(description="Somebody's place at a client that was given or changed.")
class SetClientMemberPayload:
    client_member: ClientMember | None = strawberry.field(
        description="As it is now; null when nothing changed."
    )
    errors: list[UserError]


@strawberry.type(description="Somebody who is no longer of a client.")
class RemoveClientMemberPayload:
    person: Person | None = strawberry.field(description="Null when nothing changed.")
    errors: list[UserError]


@strawberry.type
class ClientMemberQueries:
    @strawberry.field(
        description="The people of a client by name, without those who are deactivated: for members and services that "
        "see it, and for its administrators. Null, with an error, for others, and for a bad page size, cursor or id."
    )
    async def client_members(
        self,
        info: Info,
        client_id: Annotated[strawberry.ID, strawberry.argument(description="The client's id.")],
        first: Annotated[int, strawberry.argument(description="Rows a page, 1 to 200.")] = DEFAULT_PAGE,
        after: Annotated[str | None, strawberry.argument(description="A cursor of this same list.")] = None,
    ) -> ClientMemberPage | None:
        named = ClientId(read_id("client", client_id, field="clientId"))
        page = await service.list_client_members(info.context.principal, named, first=first, after=after)
        return ClientMemberPage.of(page)


@strawberry.type
class ClientMemberMutations:
    @strawberry.mutation(
        description="Let somebody administer or read a client. For practice admins and the client's administrators."
    )
    async def set_client_member(
        self, info: Info, input: Annotated[SetClientMemberInput, GIVEN]
    ) -> SetClientMemberPayload:
        try:
            client_id, person_id = _named(input)
            member = await service.set_client_member(info.context.principal, client_id, person_id, input.role)
        except EXPECTED as error:
            return SetClientMemberPayload(client_member=None, errors=UserError.of(error))
        return SetClientMemberPayload(client_member=ClientMember.of(member), errors=[])

    @strawberry.mutation(
        description="Take somebody away from a client. For practice admins and the client's administrators."
    )
    async def remove_client_member(
        self, info: Info, input: Annotated[RemoveClientMemberInput, GIVEN]
    ) -> RemoveClientMemberPayload:
        try:
            client_id, person_id = _named(input)
            person = await service.remove_client_member(info.context.principal, client_id, person_id)
        except EXPECTED as error:
            return RemoveClientMemberPayload(person=None, errors=UserError.of(error))
        return RemoveClientMemberPayload(person=Person.of(person), errors=[])


def _named(input: SetClientMemberInput | RemoveClientMemberInput) -> tuple[ClientId, PersonId]:
    """Raises NotFound for ids that are none."""
    return (
        ClientId(read_id("client", input.client_id, field="clientId")),
        PersonId(read_id("person", input.person_id, field="personId")),
    )
