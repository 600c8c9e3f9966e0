"""SignIn, and the organisations it found."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from tieline.connections import service as connections
from tieline.connections.suggestions.matching import EXACT, MOST_NAMESAKES
from tieline.connections.suggestions.repository import MOST_CLIENTS
from tieline.errors import NotFound
from tieline.ids import ClientId, ConnectionId, SignInId
from tieline.pages import DEFAULT_PAGE, Page
from tieline.plugins import Product
from tieline.sign_ins import service
from tieline.sign_ins.states import Failure, Purpose, SignInState, sentence_of
from tieline_gateway.graphql.clients.types import Client
from tieline_gateway.graphql.connections.types import Connection, Organisation
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.pages import PageInfo
from tieline_gateway.graphql.providers.types import Provider, load_provider

strawberry.enum(
    Purpose,
    name="SignInPurpose",
    description="What a person signs in for. RECONNECT and RECONNECT_ALL are READY at once where a login of the "
    "caller's reaches already what is to be reconnected.",
)
strawberry.enum(
    SignInState,
    description="STARTED: at the provider. CONSENTED: back, to be completed. READY: its organisations can be "
    "connected. FAILED and EXPIRED: over.",
)
strawberry.enum(Failure, name="SignInFailureCode", description="Why a sign-in came to nothing.")


@strawberry.type(description="Why a sign-in failed.")
class SignInFailure:
    code: Failure
    message: str = strawberry.field(description="A sentence for people, in English.")

    @classmethod
    def of(cls, failure: Failure) -> SignInFailure:
        return cls(code=failure, message=sentence_of(failure))


@strawberry.type(description="A client that an organisation may belong to, by their names.")
class SuggestedClient:
    client: Client
    score: int = strawberry.field(description="How alike the names are, of 100.")
    exact: bool = strawberry.field(
        description="Whether the names are the same but for case, signs and legal form, or it is in use by the client."
    )


@strawberry.type(description="An organisation that a sign-in reaches.")
class SignInOrganisation:
    organisation: Organisation
    consented: bool = strawberry.field(
        description="Whether the consent of this sign-in was about it; others were granted before, by the same login."
    )
    in_use: bool = strawberry.field(
        description="Whether it serves a client already, whoever may see that client."
    )
    own_books: bool = strawberry.field(
        description="Whether it is called as the practice is: then these are its own books, perhaps, and no client's."
    )
    client_id: strawberry.Private[ClientId | None]
    sign_in_id: strawberry.Private[SignInId]

    @strawberry.field(
        description="The client it serves; null when it serves none, or none that the caller may see."
    )
    async def client(self, info: Info) -> Client | None:
        found = await info.context.loaders.client.load(self.client_id) if self.client_id else None
        return Client.of(found) if found else None

    @strawberry.field(
        description="Clients without a connection of this product that it probably belongs to, the likeliest first; "
        f"at most three. Looked for among the first {MOST_CLIENTS:,} of them by name."
    )
    async def suggested_clients(
        self,
        info: Info,
        product: Annotated[
            Product, strawberry.argument(description="What the client would be connected for.")
        ],
    ) -> list[SuggestedClient]:
        suggestions = await info.context.loaders.suggestions.load(
            (self.sign_in_id, product, self.organisation.key)
        )
        clients = await info.context.loaders.client.load_many([each.client_id for each in suggestions])
        return [
            SuggestedClient(client=Client.of(client), score=each.score, exact=each.score == EXACT)
            for each, client in zip(suggestions, clients, strict=True)
            if client is not None
        ]

    @strawberry.field(
        description="Clients that are called as it is, whatever they are connected to: to add a client for it would be "
        f"a duplicate of these. At most {MOST_NAMESAKES}, of the first {MOST_CLIENTS:,} clients by name."
    )
    async def namesakes(self, info: Info) -> list[Client]:
        ids = await info.context.loaders.namesakes.load(self.organisation.key)
        clients = await info.context.loaders.client.load_many(list(ids))
        return [Client.of(client) for client in clients if client is not None]

    @classmethod
    def of(cls, found: service.FoundInSignIn, sign_in_id: SignInId) -> SignInOrganisation:
        return cls(
            organisation=Organisation.of(found.organisation),
            consented=found.consented,
            in_use=found.organisation.client_id is not None,
            own_books=found.is_own_books,
            client_id=found.organisation.client_id,
            sign_in_id=sign_in_id,
        )


@strawberry.type(description="An organisation and where it stands in its list.")
class SignInOrganisationEdge:
    cursor: str
    node: SignInOrganisation


@strawberry.type(description="A page of the organisations that a sign-in reaches, by name.")
class SignInOrganisationPage:
    nodes: list[SignInOrganisation]
    edges: list[SignInOrganisationEdge]
    page_info: PageInfo
    total_count: int = strawberry.field(description="How many organisations the whole list has.")
    event_cursor: str = strawberry.field(description="Events after this cursor are what this page may lack.")

    @classmethod
    def of(cls, page: Page[service.FoundInSignIn], sign_in_id: SignInId) -> SignInOrganisationPage:
        nodes = [SignInOrganisation.of(found, sign_in_id) for found in page.rows]
        edges = zip(page.cursors, nodes, strict=True)
        return cls(
            nodes=nodes,
            edges=[SignInOrganisationEdge(cursor=cursor, node=node) for cursor, node in edges],
            page_info=PageInfo.of(page),
            total_count=page.total,
            event_cursor=page.event_cursor,
        )


@strawberry.type(
    description="A person's trip, or several, to a provider's consent page and back; seen by that person alone."
)
class SignIn:
    id: strawberry.ID
    purpose: Purpose
    products: list[Product]
    state: SignInState
    failure: SignInFailure | None = strawberry.field(description="Why it is FAILED.")
    created_at: datetime
    usable_until: datetime | None = strawberry.field(
        description="Until when organisations can be connected through it; null before it is READY."
    )
    details_total: int = strawberry.field(description="How many organisations it reaches.")
    details_done: int = strawberry.field(
        description="Of how many of them more than the name is known already."
    )
    key: strawberry.Private[SignInId]
    provider_slug: strawberry.Private[str]
    connection_id: strawberry.Private[ConnectionId | None]

    @strawberry.field(description="Where the person signs in.")
    async def provider(self, info: Info) -> Provider:
        return await load_provider(info, self.provider_slug)

    @strawberry.field(description="The connection that a RECONNECT is about.")
    async def connection(self, info: Info) -> Connection | None:
        if self.connection_id is None:
            return None
        try:
            return Connection.of(await connections.get_connection(info.context.principal, self.connection_id))
        except NotFound:
            return None  # deleted with its client, or out of sight since

    @strawberry.field(
        description="What it reaches, by name. Null, with an error, for a bad page size or cursor."
    )
    async def organisations(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description="Rows a page, 1 to 200.")] = DEFAULT_PAGE,
        after: Annotated[str | None, strawberry.argument(description="A cursor of this same list.")] = None,
    ) -> SignInOrganisationPage | None:
        page = await service.list_organisations(info.context.principal, self.key, first=first, after=after)
        return SignInOrganisationPage.of(page, self.key)

    @classmethod
    def of(cls, sign_in: service.SignIn) -> SignIn:
        return cls(
            id=strawberry.ID(str(sign_in.id)),
            purpose=sign_in.purpose,
            products=list(sign_in.products),
            state=sign_in.state,
            failure=SignInFailure.of(sign_in.failure) if sign_in.failure else None,
            created_at=sign_in.created_at,
            usable_until=sign_in.usable_until,
            details_total=sign_in.organisations_total,
            details_done=sign_in.details_done,
            key=sign_in.id,
            provider_slug=sign_in.provider,
            connection_id=sign_in.connection_id,
        )
