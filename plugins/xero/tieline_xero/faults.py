"""What Xero's answers mean, by status first, because bodies come as JSON, XML, HTML, plain text or not at all.

    400 with a message              Rejected          401 TokenExpired, or unexplained   TokenExpired
    401 AuthorizationUnsuccessful   ScopeMissing      403 AuthenticationUnsuccessful     AccessLost
    404                             Missing           429, 503 that names a limit        Throttled
    408, 5xx, HTML at any status    Transient         anything else                      Broken

https://developer.xero.com/documentation/api/accounting/responsecodes
https://developer.xero.com/documentation/guides/oauth2/limits
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx

from tieline.plugins import Fault, LimitScope, asked_wait, faults

_LOOKED_AT_BYTES = 64 * 1024
_LONGEST_MESSAGE = 500
_HTML = re.compile(rb"\s*(<!doctype html|<html)", re.IGNORECASE)
_OF_AN_ORGANISATION = {"minute": "minute", "day": "day", "daily": "day", "concurrent": "concurrent"}
_OF_THE_APP = "app_minute"


def classify(response: httpx.Response) -> Fault | None:
    """None for what was asked for; a limit is looked for before a page, since both can come together."""
    status = response.status_code
    if status == httpx.codes.TOO_MANY_REQUESTS or _is_old_limit(response):
        return _throttled(response.headers)
    if _is_page(response):
        return faults.Transient(message=f"a web page came with the status {status}")
    if response.is_success or status == httpx.codes.NOT_MODIFIED:
        return None
    if response.is_server_error or status == httpx.codes.REQUEST_TIMEOUT:
        return faults.Transient(message=f"the status was {status}")
    return _refused(response)


def _refused(response: httpx.Response) -> Fault:
    said = response.content[:_LOOKED_AT_BYTES].decode("utf-8", "replace").lower()
    match response.status_code:
        case httpx.codes.UNAUTHORIZED:
            return faults.ScopeMissing() if "authorizationunsuccessful" in said else faults.TokenExpired()
        case httpx.codes.FORBIDDEN if "authorizationunsuccessful" in said:
            return faults.ScopeMissing()
        case httpx.codes.FORBIDDEN if "authenticationunsuccessful" in said:
            return faults.AccessLost()
        case httpx.codes.NOT_FOUND:
            return faults.Missing()
        case httpx.codes.BAD_REQUEST if message := _message(response.content):
            return faults.Rejected(message=message)
    return faults.Broken(message=f"the status was {response.status_code}, without a reason we know")


def _throttled(headers: httpx.Headers) -> faults.Throttled:
    """Unknown and missing names of limits are the app's: stopping too much is the lesser harm."""
    limit = _OF_AN_ORGANISATION.get(headers.get("x-rate-limit-problem", "").strip().lower())
    return faults.Throttled(
        limit=limit or _OF_THE_APP,
        scope=LimitScope.ORGANISATION if limit else LimitScope.APP,
        retry_after=asked_wait(headers),
    )


def _is_old_limit(response: httpx.Response) -> bool:
    """Older pages have limits answered with 503, which else means that Xero or the organisation is away."""
    return (
        response.status_code == httpx.codes.SERVICE_UNAVAILABLE and "x-rate-limit-problem" in response.headers
    )


def _is_page(response: httpx.Response) -> bool:
    return "text/html" in response.headers.get("content-type", "").lower() or bool(
        _HTML.match(response.content[:_LOOKED_AT_BYTES])
    )


def _message(body: bytes) -> str:
    """The sentences of a refusal, each once: those about single elements, else the one about the whole."""
    try:
        refusal = _lowered(json.loads(body))
    except (ValueError, RecursionError):
        return ""
    sentences = list(dict.fromkeys(_of_elements(refusal)))
    if not sentences:
        named = (refusal.get(field) for field in ("message", "detail", "title"))
        sentences = [text for text in named if isinstance(text, str)][:1]
    return " ".join(" ".join(sentences).split())[:_LONGEST_MESSAGE]


def _of_elements(refusal: dict[str, Any]) -> Iterator[str]:
    for element in [refusal, *_listed(refusal.get("elements"))]:
        for problem in _listed(_lowered(element).get("validationerrors")):
            text = _lowered(problem).get("message")
            if isinstance(text, str):
                yield text


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _lowered(value: object) -> dict[str, Any]:
    """Xero's names vary in case between its servers."""
    return {str(name).lower(): part for name, part in value.items()} if isinstance(value, dict) else {}
