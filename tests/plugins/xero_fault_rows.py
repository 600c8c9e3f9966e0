"""How Xero says no, row by row, as its pages and those who met it tell, and what people are told then."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.support.faults import SUCCEEDED, Row, Shown, failed, lost
from tieline.plugins import LimitScope, faults

PAGE = "<!DOCTYPE html><html><head><title>Access Denied</title></head><body>Reference #18</body></html>"
TOO_OFTEN = "The API rate limit for your organisation/application pairing has been exceeded."
AWAY = "xero did not answer as it should; nothing has changed here, try again later."
UNKNOWN = "xero answered in a way we do not know: the status was {}, without a reason we know."
RENEWED = "xero answered in a way we do not know: an access token that was just renewed counts as expired."
NO_SCOPE = "The sign-in at xero did not allow this: sign in again and allow what is asked for."
NO_ACCESS = (
    "This login at xero no longer reaches the organisation, or may not do this in it: "
    "ask for access there, or reassign the connection."
)


def problem(status: int, title: str, detail: str) -> dict[str, Any]:
    return {
        "Type": None,
        "Title": title,
        "Status": status,
        "Detail": detail,
        "Instance": "i",
        "Extensions": {},
    }


def limited(limit: str, scope: LimitScope, seconds: int | None) -> faults.Throttled:
    wait = None if seconds is None else timedelta(seconds=seconds)
    return faults.Throttled(limit=limit, scope=scope, retry_after=wait)


def paused(limit: str, what: str) -> Shown:
    return Shown(
        state="PAUSED",
        limit=limit,
        message=f"What syncs may use of the {what} at Xero is used up. "
        "0 of 16 parts are read, and it goes on from there by itself.",
    )


EXPIRED = problem(401, "Unauthorized", "TokenExpired: token expired at 11/03/2026 09:30:00")
ORGANISATION, APP = LimitScope.ORGANISATION, LimitScope.APP
WAITING = Shown(state="QUEUED", message=AWAY)

ROWS = [
    Row(
        name="401 an access token that grew old",
        status=401,
        body=EXPIRED,
        fault=faults.TokenExpired(),
        shown=SUCCEEDED,
        times=1,
    ),
    Row(
        name="401 again, though it was just renewed",
        status=401,
        body=EXPIRED,
        fault=faults.TokenExpired(),
        shown=failed(RENEWED),
    ),
    Row(
        name="401 a scope that the consent lacks",
        status=401,
        body=problem(401, "Unauthorized", "AuthorizationUnsuccessful"),
        fault=faults.ScopeMissing(),
        shown=lost("SCOPE_MISSING", "RECONNECT", NO_SCOPE),
    ),
    Row(
        name="403 an organisation that the user may not open any more",
        status=403,
        body=problem(403, "Forbidden", "AuthenticationUnsuccessful"),
        fault=faults.AccessLost(),
        shown=lost("ACCESS_LOST", "ASK_FOR_ACCESS", NO_ACCESS),
    ),
    Row(
        name="403 the same with small letters",
        status=403,
        body={"type": None, "title": "Forbidden", "status": 403, "detail": "AuthenticationUnsuccessful"},
        fault=faults.AccessLost(),
    ),
    Row(
        name="403 for a reason that nobody knows",
        status=403,
        body=problem(403, "Forbidden", "Something new"),
        fault=faults.Broken(message="the status was 403, without a reason we know"),
        shown=failed(UNKNOWN.format(403)),
    ),
    Row(
        name="403 a page of the network before Xero",
        status=403,
        body=PAGE,
        kind="text/html",
        fault=faults.Transient(message="a web page came with the status 403"),
        shown=WAITING,
    ),
    Row(
        name="404 as text",
        status=404,
        body="The resource you're looking for cannot be found",
        fault=faults.Missing(),
        shown=failed("xero does not have what was asked for."),
    ),
    Row(
        name="412 a header's precondition",
        status=412,
        fault=faults.Broken(message="the status was 412, without a reason we know"),
        shown=failed(UNKNOWN.format(412)),
    ),
    Row(
        name="400 a filter over more than 100,000 records",
        status=400,
        body={"ErrorNumber": 16, "Type": "QueryException", "Message": "Narrow the filter."},
        fault=faults.Rejected(message="Narrow the filter."),
        shown=failed("xero refused this: Narrow the filter."),
    ),
    Row(
        name="429 the organisation's minute",
        status=429,
        body=TOO_OFTEN,
        headers={"X-Rate-Limit-Problem": "minute", "Retry-After": "45"},
        fault=limited("minute", ORGANISATION, 45),
        shown=paused("minute", "organisation's minute"),
    ),
    Row(
        name="429 the organisation's day, 18.6 hours of it",
        status=429,
        body=TOO_OFTEN,
        headers={"X-Rate-Limit-Problem": "day", "Retry-After": "66975"},
        fault=limited("day", ORGANISATION, 66_975),
        shown=paused("day", "organisation's day"),
    ),
    Row(
        name="429 the day in the words of old pages",
        status=429,
        headers={"X-Rate-Limit-Problem": "Daily", "Retry-After": "66975"},
        fault=limited("day", ORGANISATION, 66_975),
    ),
    Row(
        name="429 calls at once, which promises no Retry-After",
        status=429,
        body=TOO_OFTEN,
        headers={"X-Rate-Limit-Problem": "concurrent"},
        fault=limited("concurrent", ORGANISATION, None),
        shown=SUCCEEDED,
        times=1,
    ),
    Row(
        name="429 a limit with a name that nobody wrote down is the whole app's",
        status=429,
        body=TOO_OFTEN,
        headers={"X-Rate-Limit-Problem": "appminute", "Retry-After": "30"},
        fault=limited("app_minute", APP, 30),
        shown=paused("app_minute", "app's minute"),
    ),
    Row(
        name="429 without a name",
        status=429,
        headers={"Retry-After": "30"},
        fault=limited("app_minute", APP, 30),
    ),
    Row(
        name="429 with a page instead of a text",
        status=429,
        body=PAGE,
        kind="text/html",
        headers={"X-Rate-Limit-Problem": "minute", "Retry-After": "30"},
        fault=limited("minute", ORGANISATION, 30),
    ),
    Row(
        name="503 a limit, as old pages have it",
        status=503,
        body="Rate limit exceeded",
        headers={"X-Rate-Limit-Problem": "minute", "Retry-After": "30"},
        fault=limited("minute", ORGANISATION, 30),
    ),
    Row(
        name="503 the organisation is offline",
        status=503,
        body="The organisation is offline",
        fault=faults.Transient(message="the status was 503"),
        shown=WAITING,
    ),
    Row(name="500 in JSON", status=500, body={}, fault=faults.Transient(message="the status was 500")),
    Row(name="502 empty", status=502, fault=faults.Transient(message="the status was 502")),
    Row(
        name="200 a page instead of data",
        status=200,
        body=PAGE,
        kind="text/html",
        fault=faults.Transient(message="a web page came with the status 200"),
        shown=WAITING,
    ),
]
