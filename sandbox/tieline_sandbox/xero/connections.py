"""The connections of a person at an app: listed, and ended one by one."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from tieline_sandbox.xero.access import bearer_of
from tieline_sandbox.xero.grants import disconnect
from tieline_sandbox.xero.model import Connection, XeroState
from tieline_sandbox.xero.problems import forbidden
from tieline_sandbox.xero.service import service_of


async def connections(request: Request) -> Response:
    """GET, optionally only those of one consent: `authEventId`."""
    service = service_of(request)
    bearer = bearer_of(service, request.headers)
    if isinstance(bearer, Response):
        return bearer
    event = request.query_params.get("authEventId")
    found = service.state.connections_of(bearer.session.client_id, bearer.user.id)
    return JSONResponse(
        [_shown(service.state, one) for one in found if event is None or one.auth_event_id == event.lower()]
    )


async def connection(request: Request) -> Response:
    """DELETE by the connection's own id; the tenant's or the consent's id is not that."""
    service = service_of(request)
    bearer = bearer_of(service, request.headers)
    if isinstance(bearer, Response):
        return bearer
    wanted = request.path_params["id"].lower()
    own = service.state.connections_of(bearer.session.client_id, bearer.user.id)
    found = next((one for one in own if one.id == wanted), None)
    if found:
        disconnect(service.state, found)
        return Response(status_code=204)
    everything = [one for one in service.state.connections.values() if one.is_connected]
    known = any(wanted in (one.id, one.tenant_id, one.auth_event_id) for one in everything)
    return forbidden() if known else PlainTextResponse("Connection not found", 404)


def _shown(state: XeroState, connection: Connection) -> dict[str, str]:
    organisation = state.organisations[connection.tenant_id]
    return {
        "id": connection.id,
        "authEventId": connection.auth_event_id,
        "tenantId": connection.tenant_id,
        "tenantType": organisation.tenant_type,
        "tenantName": organisation.name,
        "createdDateUtc": _seven_decimals(connection.created_at),
        "updatedDateUtc": _seven_decimals(connection.updated_at),
    }


def _seven_decimals(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}0"
