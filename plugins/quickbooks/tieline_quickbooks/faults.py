"""What Intuit's answers mean: by the code of the fault, else by status. Faults come as JSON `Fault` or `fault`, as XML,
and inside of answers with the status 200; web pages come with any.

    429, or 3001 at any status      Throttled             401, 3200, 100        TokenExpired
    120, 403                        AccessLost            3100                  AppRemoved
    6190                            SubscriptionLapsed    610, 404              Missing
    408, 5xx, HTML                  Transient             other faults, 400 200 Rejected
    anything else                   Broken

https://developer.intuit.com/app/developer/qbo/docs/develop/troubleshooting/error-codes
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from tieline.plugins import Fault, LimitScope, faults

_LARGEST_FAULT = 64 * 1024
_LONGEST_MESSAGE = 500
_LONGEST_WAIT = timedelta(days=2)
_UNSAID_WAIT = timedelta(seconds=60)
_SECONDS = re.compile(r"\d{1,9}")
_HTML = re.compile(rb"\s*(<!doctype html|<html)", re.IGNORECASE)
_XML_FAULT = re.compile(r"<(?:\w+:)?Fault\b")
_XML_CODE = re.compile(r"<(?:\w+:)?Error\b[^>]*?\bcode=\"(\d{1,9})\"")
_SAID_CODE = re.compile(r"errorCode=(\d{1,9})")

_THROTTLED, _EXPIRED, _NO_ACCESS, _REMOVED, _LAPSED, _MISSING = (
    {"3001"},
    {"3200", "100"},
    {"120"},
    {"3100"},
    {"6190"},
    {"610"},
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Said:
    """The codes of a fault, without zeros before them, its sentences, and those by field."""

    codes: frozenset[str]
    sentences: tuple[str, ...] = ()
    fields: dict[str, str]


def classify(response: httpx.Response) -> Fault | None:
    """None for what was asked for. A limit is looked for first: it comes in any form, with any status."""
    said = _fault_of(response)
    codes = said.codes if said is not None else frozenset[str]()
    status = response.status_code
    if status == httpx.codes.TOO_MANY_REQUESTS or codes & _THROTTLED:
        return _throttled(response.headers)
    if said is None and _is_page(response):
        return faults.Transient(message=f"a web page came with the status {status}")
    if said is None and response.is_success:
        return None
    return _by_code(codes) or _by_status(status, said)


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


def _by_status(status: int, said: _Said | None) -> Fault:
    if status == httpx.codes.UNAUTHORIZED:
        return faults.TokenExpired()
    if status == httpx.codes.FORBIDDEN:
        return faults.AccessLost()
    if status == httpx.codes.NOT_FOUND:
        return faults.Missing()
    if status == httpx.codes.REQUEST_TIMEOUT or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return faults.Transient(message=f"the status was {status}")
    if said is not None and said.sentences:
        return faults.Rejected(message=_tidy(" ".join(said.sentences)), fields=said.fields)
    return faults.Broken(message=f"the status was {status}, without a reason we know")


def _throttled(headers: httpx.Headers) -> faults.Throttled:
    """Intuit says to wait a minute. That a month's reads are spent is told in the very same words."""
    waited = headers.get("retry-after", "").strip()
    wait = timedelta(seconds=int(waited)) if _SECONDS.fullmatch(waited) else _UNSAID_WAIT
    return faults.Throttled(
        limit="minute", scope=LimitScope.ORGANISATION, retry_after=min(wait, _LONGEST_WAIT)
    )


def _fault_of(response: httpx.Response) -> _Said | None:
    """The fault that an answer holds; larger answers are data."""
    body = response.content
    if len(body) > _LARGEST_FAULT:
        return None
    if body.lstrip()[:1] == b"<":
        return _of_xml(body.decode("utf-8", "replace"))
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    found = [fault for fault in _faults_in(answer) if isinstance(fault, dict)]
    return _of_json(found) if found else None


def _faults_in(answer: object) -> Iterator[Any]:
    """On top, or in one of the answers that change data capture puts together."""
    if not isinstance(answer, dict):
        return
    for place in (answer, *_listed(answer.get("CDCResponse"))):
        if isinstance(place, dict):
            yield place.get("Fault")
            yield place.get("fault")


def _of_json(found: list[dict[str, Any]]) -> _Said:
    codes, sentences, fields = [], [], {}
    for fault in found:
        for error in map(_lowered, _listed(_lowered(fault).get("error"))):
            message, detail = _text(error.get("message")), _text(error.get("detail"))
            codes += [_text(error.get("code")), *_SAID_CODE.findall(message)]
            sentence = detail or message
            if sentence:
                sentences.append(sentence)
            if sentence and _text(error.get("element")):
                fields[_text(error.get("element"))] = _tidy(sentence)
    return _Said(
        codes=frozenset(_plain(code) for code in codes if code),
        sentences=tuple(dict.fromkeys(sentences)),
        fields=fields,
    )


def _of_xml(body: str) -> _Said | None:
    if not _XML_FAULT.search(body):
        return None
    codes = [*_XML_CODE.findall(body), *_SAID_CODE.findall(body)]
    return _Said(codes=frozenset(_plain(code) for code in codes), fields={})


def _is_page(response: httpx.Response) -> bool:
    kind = response.headers.get("content-type", "").lower()
    return "text/html" in kind or bool(_HTML.match(response.content[:_LARGEST_FAULT]))


def _plain(code: str) -> str:
    """`003001` is `3001`."""
    return code.strip().lstrip("0")


def _tidy(sentence: str) -> str:
    return " ".join(sentence.split())[:_LONGEST_MESSAGE]


def _text(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else ""


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _lowered(value: object) -> dict[str, Any]:
    return {str(name).lower(): part for name, part in value.items()} if isinstance(value, dict) else {}
