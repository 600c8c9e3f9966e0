"""The connection that a caller wants something done with, if it may."""

from __future__ import annotations

from tieline.clients.repository import ClientRepository
from tieline.connections.repository import Connection, ConnectionRepository
from tieline.errors import NotFound
from tieline.ids import ConnectionId
from tieline.principal import Permission, Principal


async def permitted(principal: Principal, connection_id: ConnectionId, permission: Permission) -> Connection:
    """A current connection for whose client the caller has this permission; nothing is locked.

    Who changes it locks its organisation and looks again: it may have ended. Raises NotFound and Forbidden.
    """
    found = await ConnectionRepository.visible_to(principal).get(connection_id)
    client = (
        await ClientRepository.visible_to(principal).get(found.client_id)
        if found is not None and found.ended_at is None
        else None
    )
    if found is None or client is None:
        raise NotFound("connection", connection_id, field="connectionId")
    principal.require(permission, administers=client.administered)
    return found
