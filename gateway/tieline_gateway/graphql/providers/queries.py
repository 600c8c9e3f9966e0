"""Questions about providers."""

from __future__ import annotations

import strawberry

from tieline.credentials.apps.service import list_apps
from tieline.host import host
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.providers.types import Provider


@strawberry.type
class ProviderQueries:
    @strawberry.field(description="The accounting systems that are installed, by their short names.")
    async def providers(self, info: Info) -> list[Provider]:
        apps = {app.provider: app for app in await list_apps(info.context.principal.practice_id)}
        return [Provider.of(slug, apps.get(slug)) for slug in (known.info.slug for known in host().registry)]
