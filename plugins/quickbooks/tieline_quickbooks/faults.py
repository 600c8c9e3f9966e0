"""What Intuit's answers mean: by the code of the fault, else by status, else by the fault's type.

    429, or 3001 at any status         Throttled             401, 3200, 100, AuthenticationFault   TokenExpired
    120, 403, AuthorizationFault       AccessLost            3100                                  AppRemoved
    6190                               SubscriptionLapsed    610, 404                              Missing
    408, 5xx, a web page, SystemFault  Transient             other faults, 200 and 4xx             Rejected
    anything else                      Broken

https://developer.intuit.com/app/developer/qbo/docs/develop/troubleshooting/error-codes
"""

from __future__ import annotations

import re
from datetime import timedelta

import httpx

from tieline.plugins import Fault, LimitScope, asked_wait, faults
from tieline_quickbooks.said import LARGEST_FAULT, Said, fault_of

_UNSAID_WAIT = timedelta(seconds=60)
_HTML = re.compile(rb"\s*(<!doctype html|<html)", re.IGNORECASE)

_THROTTLED, _EXPIRED, _NO_ACCESS, _REMOVED, _LAPSED, _MISSING = (
    {"3001"},
    {"3200", "100"},
    {"120"},
    {"3100"},
    {"6190"},
    {"610"},
)
_AUTHENTICATION = {"authenticationfault", "authentication"}
_AUTHORIZATION = {"authorizationfault", "authorizatonfault", "authorization"}  # the schema's own slip
_SYSTEM = {"systemfault"}


def classify(response: httpx.Response) -> Fault | None:
    """None for what was asked for. A limit is looked for first: it comes in any form, with any status."""
    said = fault_of(response)
    codes = said.codes if said is not None else frozenset[str]()
    status = response.status_code
    if status == httpx.codes.TOO_MANY_REQUESTS or codes & _THROTTLED:
        return _throttled(response.headers)
    if said is None and _is_page(response):
        return faults.Transient(message=f"a web page came with the status {status}")
    if said is None and response.is_success:
        return None
    return _by_code(codes) or _by_status(status) or _by_words(status, said)


def _by_code(codes: frozenset[str]) -> Fault | None:
    if codes & _EXPIRED:
        return faults.TokenExpired()
    if codes & _NO_ACCESS:
        return faults.AccessLost()
    if codes & _REMOVED:
        return faults.AppRemoved()
    if codes & _LAPSED:
        return faults.SubscriptionLapsed()
    return faults.Missing() if codes & _MISSING else None


def _by_status(status: int) -> Fault | None:
    if status == httpx.codes.UNAUTHORIZED:
        return faults.TokenExpired()
    if status == httpx.codes.FORBIDDEN:
        return faults.AccessLost()
    if status == httpx.codes.NOT_FOUND:
        return faults.Missing()
    if status == httpx.codes.REQUEST_TIMEOUT or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return faults.Transient(message=f"the status was {status}")
    return None


def _by_words(status: int, said: Said | None) -> Fault:
    types = said.types if said is not None else frozenset[str]()
    if types & _AUTHENTICATION:
        return faults.TokenExpired()
    if types & _AUTHORIZATION:
        return faults.AccessLost()
    if types & _SYSTEM:
        return faults.Transient(message=f"a fault of its system came with the status {status}")
    if said is not None and said.message:
        return faults.Rejected(message=said.message, fields=said.fields)
    return faults.Broken(message=f"the status was {status}, without a reason we know")


def _throttled(headers: httpx.Headers) -> faults.Throttled:
    """Intuit says to wait a minute. That a month's reads are spent is told in the very same words."""
    wait = asked_wait(headers)
    return faults.Throttled(
        limit="minute",
        scope=LimitScope.ORGANISATION,
        retry_after=_UNSAID_WAIT if wait is None else wait,
    )


def _is_page(response: httpx.Response) -> bool:
    kind = response.headers.get("content-type", "").lower()
    return "text/html" in kind or bool(_HTML.match(response.content[:LARGEST_FAULT]))
