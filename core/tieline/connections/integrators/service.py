"""Seeing on whose consents the clients' connections hang, before somebody leaves."""

from __future__ import annotations

from tieline.connections.integrators.repository import Integrator, integrators_of
from tieline.database import scope
from tieline.errors import NotFound
from tieline.host import host
from tieline.principal import Principal


async def list_integrators(principal: Principal, *, provider: str | None = None) -> list[Integrator]:
    """Everybody on whom connections hang of clients that the caller sees, one for each provider.

    Raises NotFound (provider).
    """
    if provider is not None and host().registry.get(provider) is None:
        raise NotFound("provider", provider, field="provider")
    async with scope(principal.practice_id):
        return await integrators_of(principal, provider)
