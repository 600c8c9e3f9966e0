"""The accounting API over HTTP: company info, queries, change data capture, single records."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tieline_sandbox.books.values import Record, to_json
from tieline_sandbox.quickbooks import companies, faults
from tieline_sandbox.quickbooks.access import Access
from tieline_sandbox.quickbooks.books import reading
from tieline_sandbox.quickbooks.books.kinds import BY_ENTITY, Kind
from tieline_sandbox.quickbooks.books.statements import Statement, Unparsable, parse
from tieline_sandbox.quickbooks.companies import SINGLES, Single
from tieline_sandbox.quickbooks.faults import Said, invalid
from tieline_sandbox.quickbooks.model import Company
from tieline_sandbox.quickbooks.service import Service, service_of
from tieline_sandbox.quickbooks.wire import answered_at, read_instant

ACCESS = "tieline_sandbox.quickbooks.access"

Content = dict[str, Any]
_Work = Callable[[Request, Service, Company], Awaitable[Content | Said]]
_Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint(work: _Work) -> _Endpoint:
    """What all have in common: the caller, the envelope, and that a read which went well is metered."""

    async def answer(request: Request) -> Response:
        access: Access | Response = request.scope[ACCESS]
        if isinstance(access, Response):
            return access
        service = service_of(request)
        try:
            content = await work(request, service, access.company)
        except Unparsable as error:
            content = faults.not_understood(error)
        if isinstance(content, Said):
            return content.response(400, service.now())
        reads = sum("Fault" not in item for item in content.get("BatchItemResponse", [content]))
        service.limiter.metered(access.grant.client_id, reads, service.now())
        envelope = {**content, "time": answered_at(service.now())}
        return Response(to_json(envelope), media_type="application/json;charset=UTF-8")

    return answer


@endpoint
async def company_info(request: Request, _service: Service, company: Company) -> Content | Said:
    """GET by the id of the company itself, or by that of the record."""
    info = companies.info(company)
    return (
        {"CompanyInfo": info} if request.path_params["id"] in (company.realm_id, info["Id"]) else _not_found()
    )


@endpoint
async def preferences(_request: Request, _service: Service, company: Company) -> Content | Said:
    """GET; there is no id to ask by."""
    return {"Preferences": companies.preferences(company)}


@endpoint
async def query(request: Request, service: Service, company: Company) -> Content | Said:
    """GET with the statement in `query`, or POST with it as the body."""
    text = request.query_params.get("query", "")
    if request.method == "POST":
        text = (await request.body()).decode("utf-8", "replace")
    return queried(service, company, text)


def queried(service: Service, company: Company, text: str) -> Content:
    """What a statement finds; `Unparsable` for one that is not understood."""
    statement = parse(text)
    single = SINGLES.get(statement.entity.lower())
    if single:
        return {"QueryResponse": _only(statement, single.entity, single.make(company))}
    kind = BY_ENTITY.get(statement.entity.lower())
    if kind is None:
        raise Unparsable(f"there is no entity {statement.entity}")
    shelf = reading.shelf_of(service.state, company, kind)
    return {"QueryResponse": reading.query(shelf, kind, statement)}


@endpoint
async def changes(request: Request, service: Service, company: Company) -> Content | Said:
    """GET `entities` (names joined by commas) and `changedSince`."""
    since = read_instant(request.query_params.get("changedSince", ""))
    if since is None:
        return invalid(faults.PARSE_ERROR, "Invalid changedSince", "It must be a date or a dateTime.")
    if since < service.now() - reading.LOOK_BACK:
        return invalid(faults.PARSE_ERROR, "Invalid changedSince", "It must be within the last 30 days.")
    asked = _tracked(request.query_params.get("entities", ""))
    if isinstance(asked, Said):
        return asked
    responses = reading.changes(service.state, company, asked, since.replace(microsecond=0))
    return {"CDCResponse": [{"QueryResponse": responses}]}


@endpoint
async def entity(request: Request, service: Service, company: Company) -> Content | Said:
    """GET of one record by its id."""
    kind = BY_ENTITY.get(request.path_params["entity"].lower())
    if kind is None:
        return faults.unsupported(request.path_params["entity"])
    found = reading.one(reading.shelf_of(service.state, company, kind), request.path_params["id"])
    return _not_found() if found is None else {kind.entity: found}


@endpoint
async def unsupported(request: Request, _service: Service, _company: Company) -> Content | Said:
    """Whatever else there is at Intuit: nothing can be written here, and there are no reports."""
    return faults.unsupported(request.path_params["rest"])


def _tracked(names: str) -> Sequence[Kind | Single] | Said:
    """What change data capture is asked about, or why it cannot be."""
    found: list[Kind | Single] = []
    for name in filter(None, (part.strip() for part in names.split(","))):
        kind = BY_ENTITY.get(name.lower()) or SINGLES.get(name.lower())
        if kind is None or (isinstance(kind, Kind) and not kind.has_changes):
            return invalid(faults.PARSE_ERROR, "Unsupported entity", f"{name} has no change data capture.")
        found.append(kind)
    return found or invalid(faults.PARSE_ERROR, "Missing entities", "At least one must be named.")


def _only(statement: Statement, name: str, record: Record) -> Record:
    if statement.is_count:
        return {"totalCount": 1}
    return {name: [record], "startPosition": 1, "maxResults": 1} if statement.start == 1 else {}


def _not_found() -> Said:
    return invalid(
        faults.NOT_FOUND, "Object Not Found", "Something you're trying to use has been made inactive."
    )
