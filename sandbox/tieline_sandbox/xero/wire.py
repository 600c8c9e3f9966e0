"""Values as Xero writes them: its dates, and XML where JSON was not asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MS_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")


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


def iso_instant(at: datetime) -> str:
    """The `…String` beside the time of a change."""
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"


def twin(on: date) -> str:
    """The `…String` beside a document's date."""
    return f"{on.isoformat()}T00:00:00"


def to_xml(name: str, value: Mapping[str, Any]) -> bytes:
    """An object as XML: a list's elements are named by the singular of its name, dates are in ISO 8601 and have no
    `…String` beside them. That of the answer alone says that it is in UTC.
    """
    root = ET.Element(name)
    _fill(root, value)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _fill(element: ET.Element, value: Any) -> None:
    if isinstance(value, Mapping):
        for name, item in value.items():
            if not (name.endswith("String") and name.removesuffix("String") in value):
                _fill(ET.SubElement(element, name), item)
    elif isinstance(value, list):
        for item in value:
            _fill(ET.SubElement(element, _singular(element.tag)), item)
    elif value is not None:
        element.text = _text(element.tag, value)


def _text(name: str, value: Any) -> str:
    at = MS_DATE.fullmatch(value) if isinstance(value, str) else None
    if at is None:
        return str(value).lower() if isinstance(value, bool) else str(value)
    instant = EPOCH + timedelta(milliseconds=int(at[1]))
    return instant.replace(tzinfo=None).isoformat() + ("Z" if name == "DateTimeUTC" else "")


def _singular(name: str) -> str:
    for plural, singular in (("ies", "y"), ("sses", "ss"), ("s", "")):
        if name.endswith(plural):
            return name.removesuffix(plural) + singular
    return name
