"""One line of the activity, and the page that lists them."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

import strawberry
from strawberry.utils.str_converters import to_camel_case

from tieline.activity import repository
from tieline.activity.kinds import kinds
from tieline.ids import ClientId, PersonId
from tieline.pages import Page
from tieline_gateway.graphql.clients.types import Client
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.kinds import enum_of, member_of
from tieline_gateway.graphql.pages import PageInfo
from tieline_gateway.graphql.practices.types import Person

ActivityKind = enum_of(
    "ActivityKind",
    kinds(),
    description="What was done. Later versions add kinds: treat one that you do not know like OTHER.",
    other="A kind that this server does not know, written by a newer one. As a filter it finds nothing.",
)


@strawberry.type(description="One more thing that is known of what was done: ids, and words of this API.")
class ActivityDetail:
    name: str
    values: list[str] = strawberry.field(description="None where it was set to nothing; several of a list.")


@strawberry.type(description="The API key that something was done with, also when it has ended.")
class ActivityKey:
    id: strawberry.ID
    name: str
    prefix: str = strawberry.field(description="How its secret begins.")


@strawberry.type(
    description="Something that a person or a service did. What the system does by itself is none."
)
class Activity:
    at: datetime
    kind: Enum = strawberry.field(graphql_type=ActivityKind)
    person_id: strawberry.ID | None = strawberry.field(description="Null for a service.")
    service: str | None = strawberry.field(description="What the service's key is called; null for a person.")
    api_key: ActivityKey | None = strawberry.field(
        description="What it was done with; null for a token of the issuer, and for who came by an invitation."
    )
    client_id: strawberry.ID | None = strawberry.field(description="Whose it was, also when it is gone.")
    subject_id: strawberry.ID | None = strawberry.field(
        description="What it was done to: the connection, sync, sign-in, person, team, key or invitation."
    )
    details: list[ActivityDetail]
    person_key: strawberry.Private[PersonId | None]
    client_key: strawberry.Private[ClientId | None]

    @strawberry.field(description="Who did it; null for a service.", graphql_type=Person | None)
    def person(self, info: Info) -> Awaitable[Person | None] | None:
        return _person(info, self.person_key) if self.person_key else None

    @strawberry.field(
        description="Null where none is meant, and when it is gone.", graphql_type=Client | None
    )
    def client(self, info: Info) -> Awaitable[Client | None] | None:
        return _client(info, self.client_key) if self.client_key else None

    @classmethod
    def of(cls, done: repository.Activity) -> Activity:
        return cls(
            at=done.at,
            kind=member_of(ActivityKind, done.kind),
            person_id=_id(done.person_id),
            service=done.key.name if done.key and done.person_id is None else None,
            api_key=_key(done.key),
            client_id=_id(done.client_id),
            subject_id=_id(done.subject_id),
            details=[
                ActivityDetail(name=to_camel_case(name), values=_values(value))
                for name, value in done.details.items()
            ],
            person_key=done.person_id,
            client_key=done.client_id,
        )


@strawberry.type(description="Something that was done, and where it stands in its list.")
class ActivityEdge:
    cursor: str
    node: Activity


@strawberry.type(description="A page of what was done, the latest first.")
class ActivityPage:
    nodes: list[Activity]
    edges: list[ActivityEdge]
    page_info: PageInfo
    total_count: int = strawberry.field(description="How many lines the whole list has.")
    event_cursor: str = strawberry.field(description="Events after this cursor are what this page may lack.")

    @classmethod
    def of(cls, page: Page[repository.Activity]) -> ActivityPage:
        nodes = [Activity.of(done) for done in page.rows]
        return cls(
            nodes=nodes,
            edges=[
                ActivityEdge(cursor=cursor, node=node)
                for cursor, node in zip(page.cursors, nodes, strict=True)
            ],
            page_info=PageInfo.of(page),
            total_count=page.total,
            event_cursor=page.event_cursor,
        )


async def _person(info: Info, person_id: PersonId) -> Person | None:
    found = await info.context.loaders.person.load(person_id)
    return Person.of(found) if found else None


async def _client(info: Info, client_id: ClientId) -> Client | None:
    found = await info.context.loaders.client.load(client_id)
    return Client.of(found) if found else None


def _key(used: repository.KeyUsed | None) -> ActivityKey | None:
    if used is None:
        return None
    return ActivityKey(id=strawberry.ID(str(used.id)), name=used.name, prefix=used.prefix)


def _id(id: UUID | None) -> strawberry.ID | None:
    return strawberry.ID(str(id)) if id else None


def _values(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, list):
        return [str(each) for each in value]
    return [str(value).lower() if isinstance(value, bool) else str(value)]
