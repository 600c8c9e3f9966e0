"""Provider, as its plugin and the practice's own app make it."""

from __future__ import annotations

from typing import Annotated

import strawberry

from tieline.credentials.apps.repository import App, Environment
from tieline.host import host
from tieline.plugins import ConnectionSetting as Declared
from tieline.plugins import Product
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.providers.quotas import Quota
from tieline_gateway.graphql.providers.settings import ConnectionSetting

strawberry.enum(
    Environment,
    name="ProviderEnvironment",
    description="Whose books an app reaches: real ones, or those of a sandbox.",
)


@strawberry.type(description="The practice's own app at a provider, through which all of its calls go.")
class ProviderApp:
    environment: Environment
    tier: str | None = strawberry.field(
        description="What the operator said it is at the provider; null: the smallest limits hold."
    )
    provider_slug: strawberry.Private[str]

    @strawberry.field(
        description="The limits that all of its calls share, whichever organisation they are for. Null when the "
        "provider's plugin is gone."
    )
    async def quota(self, info: Info) -> Quota | None:
        found = await info.context.loaders.quota_of_app.load(self.provider_slug)
        return Quota.of(found) if found else None


@strawberry.type(description="An accounting system, and what the practice's own app there can do.")
class Provider:
    slug: str = strawberry.field(description="Its short name, which other arguments take.")
    name: str = strawberry.field(description="Its name for people.")
    products: list[Product] = strawberry.field(
        description="What clients can be connected for; empty when it is gone."
    )
    bulk_consent: bool = strawberry.field(description="Whether one consent can reach several organisations.")
    guided_queue: bool = strawberry.field(
        description="Whether several organisations can be connected by one consent after another, in one sign-in."
    )
    configured: bool = strawberry.field(
        description="Whether the practice has an app there; without one, no sign-in."
    )
    callback_url: str | None = strawberry.field(
        description="The redirect address to register at the provider, letter by letter; null without an app."
    )

    settings: strawberry.Private[tuple[Declared, ...]]
    own_app: strawberry.Private[App | None]

    @strawberry.field(
        description="The practice's app there; null where it has none, and for who only belongs to clients."
    )
    def app(self, info: Info) -> ProviderApp | None:
        app = self.own_app
        if app is None or not info.context.principal.is_insider:
            return None
        return ProviderApp(environment=app.environment, tier=app.tier, provider_slug=self.slug)

    @strawberry.field(description="What a practice may settle about each of its connections of a product.")
    def connection_settings(
        self,
        product: Annotated[Product, strawberry.argument(description="What the connections are for.")],
    ) -> list[ConnectionSetting]:
        return [ConnectionSetting.of(each) for each in self.settings if product in each.products]

    @classmethod
    def of(cls, slug: str, app: App | None) -> Provider:
        """What its plugin says of it, or as little as there is when that is no longer installed."""
        plugin = host().registry.get(slug)
        info = plugin.info if plugin else None
        return cls(
            slug=slug,
            name=info.name if info else slug,
            products=list(info.products) if info else [],
            bulk_consent=app.bulk_consent if app else False,
            guided_queue=info.guided_queue if info else False,
            configured=app is not None and info is not None,
            callback_url=host().callback_url(slug, app.id) if app else None,
            settings=info.connection_settings if info else (),
            own_app=app,
        )


async def load_provider(info: Info, slug: str) -> Provider:
    return Provider.of(slug, await info.context.loaders.app.load(slug))
