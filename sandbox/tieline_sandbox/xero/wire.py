"""Values as Xero writes them: its dates, its numbers, JSON when asked for and XML when not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(at: datetime | date) -> int:
    """Since 1970; a document's date is midnight in UTC."""
    if not isinstance(at, datetime):
        at = datetime(at.year, at.month, at.day, tzinfo=UTC)
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def ms_date(at: datetime | date) -> str:
    return f"/Date({milliseconds(at)}+0000)/"


def ms_instant(at: datetime) -> str:
    """The form without an offset, which some fields have."""
    return f"/Date({milliseconds(at)})/"


def twin(on: date) -> str:
    """The `…String` beside a document's date."""
    return f"{on.isoformat()}T00:00:00"


def is_exact(number: Decimal) -> bool:
    """Whether the number can be written without another one coming out."""
    return Decimal(repr(float(number))) == number


def to_json(value: Any) -> bytes:
    """JSON with decimals as numbers, digit by digit as they are."""
    return json.dumps(value, default=_number, ensure_ascii=False, separators=(",", ":")).encode()


def to_xml(name: str, value: Mapping[str, Any]) -> bytes:
    """The same as XML: a list's elements are named by the singular of its name."""
    root = ET.Element(name)
    _fill(root, value)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)  # exact as long as `is_exact`, which is asked of every edit
    raise TypeError(f"{value!r} cannot be written as JSON.")


def _fill(element: ET.Element, value: Any) -> None:
    if isinstance(value, Mapping):
        for name, item in value.items():
            _fill(ET.SubElement(element, name), item)
    elif isinstance(value, list):
        for item in value:
            _fill(ET.SubElement(element, _singular(element.tag)), item)
    elif value is not None:
        element.text = str(value).lower() if isinstance(value, bool) else str(value)


def _singular(name: str) -> str:
    for plural, singular in (("ies", "y"), ("sses", "ss"), ("s", "")):
        if name.endswith(plural):
            return name.removesuffix(plural) + singular
    return name
