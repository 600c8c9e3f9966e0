"""The accounting API over HTTP: every endpoint of the books behind one door."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from tieline_sandbox.books.values import Record, to_json
from tieline_sandbox.xero import organisations, problems
from tieline_sandbox.xero.access import Access
from tieline_sandbox.xero.books.filters import Unparsable
from tieline_sandbox.xero.books.kinds import BY_RESOURCE, kind_of
from tieline_sandbox.xero.books.reading import read, read_one, shelf_of
from tieline_sandbox.xero.service import service_of
from tieline_sandbox.xero.wire import ms_instant, to_xml

ACCESS = "tieline_sandbox.xero.access"


async def collection(request: Request) -> Response:
    """GET of a whole endpoint."""
    access: Access | Response = request.scope[ACCESS]
    if isinstance(access, Response):
        return access
    if request.path_params["resource"] == "Organisation":
        return enveloped(request, {"Organisations": [organisations.shown(access.organisation)]})
    try:
        return enveloped(request, _read(request, access))
    except Unparsable as error:
        return _written(request, "ApiException", problems.query_problem(f"Cannot read: {error}"), status=400)


async def element(request: Request) -> Response:
    """GET of one record by its id."""
    access: Access | Response = request.scope[ACCESS]
    if isinstance(access, Response):
        return access
    if request.path_params["resource"] not in BY_RESOURCE:
        return problems.not_found()
    kind = BY_RESOURCE[request.path_params["resource"]]
    shelf = shelf_of(service_of(request).state, access.organisation, kind)
    found = read_one(shelf, kind, request.path_params["id"], request.query_params)
    return enveloped(request, found) if found else problems.not_found()


def _read(request: Request, access: Access) -> Record:
    kind = kind_of(request.path_params["resource"], access.organisation)
    shelf = shelf_of(service_of(request).state, access.organisation, kind)
    return read(shelf, kind, request.query_params, request.headers)


def enveloped(request: Request, content: dict[str, Any]) -> Response:
    """What stands around every answer."""
    envelope = {
        "Id": str(uuid4()),
        "Status": "OK",
        "ProviderName": "Tieline sandbox",
        "DateTimeUTC": ms_instant(service_of(request).now()),
        **content,
    }
    return _written(request, "Response", envelope)


def _written(request: Request, name: str, body: dict[str, Any], *, status: int = 200) -> Response:
    """XML, where it is called so, unless the caller asked for JSON."""
    if "application/json" in request.headers.get("accept", ""):
        return Response(to_json(body), status, media_type="application/json; charset=utf-8")
    return Response(to_xml(name, body), status, media_type="text/xml")
