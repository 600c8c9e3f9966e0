"""Seeing on whose consents the clients' connections hang, before somebody leaves."""

from __future__ import annotations

from tieline.connections.integrators.repository import Integrator, integrators_of
from tieline.database import scope
from tieline.principal import Principal


async def list_integrators(principal: Principal, *, provider: str | None = None) -> list[Integrator]:
    """Everybody on whom current connections hang of clients that the caller sees, one for each provider."""
    async with scope(principal.practice_id):
        return await integrators_of(principal, provider)
