"""Documents that hang on records: listed, and the bytes of each by its id or its file's name."""

from __future__ import annotations

from itertools import cycle, islice
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tieline_sandbox.books.values import Record
from tieline_sandbox.xero import problems
from tieline_sandbox.xero.access import Access
from tieline_sandbox.xero.accounting import ACCESS, enveloped
from tieline_sandbox.xero.books.kinds import BY_RESOURCE
from tieline_sandbox.xero.books.reading import shelf_of
from tieline_sandbox.xero.service import service_of

PARENTS = frozenset(
    {
        *("Accounts", "BankTransactions", "BankTransfers", "Contacts"),
        *("CreditNotes", "Invoices", "ManualJournals"),
    }
)


async def attachments(request: Request) -> Response:
    """GET of all that a record has: those of its field `Attachments`, which an edit sets."""
    found = _attachments(request)
    return found if isinstance(found, Response) else enveloped(request, {"Attachments": found})


async def attachment(request: Request) -> Response:
    """GET of one document: so many bytes as it is said to have, made of its name."""
    found, wanted = _attachments(request), request.path_params["attachment"]
    if isinstance(found, Response):
        return found
    named = (one for one in found if wanted in (one["AttachmentID"], one["FileName"]))
    one: Record | None = next(named, None)
    if one is None:
        return problems.not_found()
    content = bytes(islice(cycle(one["FileName"].encode()), one["ContentLength"]))
    return Response(content, media_type=one["MimeType"])


def _attachments(request: Request) -> list[dict[str, Any]] | Response:
    access: Access | Response = request.scope[ACCESS]
    if isinstance(access, Response):
        return access
    if request.path_params["resource"] not in PARENTS:
        return problems.not_found()
    kind = BY_RESOURCE[request.path_params["resource"]]
    record = shelf_of(service_of(request).state, access.organisation, kind).find(request.path_params["id"])
    return problems.not_found() if record is None else record.get("Attachments", [])
