"""The schema put together from the slices; `schema.graphql` in the repository is its print."""

from __future__ import annotations

from functools import cache

import strawberry
from strawberry.schema.config import StrawberryConfig

from tieline_gateway.graphql.activity.queries import ActivityQueries
from tieline_gateway.graphql.clients.adding import ClientAdditionQueries, ClientAdditions
from tieline_gateway.graphql.clients.codes import PracticeCodeMutations, PracticeCodeQueries
from tieline_gateway.graphql.clients.editing import ClientEdits
from tieline_gateway.graphql.clients.export import ClientExports
from tieline_gateway.graphql.clients.mutations import ClientMutations
from tieline_gateway.graphql.clients.previews import ClientPreviews
from tieline_gateway.graphql.clients.queries import ClientQueries
from tieline_gateway.graphql.connections.bulk import BulkConnectQueries
from tieline_gateway.graphql.connections.changing import ConnectionChanges
from tieline_gateway.graphql.connections.integrators import IntegratorQueries
from tieline_gateway.graphql.connections.moving import MovingMutations, MovingQueries
from tieline_gateway.graphql.connections.mutations import ConnectionMutations
from tieline_gateway.graphql.connections.previews import ConnectionPreviews
from tieline_gateway.graphql.connections.queries import ConnectionQueries
from tieline_gateway.graphql.connections.settings import SettingsMutations
from tieline_gateway.graphql.events.subscriptions import EventSubscriptions
from tieline_gateway.graphql.execution import InTurns
from tieline_gateway.graphql.ledger.queries import LedgerQueries
from tieline_gateway.graphql.practices.api_keys import ApiKeyMutations, ApiKeyQueries
from tieline_gateway.graphql.practices.client_members import ClientMemberMutations, ClientMemberQueries
from tieline_gateway.graphql.practices.invitations import InvitationMutations, InvitationQueries
from tieline_gateway.graphql.practices.members import MemberMutations, MemberQueries
from tieline_gateway.graphql.practices.mutations import PracticeMutations
from tieline_gateway.graphql.practices.queries import PracticeQueries
from tieline_gateway.graphql.practices.teams import TeamMutations
from tieline_gateway.graphql.providers.queries import ProviderQueries
from tieline_gateway.graphql.scalars import SCALARS
from tieline_gateway.graphql.sign_ins.mutations import SignInMutations
from tieline_gateway.graphql.sign_ins.queries import SignInQueries
from tieline_gateway.graphql.sign_ins.subscriptions import SignInSubscriptions
from tieline_gateway.graphql.sync.many import SyncManyMutations
from tieline_gateway.graphql.sync.mutations import SyncMutations
from tieline_gateway.graphql.sync.queries import SyncQueries
from tieline_gateway.graphql.sync.subscriptions import SyncSubscriptions


@strawberry.type(description="Questions: they change nothing.")
class Query(
    PracticeQueries,
    MemberQueries,
    ApiKeyQueries,
    ClientMemberQueries,
    ActivityQueries,
    ClientQueries,
    ClientPreviews,
    ClientExports,
    ClientAdditionQueries,
    PracticeCodeQueries,
    ProviderQueries,
    SignInQueries,
    ConnectionQueries,
    ConnectionPreviews,
    BulkConnectQueries,
    MovingQueries,
    IntegratorQueries,
    SyncQueries,
    LedgerQueries,
    InvitationQueries,
):
    pass


@strawberry.type(
    description="Changes: each answers with what it changed, and with expected refusals as data."
)
class Mutation(
    PracticeMutations,
    TeamMutations,
    MemberMutations,
    ApiKeyMutations,
    ClientMemberMutations,
    ClientMutations,
    ClientEdits,
    ClientAdditions,
    PracticeCodeMutations,
    SignInMutations,
    ConnectionMutations,
    ConnectionChanges,
    MovingMutations,
    SettingsMutations,
    SyncMutations,
    SyncManyMutations,
    InvitationMutations,
):
    pass


@strawberry.type(description="What goes on, live, over a socket.")
class Subscription(SignInSubscriptions, SyncSubscriptions, EventSubscriptions):
    pass


@cache
def build_schema() -> strawberry.Schema:
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(scalar_map=SCALARS),
        execution_context_class=InTurns,
    )


def print_schema() -> str:
    """What `schema.graphql` holds."""
    return build_schema().as_str() + "\n"
