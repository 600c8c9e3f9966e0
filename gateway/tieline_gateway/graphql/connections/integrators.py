"""Who the clients are integrated by, with how much hangs on each."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tieline.connections.integrators import repository
from tieline.connections.integrators.service import list_integrators
from tieline.ids import PersonId
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.practices.types import Person
from tieline_gateway.graphql.providers.types import Provider, load_provider


@strawberry.type(description="Somebody on whose consents at one provider connections hang.")
class Integrator:
    logins: list[str] = strawberry.field(description="The provider's own names for who signed in.")
    client_count: int = strawberry.field(description="Of how many clients.")
    connection_count: int = strawberry.field(
        description="How many connections; none of those that a person has disconnected."
    )
    expired_count: int = strawberry.field(description="How many of them are EXPIRED.")
    disconnected_count: int = strawberry.field(
        description="How many more a person has disconnected. They hang on no login, and `reassign` leaves them alone."
    )
    person_id: strawberry.Private[PersonId]
    provider_slug: strawberry.Private[str]

    @strawberry.field(description="Whose consents they are.")
    async def person(self, info: Info) -> Person | None:
        found = await info.context.loaders.person.load(self.person_id)
        return Person.of(found) if found else None

    @strawberry.field(description="Where that person signed in.")
    async def provider(self, info: Info) -> Provider:
        return await load_provider(info, self.provider_slug)

    @classmethod
    def of(cls, integrator: repository.Integrator) -> Integrator:
        return cls(
            logins=list(integrator.logins),
            client_count=integrator.clients,
            connection_count=integrator.connections,
            expired_count=integrator.expired,
            disconnected_count=integrator.disconnected,
            person_id=integrator.person_id,
            provider_slug=integrator.provider,
        )


@strawberry.type
class IntegratorQueries:
    @strawberry.field(
        description="Who the clients that the caller sees are integrated by, whoever has most connections first; one "
        "for each provider. `connections(integratedBy:)` lists what hangs on one of them, and what was disconnected."
    )
    async def integrators(
        self,
        info: Info,
        provider: Annotated[
            str | None, strawberry.argument(description="Only at the provider of this short name.")
        ] = None,
    ) -> list[Integrator]:
        found = await list_integrators(info.context.principal, provider=provider)
        return [Integrator.of(each) for each in found]
