"""API keys: the page that lists them, and how they are made and ended."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import strawberry

from tieline import clock
from tieline.ids import ApiKeyId, PersonId
from tieline.pages import DEFAULT_PAGE, Page
from tieline.practices.api_keys import service
from tieline.practices.api_keys.service import NewKey
from tieline.practices.repository import KeyRecord
from tieline.principal import Permission
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.inputs import GIVEN, read_id
from tieline_gateway.graphql.pages import PageInfo
from tieline_gateway.graphql.practices.types import Person
from tieline_gateway.graphql.user_errors import EXPECTED, UserError
from tieline_gateway.transport.rows import RowsOf

MOST_KEYS = 1_000
MANY_KEYS = RowsOf(part=None, most=MOST_KEYS).declared
"""Of a list of keys that ended at once: one person's are at most 100, but there are many people."""


@strawberry.enum(description="Whether a key lets anybody in.")
class ApiKeyState(StrEnum):
    WORKS = "WORKS"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"


@strawberry.type(description="An API key, without its secret: that was shown once, and only a hash is kept.")
class ApiKey:
    id: strawberry.ID
    name: str
    prefix: str = strawberry.field(description="How the secret begins.")
    scopes: list[Permission] | None = strawberry.field(
        description="What the key is narrowed to; null: all that the person may."
    )
    state: ApiKeyState
    created_at: datetime
    expires_at: datetime | None = strawberry.field(description="Null: it works until it is revoked.")
    revoked_at: datetime | None
    last_used_at: datetime | None = strawberry.field(
        description="When it was used, to the hour; null: never yet."
    )
    made_with_id: strawberry.ID | None = strawberry.field(
        description="The key that it was made with; null for a token of the issuer, and on the command line."
    )
    person_key: strawberry.Private[PersonId | None]
    maker_key: strawberry.Private[PersonId | None]

    @strawberry.field(description="Whom it acts as; null for a service.", graphql_type=Person | None)
    def person(self, info: Info) -> Awaitable[Person | None] | None:
        return _person(info, self.person_key) if self.person_key else None

    @strawberry.field(
        description="Who made it, and was shown its secret; null on the command line.",
        graphql_type=Person | None,
    )
    def made_by(self, info: Info) -> Awaitable[Person | None] | None:
        return _person(info, self.maker_key) if self.maker_key else None

    @classmethod
    def of(cls, key: KeyRecord) -> ApiKey:
        return cls(
            id=strawberry.ID(str(key.id)),
            name=key.name,
            prefix=key.prefix,
            scopes=None if key.scopes is None else [Permission(each) for each in key.scopes],
            state=ApiKeyState(key.state(clock.now()).upper()),
            created_at=key.created_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
            last_used_at=key.last_used_at,
            made_with_id=strawberry.ID(str(key.made_with)) if key.made_with else None,
            person_key=key.person_id,
            maker_key=key.made_by,
        )


def shown(keys: Sequence[KeyRecord]) -> list[ApiKey]:
    return [ApiKey.of(key) for key in keys[:MOST_KEYS]]


async def _person(info: Info, person_id: PersonId) -> Person | None:
    found = await info.context.loaders.person.load(person_id)
    return Person.of(found) if found else None


@strawberry.type(description="A key and where it stands in its list.")
class ApiKeyEdge:
    cursor: str
    node: ApiKey


@strawberry.type(description="A page of API keys, the latest first.")
class ApiKeyPage:
    nodes: list[ApiKey]
    edges: list[ApiKeyEdge]
    page_info: PageInfo
    total_count: int = strawberry.field(description="How many keys the whole list has.")
    event_cursor: str = strawberry.field(description="Events after this cursor are what this page may lack.")

    @classmethod
    def of(cls, page: Page[KeyRecord]) -> ApiKeyPage:
        nodes = [ApiKey.of(key) for key in page.rows]
        return cls(
            nodes=nodes,
            edges=[
                ApiKeyEdge(cursor=cursor, node=node) for cursor, node in zip(page.cursors, nodes, strict=True)
            ],
            page_info=PageInfo.of(page),
            total_count=page.total,
            event_cursor=page.event_cursor,
        )


@strawberry.input(description="A new API key: the caller's own, unless somebody else or a service is named.")
class CreateApiKeyInput:
    name: str = strawberry.field(description="What it is for; 1 to 200 characters.")
    person_id: strawberry.ID | None = strawberry.field(
        default=None, description="Whom it acts as; left out: the caller. Others only by practice admins."
    )
    for_service: bool = strawberry.field(
        default=False, description="A key of a service, which acts as nobody. Only by practice admins."
    )
    scopes: list[Permission] | None = strawberry.field(
        default=None,
        description="What it is narrowed to; none but reading for an empty list. A service's has to name them, and so "
        "has one that is made with a key that is narrowed itself.",
    )
    expires_at: datetime | None = strawberry.field(
        default=None, description="Within ten years, and not after the key that it is made with."
    )

    def read(self) -> NewKey:
        """Raises NotFound for a person's id that is none."""
        return NewKey(
            name=self.name,
            person_id=None
            if self.person_id is None
            else PersonId(read_id("person", self.person_id, field="personId")),
            for_service=self.for_service,
            scopes=None if self.scopes is None else frozenset(self.scopes),
            expires_at=self.expires_at,
        )


@strawberry.input(description="An API key to end.")
class RevokeApiKeyInput:
    id: strawberry.ID
    and_made_with_it: bool = strawberry.field(
        default=False,
        description="End also those that were made with it and still work, and with those, and so on: for a key that "
        "leaked. Where some are not the caller's own, for practice admins.",
    )


@strawberry.type(description="An API key that was made.")
class CreateApiKeyPayload:
    api_key: ApiKey | None = strawberry.field(description="Null when none was made.")
    secret: str | None = strawberry.field(
        description="What to send as the bearer token. It is shown this once; null when none was made."
    )
    errors: list[UserError]


@strawberry.type(description="An API key that was ended.")
class RevokeApiKeyPayload:
    api_key: ApiKey | None = strawberry.field(description="As it is now; null when nothing changed.")
    also_revoked: list[ApiKey] = strawberry.field(
        description="The first 1,000 of those made with it that ended now, too.", metadata=MANY_KEYS
    )
    also_revoked_count: int = strawberry.field(description="How many that are in all.")
    errors: list[UserError]


@strawberry.type
class ApiKeyQueries:
    @strawberry.field(
        description="API keys, the latest first: all for practice admins, for other people their own. Null, with an "
        "error, for services, and for a bad page size, cursor or id."
    )
    async def api_keys(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description="Rows a page, 1 to 200.")] = DEFAULT_PAGE,
        after: Annotated[str | None, strawberry.argument(description="A cursor of this same list.")] = None,
        person_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only those that act as this person.")
        ] = None,
    ) -> ApiKeyPage | None:
        named = None if person_id is None else PersonId(read_id("person", person_id, field="personId"))
        page = await service.list_keys(info.context.principal, person_id=named, first=first, after=after)
        return ApiKeyPage.of(page)


@strawberry.type
class ApiKeyMutations:
    @strawberry.mutation(
        description="Make an API key; its secret is in this answer only. People make their own, practice admins all."
    )
    async def create_api_key(
        self, info: Info, input: Annotated[CreateApiKeyInput, GIVEN]
    ) -> CreateApiKeyPayload:
        try:
            made = await service.create_key(info.context.principal, input.read())
        except EXPECTED as error:
            return CreateApiKeyPayload(api_key=None, secret=None, errors=UserError.of(error))
        return CreateApiKeyPayload(api_key=ApiKey.of(made.key), secret=made.secret.reveal(), errors=[])

    @strawberry.mutation(
        description="End an API key at once. For the person that it acts as, and for practice admins; a key with "
        "scopes ends itself and what was made with it."
    )
    async def revoke_api_key(
        self, info: Info, input: Annotated[RevokeApiKeyInput, GIVEN]
    ) -> RevokeApiKeyPayload:
        try:
            key_id = ApiKeyId(read_id("key", input.id))
            ended = await service.revoke_key(
                info.context.principal, key_id, and_made_with_it=input.and_made_with_it
            )
        except EXPECTED as error:
            return RevokeApiKeyPayload(
                api_key=None, also_revoked=[], also_revoked_count=0, errors=UserError.of(error)
            )
        return RevokeApiKeyPayload(
            api_key=ApiKey.of(ended.key),
            also_revoked=shown(ended.also),
            also_revoked_count=len(ended.also),
            errors=[],
        )
