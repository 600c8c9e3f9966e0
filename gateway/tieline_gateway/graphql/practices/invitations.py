"""Invitations: asking people in, and coming in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from tieline.ids import ClientId, InvitationId, PersonId, TeamId
from tieline.practices.invitations import accepting, repository, service
from tieline.practices.invitations.repository import ToClient, ToMember
from tieline.practices.invitations.service import NewInvitation
from tieline.principal import ClientAccess, ClientRole, Permission, Role
from tieline_gateway.graphql.clients.types import Client
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import GIVEN, read_id
from tieline_gateway.graphql.practices.types import Person
from tieline_gateway.graphql.user_errors import EXPECTED, UserError
from tieline_gateway.spending import BEGINNING_COST
from tieline_gateway.transport.rows import costing


@strawberry.type(
    description="Somebody who was asked in: to the practice where `role` is set, else to one client."
)
class Invitation:
    id: strawberry.ID
    email: str
    name: str
    role: Role | None
    permissions: list[Permission]
    client_access: ClientAccess | None
    client_role: ClientRole | None
    created_at: datetime
    expires_at: datetime
    client_id: strawberry.Private[ClientId | None]
    inviter: strawberry.Private[PersonId]

    @strawberry.field(description="The client that it is to; null for one to the practice.")
    async def client(self, info: Info) -> Client | None:
        if self.client_id is None:
            return None
        found = await info.context.loaders.client.load(self.client_id)
        return Client.of(found) if found else None

    @strawberry.field(description="Who invited.")
    async def invited_by(self, info: Info) -> Person | None:
        found = await info.context.loaders.person.load(self.inviter)
        return Person.of(found) if found else None

    @classmethod
    def of(cls, invitation: repository.Invitation) -> Invitation:
        member = invitation.to if isinstance(invitation.to, ToMember) else None
        client = invitation.to if isinstance(invitation.to, ToClient) else None
        return cls(
            id=strawberry.ID(str(invitation.id)),
            email=invitation.email,
            name=invitation.name,
            role=member.role if member else None,
            permissions=sorted(member.permissions) if member else [],
            client_access=member.client_access if member else None,
            client_role=client.role if client else None,
            created_at=invitation.created_at,
            expires_at=invitation.expires_at,
            client_id=client.client_id if client else None,
            inviter=invitation.invited_by,
        )


@strawberry.input(description="Somebody to ask into the practice.")
class InviteMemberInput:
    email: str = strawberry.field(description="Compared without regard to case.")
    name: str = strawberry.field(description="1 to 200 characters.")
    role: Role = Role.MEMBER
    permissions: list[Permission] = strawberry.field(
        default_factory=list, description="Admins hold all of them without being told."
    )
    client_access: ClientAccess = ClientAccess.ALL
    team_ids: list[strawberry.ID] = strawberry.field(default_factory=list, description="At most 200.")
    client_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Clients that one with LISTED access sees; at most 200."
    )

    def read(self) -> NewInvitation:
        """Raises NotFound for ids that are none."""
        return NewInvitation(
            email=self.email,
            name=self.name,
            role=self.role,
            permissions=frozenset(self.permissions),
            client_access=self.client_access,
            teams=tuple(TeamId(read_id("team", each, field="teamIds")) for each in self.team_ids),
            clients=tuple(ClientId(read_id("client", each, field="clientIds")) for each in self.client_ids),
        )


@strawberry.input(description="Somebody to ask to one client.")
class InviteClientMemberInput:
    client_id: strawberry.ID
    email: str = strawberry.field(description="Compared without regard to case.")
    name: str = strawberry.field(description="1 to 200 characters.")
    role: ClientRole


@strawberry.input(description="An invitation to end.")
class RevokeInvitationInput:
    id: strawberry.ID


@strawberry.input(description="What whoever was invited got.")
class AcceptInvitationInput:
    token: str


@strawberry.type(description="An invitation that was made.")
class InvitePayload:
    invitation: Invitation | None = strawberry.field(description="Null when none was made.")
    token: str | None = strawberry.field(
        description="For whoever is invited: `acceptInvitation` takes it once. It is shown here and never again."
    )
    errors: list[UserError]

    @classmethod
    def of(cls, issued: service.Issued) -> InvitePayload:
        return cls(invitation=Invitation.of(issued.invitation), token=issued.token.reveal(), errors=[])


@strawberry.type(description="An invitation that is over.")
class RevokeInvitationPayload:
    invitation: Invitation | None = strawberry.field(description="Null when nothing was ended.")
    errors: list[UserError]


@strawberry.type(description="The practice that the caller is a person of now.")
class AcceptInvitationPayload:
    practice_id: strawberry.ID | None = strawberry.field(
        description="For the header Tieline-Practice; null when nothing was accepted."
    )
    practice_name: str | None
    person_id: strawberry.ID | None
    errors: list[UserError]

    @classmethod
    def of(cls, accepted: accepting.Accepted) -> AcceptInvitationPayload:
        return cls(
            practice_id=strawberry.ID(str(accepted.practice_id)),
            practice_name=accepted.practice_name,
            person_id=strawberry.ID(str(accepted.person_id)),
            errors=[],
        )


@strawberry.type
class InvitationQueries:
    @strawberry.field(
        description="Invitations that are open, the newest first, at most 500 into the practice and 500 to clients: "
        "all of them for practice admins, for administrators of clients those to their clients, for others none."
    )
    async def invitations(self, info: Info) -> list[Invitation]:
        return [Invitation.of(found) for found in await service.list_invitations(info.context.principal)]


@strawberry.type
class InvitationMutations:
    @strawberry.mutation(
        description="Ask somebody into the practice; an earlier invitation of the address ends. For practice admins."
    )
    async def invite_member(self, info: Info, input: Annotated[InviteMemberInput, GIVEN]) -> InvitePayload:
        try:
            return InvitePayload.of(await service.invite_member(info.context.principal, input.read()))
        except EXPECTED as error:
            return InvitePayload(invitation=None, token=None, errors=UserError.of(error))

    @strawberry.mutation(
        description="Ask somebody to administer or read one client; an earlier invitation of the address to it ends. "
        "For practice admins and administrators of the client."
    )
    async def invite_client_member(
        self, info: Info, input: Annotated[InviteClientMemberInput, GIVEN]
    ) -> InvitePayload:
        try:
            issued = await service.invite_client_member(
                info.context.principal,
                ClientId(read_id("client", input.client_id, field="clientId")),
                email=input.email,
                name=input.name,
                role=input.role,
            )
        except EXPECTED as error:
            return InvitePayload(invitation=None, token=None, errors=UserError.of(error))
        return InvitePayload.of(issued)

    @strawberry.mutation(description="End an invitation that is open. For whoever may invite there.")
    async def revoke_invitation(
        self, info: Info, input: Annotated[RevokeInvitationInput, GIVEN]
    ) -> RevokeInvitationPayload:
        try:
            invitation_id = InvitationId(read_id("invitation", input.id))
            ended = await service.revoke_invitation(info.context.principal, invitation_id)
        except EXPECTED as error:
            return RevokeInvitationPayload(invitation=None, errors=UserError.of(error))
        return RevokeInvitationPayload(invitation=Invitation.of(ended), errors=[])

    @strawberry.mutation(
        description="Become what an invitation asks to. Call it over HTTP with a token of the issuer: it is the one "
        "thing that somebody may do who is no person of a practice yet. Repeated, the answer is the same.",
        metadata=costing(BEGINNING_COST),
    )
    async def accept_invitation(
        self, info: Info, input: Annotated[AcceptInvitationInput, GIVEN]
    ) -> AcceptInvitationPayload:
        try:
            accepted = await accepting.accept_invitation(await info.context.identity(), input.token)
        except EXPECTED as error:
            return AcceptInvitationPayload(
                practice_id=None, practice_name=None, person_id=None, errors=UserError.of(error)
            )
        return AcceptInvitationPayload.of(accepted)
