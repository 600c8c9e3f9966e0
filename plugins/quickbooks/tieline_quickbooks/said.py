"""What a fault in one of Intuit's answers says: its codes, types and sentences, in whichever form it came.

{"Fault": …}                          on top, with any status, 200 too
{"fault": …}                          the gateway's, with small letters
{"QueryResponse": {"Fault": …}}       instead of records, where an empty page would look the same
{"CDCResponse": [{"Fault": …}, …]}    beside the parts that were answered, or within one of them
<Fault>                               XML, also where JSON was asked for
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

LARGEST_FAULT = 64 * 1024
_LONGEST_MESSAGE = 500
_NAMES = (b'"Fault"', b'"fault"')
_XML_FAULT = re.compile(r"<(?:\w+:)?Fault\b([^>]*)>")
_XML_TYPE = re.compile(r"\btype=\"(\w{1,40})\"")
_XML_CODE = re.compile(r"<(?:\w+:)?Error\b[^>]*?\bcode=\"(\d{1,9})\"")
_XML_MESSAGE = re.compile(r"<(?:\w+:)?Message>([^<]*)<")
_XML_DETAIL = re.compile(r"<(?:\w+:)?Detail>([^<]*)<")
_SAID_CODE = re.compile(r"errorCode=(\d{1,9})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """The codes of a fault, without zeros before them, its types in small letters, its sentences, those by field."""

    codes: frozenset[str]
    types: frozenset[str]
    sentences: tuple[str, ...]
    fields: dict[str, str]

    @property
    def message(self) -> str:
        """All that it says, for people."""
        return _tidy(" ".join(self.sentences))


def fault_of(response: httpx.Response) -> Said | None:
    """The fault that an answer holds. A large one is data, and read for a fault only where it names one."""
    body = response.content
    if len(body) > LARGEST_FAULT and not any(name in body for name in _NAMES):
        return None
    if body.lstrip()[:1] == b"<":
        return _of_xml(body[:LARGEST_FAULT].decode("utf-8", "replace"))
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    found = [fault for fault in _faults_in(answer) if isinstance(fault, dict)]
    return _of_json([_lowered(fault) for fault in found]) if found else None


def _faults_in(answer: object) -> Iterator[Any]:
    for part in _parts(answer):
        for place in (part, *_parts(part.get("QueryResponse"))):
            yield place.get("Fault")
            yield place.get("fault")


def _parts(answer: object) -> Iterator[dict[str, Any]]:
    """An object, or those of a list, each with the answers that change data capture puts together in it."""
    for one in _listed(answer) or [answer]:
        if isinstance(one, dict):
            yield one
            yield from (part for part in _listed(one.get("CDCResponse")) if isinstance(part, dict))


def _of_json(faults: list[dict[str, Any]]) -> Said:
    codes, sentences, fields = [], [], {}
    for error in (_lowered(error) for fault in faults for error in _listed(fault.get("error"))):
        message, detail = _text(error.get("message")), _text(error.get("detail"))
        codes += [_text(error.get("code")), *_SAID_CODE.findall(message)]
        sentence = detail or message
        if sentence:
            sentences.append(sentence)
        if sentence and _text(error.get("element")):
            fields[_text(error.get("element"))] = _tidy(sentence)
    return Said(
        codes=frozenset(_plain(code) for code in codes if code),
        types=frozenset(_text(fault.get("type")).lower() for fault in faults),
        sentences=tuple(dict.fromkeys(sentences)),
        fields=fields,
    )


def _of_xml(body: str) -> Said | None:
    fault = _XML_FAULT.search(body)
    if fault is None:
        return None
    codes = [*_XML_CODE.findall(body), *_SAID_CODE.findall(body)]
    sentences = _XML_DETAIL.findall(body) or _XML_MESSAGE.findall(body)
    said = (html.unescape(sentence).strip() for sentence in sentences)
    return Said(
        codes=frozenset(_plain(code) for code in codes),
        types=frozenset(type_.lower() for type_ in _XML_TYPE.findall(fault[1])),
        sentences=tuple(dict.fromkeys(sentence for sentence in said if sentence)),
        fields={},
    )


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
