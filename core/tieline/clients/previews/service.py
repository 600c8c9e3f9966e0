"""What callers ask before they delete a client: how much of it goes."""

from __future__ import annotations

from dataclasses import dataclass

from tieline.clients.previews.repository import Belongings, belongings_of
from tieline.clients.repository import Client, ClientRepository
from tieline.database import scope
from tieline.errors import NotFound
from tieline.ids import ClientId
from tieline.principal import Permission, Principal


@dataclass(frozen=True, kw_only=True, slots=True)
class DeletionPreview:
    client: Client
    belongings: Belongings


async def preview_deletion(principal: Principal, client_id: ClientId) -> DeletionPreview:
    """What `delete_client` would remove at this moment; it holds nobody up.

    Raises NotFound and Forbidden, as `delete_client` does.
    """
    async with scope(principal.practice_id):
        client = await ClientRepository.visible_to(principal).get(client_id)
        if client is None:
            raise NotFound("client", client_id, field="id")
        principal.require(Permission.MANAGE_CONNECTIONS)
        belongings = await belongings_of(principal.practice_id, client_id)
    return DeletionPreview(client=client, belongings=belongings)
