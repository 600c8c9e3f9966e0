"""Connection, the organisation it is to, and pages of connections."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from tieline.connections import states
from tieline.connections.organisations import repository as organisations
from tieline.connections.repository import Connection as ConnectionRecord
from tieline.connections.settings.service import Settled
from tieline.connections.states import Reason, Remedy, Status
from tieline.connections.warnings.ends import Warned
from tieline.ids import ClientId, ConnectionId, OrganisationId, PersonId
from tieline.pages import DEFAULT_PAGE, Page
from tieline.plugins import Product
from tieline.sync import service as syncs
from tieline_gateway.graphql.clients.types import Client
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.pages import PageInfo
from tieline_gateway.graphql.practices.types import Person
from tieline_gateway.graphql.providers.quotas import Quota
from tieline_gateway.graphql.providers.settings import ConnectionSetting
from tieline_gateway.graphql.providers.types import Provider, load_provider
from tieline_gateway.graphql.sync.types import SyncRun, SyncRunPage

strawberry.enum(
    Status,
    name="ConnectionStatus",
    description="What a client's line shows, for one product. A MISMATCH is also CONNECTED.",
)
strawberry.enum(Reason, name="ConnectionReason", description="Why a connection is EXPIRED.")
strawberry.enum(Remedy, name="ConnectionRemedy", description="The action that mends a bad state.")


@strawberry.type(description="One set of books at a provider.")
class Organisation:
    id: strawberry.ID
    name: str = strawberry.field(description="As the provider's users call it.")
    legal_name: str | None = strawberry.field(description="Null until its details have been read.")
    country: str | None = strawberry.field(description="ISO 3166 alpha-2, such as GB.")
    currency: str | None = strawberry.field(description="ISO 4217, such as GBP.")
    external_id: str = strawberry.field(description="The provider's own id for it.")
    key: strawberry.Private[OrganisationId]
    provider_slug: strawberry.Private[str]

    @strawberry.field(description="Where its books are.")
    async def provider(self, info: Info) -> Provider:
        return await load_provider(info, self.provider_slug)

    @classmethod
    def of(cls, organisation: organisations.Organisation) -> Organisation:
        return cls(
            id=strawberry.ID(str(organisation.id)),
            name=organisation.name,
            legal_name=organisation.legal_name,
            country=organisation.country,
            currency=organisation.currency,
            external_id=organisation.external_id,
            key=organisation.id,
            provider_slug=organisation.provider,
        )


@strawberry.type(description="Whose consent a connection hangs on. Rights never depend on it.")
class IntegratedBy:
    login: str | None = strawberry.field(description="The provider's own name for who signed in.")
    person_id: strawberry.Private[PersonId]

    @strawberry.field(description="Who signed in.")
    async def person(self, info: Info) -> Person | None:
        found = await info.context.loaders.person.load(self.person_id)
        return Person.of(found) if found else None


@strawberry.type(description="Something about a connection that works, and will not for long.")
class ConnectionWarning:
    reason: Reason = strawberry.field(description="Why it will be EXPIRED.")
    expires_at: datetime = strawberry.field(description="When.")
    days: int = strawberry.field(description="In at most so many days: 30, 7 or 1.")
    explanation: str = strawberry.field(description="A sentence for people, in English.")

    @classmethod
    def of(cls, warned: Warned) -> ConnectionWarning:
        return cls(
            reason=warned.reason,
            expires_at=warned.expires_at,
            days=warned.days,
            explanation=warned.explanation,
        )


@strawberry.type(description="A record of the organisation's books that a setting names.")
class SettingRecord:
    name: str | None = strawberry.field(description="Null where the provider has none for it.")
    active: bool = strawberry.field(description="False where it was archived since; choose another one.")


@strawberry.type(description="A setting of a connection, and its value.")
class ConnectionSettingValue:
    setting: ConnectionSetting
    value: str | None = strawberry.field(
        description="By the setting's kind; null for a RECORD that names none."
    )
    is_default: bool = strawberry.field(description="Whether it is the setting's default.")
    record: SettingRecord | None = strawberry.field(
        description="What a RECORD names; null where that is gone, or its books are not this connection's any more."
    )

    @classmethod
    def of(cls, settled: Settled) -> ConnectionSettingValue:
        record = settled.record
        return cls(
            setting=ConnectionSetting.of(settled.setting),
            value=settled.value,
            is_default=settled.is_default,
            record=SettingRecord(name=record.name, active=record.active) if record else None,
        )


@strawberry.type(description="A client's product, connected to an organisation through somebody's consent.")
class Connection:
    id: strawberry.ID
    product: Product
    statuses: list[Status] = strawberry.field(description="One, or two: a mismatch is also connected.")
    reason: Reason | None = strawberry.field(description="Why it is EXPIRED.")
    remedy: Remedy | None = strawberry.field(
        description="The action that mends it; null where nothing is wrong, and for one that has ended."
    )
    explanation: str | None = strawberry.field(
        description="A sentence for people, in English; null where nothing is wrong."
    )
    integrated_by: IntegratedBy
    connected_at: datetime
    ended_at: datetime | None = strawberry.field(
        description="Null while it is current; another one took its place, or its client was deleted."
    )
    key: strawberry.Private[ConnectionId]
    client_id: strawberry.Private[ClientId]
    organisation_id: strawberry.Private[OrganisationId]
    provider_slug: strawberry.Private[str]

    @strawberry.field(description="Null when it has been deleted this very moment.")
    async def client(self, info: Info) -> Client | None:
        found = await info.context.loaders.client.load(self.client_id)
        return Client.of(found) if found else None

    @strawberry.field(description="Null when it has been removed this very moment.")
    async def organisation(self, info: Info) -> Organisation | None:
        found = await info.context.loaders.organisation.load(self.organisation_id)
        return Organisation.of(found) if found else None

    @strawberry.field(
        description="What people should know ahead: that it expires within 30 days, unless reconnected."
    )
    async def warnings(self, info: Info) -> list[ConnectionWarning]:
        found = await info.context.loaders.warning.load(self.key)
        return [ConnectionWarning.of(found)] if found else []

    @strawberry.field(
        description="What is settled about it, by what its provider declares. It stays through a reconnect, and a "
        "connection that takes its place begins with the defaults."
    )
    async def settings(self, info: Info) -> list[ConnectionSettingValue]:
        settled = await info.context.loaders.settings.load(self.key)
        return [ConnectionSettingValue.of(each) for each in settled]

    @strawberry.field(description="When the organisation's data was last brought up to date; null for never.")
    async def last_synced_at(self, info: Info) -> datetime | None:
        found = await info.context.loaders.organisation.load(self.organisation_id)
        return found.last_synced_at if found else None

    @strawberry.field(
        description="The latest sync of its organisation, perhaps under way; null for none yet."
    )
    async def last_run(self, info: Info) -> SyncRun | None:
        found = await info.context.loaders.last_run.load(self.key)
        return SyncRun.of(found) if found else None

    @strawberry.field(
        description="The syncs of its organisation, the latest first. Null, with an error, for a bad page size or "
        "cursor."
    )
    async def sync_runs(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description="Rows a page, 1 to 200.")] = DEFAULT_PAGE,
        after: Annotated[str | None, strawberry.argument(description="A cursor of this same list.")] = None,
    ) -> SyncRunPage | None:
        return SyncRunPage.of(
            await syncs.list_runs(info.context.principal, self.key, first=first, after=after)
        )

    @strawberry.field(
        description="What the provider's limits allow its organisation; with the limits and the blocks of the app, but "
        "for who only belongs to clients. Null where it is disconnected or has ended."
    )
    async def quota(self, info: Info) -> Quota | None:
        found = await info.context.loaders.quota_of_connection.load(self.key)
        return Quota.of(found) if found else None

    @strawberry.field(description="Where its organisation's books are.")
    async def provider(self, info: Info) -> Provider:
        return await load_provider(info, self.provider_slug)

    @classmethod
    def of(cls, connection: ConnectionRecord) -> Connection:
        ended = connection.ended_at is not None
        return cls(
            id=strawberry.ID(str(connection.id)),
            product=connection.product,
            statuses=list(states.statuses(connection.status)),
            reason=connection.reason,
            remedy=None if ended else states.remedy(connection.status, connection.reason),
            explanation=states.ENDED if ended else states.explanation(connection.status, connection.reason),
            integrated_by=IntegratedBy(login=connection.login, person_id=connection.integrated_by),
            connected_at=connection.connected_at,
            ended_at=connection.ended_at,
            key=connection.id,
            client_id=connection.client_id,
            organisation_id=connection.organisation_id,
            provider_slug=connection.provider,
        )


@strawberry.type(description="A connection and where it stands in its list.")
class ConnectionEdge:
    cursor: str
    node: Connection


@strawberry.type(description="A page of connections.")
class ConnectionPage:
    nodes: list[Connection]
    edges: list[ConnectionEdge]
    page_info: PageInfo
    total_count: int = strawberry.field(description="How many connections the whole list has.")
    event_cursor: str = strawberry.field(description="Events after this cursor are what this page may lack.")

    @classmethod
    def of(cls, page: Page[ConnectionRecord]) -> ConnectionPage:
        nodes = [Connection.of(connection) for connection in page.rows]
        edges = zip(page.cursors, nodes, strict=True)
        return cls(
            nodes=nodes,
            edges=[ConnectionEdge(cursor=cursor, node=node) for cursor, node in edges],
            page_info=PageInfo.of(page),
            total_count=page.total,
            event_cursor=page.event_cursor,
        )
