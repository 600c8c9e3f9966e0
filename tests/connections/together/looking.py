"""What is shown before a deed is done: where nobody else acts, it is what becomes of each row then."""

from __future__ import annotations

from tests.connections.together.answers import Deed
from tests.connections.together.deeds import BulkConnect, Disconnect
from tests.connections.together.moves import Reassign
from tieline.connections.moving.service import preview_reassign
from tieline.connections.previews.service import preview_disconnect
from tieline.connections.service import preview_bulk_connect
from tieline.errors import Refused
from tieline.ids import ConnectionId, SignInId
from tieline.plugins import Product


async def previewed(deed: Deed) -> tuple[str, ...] | None:
    """A word for each row, or the refusal's code; None of a deed that has no preview."""
    try:
        return await _rows(deed)
    except Refused as refused:
        return (refused.code,)


async def _rows(deed: Deed) -> tuple[str, ...] | None:
    match deed:
        case BulkConnect(by=by, sign_in=sign_in, product=product):
            connected = await preview_bulk_connect(
                by.principal, SignInId(sign_in), Product(product), deed.asked()
            )
            return tuple(each.outcome for each in connected)
        case Reassign(by=by, sign_in=sign_in, connections=connections):
            named = [ConnectionId(each) for each in connections]
            moved = await preview_reassign(by.principal, SignInId(sign_in), named)
            return tuple(each.outcome.value for each in moved)
        case Disconnect(by=by, connection=connection):
            await preview_disconnect(by.principal, ConnectionId(connection))
            return ("DONE",)
    return None
