"""Xero's ways to say no, in the shapes that were seen: some JSON, some text."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from starlette.responses import JSONResponse, PlainTextResponse, Response

from tieline_sandbox.answers import Answer, text_answer
from tieline_sandbox.faults import Problem

INVALID_CLIENT_STATUS = 400  # seen as 401 too
AUTHENTICATION = "AuthenticationUnsuccessful"
AUTHORIZATION = "AuthorizationUnsuccessful"
_RETRY_AFTER_SECONDS: dict[Problem, int | None] = {
    "minute": 30,
    "day": 3600,
    "concurrent": None,
    "appminute": 30,
}


def oauth_error(error: str) -> Response:
    """What the token endpoint says: usually no more than the error's name."""
    status = INVALID_CLIENT_STATUS if error == "invalid_client" else 400
    return JSONResponse({"error": error}, status, headers={"Cache-Control": "no-store"})


def unauthorized(detail: str) -> Response:
    return _problem(401, "Unauthorized", detail)


def forbidden(detail: str = AUTHENTICATION) -> Response:
    return _problem(403, "Forbidden", detail)


def not_found() -> Response:
    return PlainTextResponse("The resource you're looking for cannot be found", 404)


def token_expired(at: datetime) -> str:
    return f"TokenExpired: token expired at {at:%m/%d/%Y %H:%M:%S}"


def throttled(problem: Problem, retry_after: int | None) -> Answer:
    """Over a limit: text, the limit's name, and mostly how many seconds to wait."""
    headers: dict[str, str] = {"X-Rate-Limit-Problem": problem}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return text_answer(
        429, "The API rate limit for your organisation/application pairing has been exceeded."
    ).with_headers(headers)


def planted_throttle(problem: Problem, retry_after: int | None) -> Answer:
    """The same where nothing was counted: the wait is the given one, or a usual one."""
    return throttled(problem, _RETRY_AFTER_SECONDS[problem] if retry_after is None else retry_after)


def query_problem(message: str) -> dict[str, Any]:
    """A filter or order that cannot be read: an `ApiException`."""
    return {"ErrorNumber": 16, "Type": "QueryParseException", "Message": message}


def _problem(status: int, title: str, detail: str) -> Response:
    body: dict[str, Any] = {
        "Type": None,
        "Title": title,
        "Status": status,
        "Detail": detail,
        "Instance": str(uuid4()),
        "Extensions": {},
    }
    return JSONResponse(body, status)
