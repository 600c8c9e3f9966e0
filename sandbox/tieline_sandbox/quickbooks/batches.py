"""Several operations in one call: each is answered by itself, in no promised order; here the last is first.

Only queries are worked on, since nothing can be written.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from tieline_sandbox.quickbooks import faults
from tieline_sandbox.quickbooks.accounting import Content, endpoint, queried
from tieline_sandbox.quickbooks.books.statements import Unparsable
from tieline_sandbox.quickbooks.faults import Said, invalid
from tieline_sandbox.quickbooks.model import Company
from tieline_sandbox.quickbooks.service import Service

MAX_ITEMS = 30


@endpoint
async def batch(request: Request, service: Service, company: Company) -> Content | Said:
    """POST `{"BatchItemRequest": [{"bId", "Query"}, ...]}`."""
    items = _items(await request.body())
    if not items or len(items) > MAX_ITEMS:
        return invalid(
            faults.PARSE_ERROR, "Invalid batch", f"It must hold 1 to {MAX_ITEMS} items, each with a bId."
        )
    answers = [{"bId": item["bId"], **_answered(service, company, item)} for item in items]
    return {"BatchItemResponse": answers[::-1]}


def _items(body: bytes) -> list[dict[str, Any]]:
    """Nothing where one of them cannot be told from the others."""
    try:
        items = json.loads(body)["BatchItemRequest"]
        ids = {item["bId"] for item in items}
    except (ValueError, KeyError, TypeError):
        return []
    return list(items) if len(ids) == len(items) else []


def _answered(service: Service, company: Company, item: dict[str, Any]) -> Content:
    if "Query" not in item:
        return faults.unsupported(str(item.get("operation"))).content()
    try:
        return queried(service, company, str(item["Query"]))
    except Unparsable as error:
        return faults.not_understood(error).content()
