"""Abacus with one thing lost on the way: nothing fails, and records, limits or waits are not what was said."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import httpx

from tieline.plugins import Fault, Feed, FeedKind, Page, Provider, Record, Session, faults
from tieline.plugins.entries import Entry
from tieline_abacus import Abacus

_places: dict[str, str | None] = {}


class OneLimit(Abacus):
    """Every refusal is over the same limit."""

    def classify(self, response: httpx.Response) -> Fault | None:
        fault = super().classify(response)
        return replace(fault, limit="minute") if isinstance(fault, faults.Throttled) else fault


class NeverSays(Abacus):
    """How long to wait is thrown away."""

    def classify(self, response: httpx.Response) -> Fault | None:
        fault = super().classify(response)
        return replace(fault, retry_after=None) if isinstance(fault, faults.Throttled) else fault


class Bending(Abacus, ABC):
    """Each record is bent before it is handed over."""

    @abstractmethod
    def bend(self, record: Record) -> Record: ...

    async def pull(self, session: Session, feed: Feed, cursor: str | None) -> AsyncIterator[Page]:
        async for page in super().pull(session, feed, cursor):
            yield replace(page, records=tuple(self.bend(record) for record in page.records))


class Dropping(Bending):
    """Words that it does not know become nothing."""

    def bend(self, record: Record) -> Record:
        is_known = record.data.get("type") in {"EXPENSE", None}
        return record if is_known else _with(record, {"type": None})


class Rounding(Bending):
    """Amounts go through a float and back."""

    def bend(self, record: Record) -> Record:
        percent = record.data.get("percent")
        return _with(record, {"percent": str(float(percent))}) if isinstance(percent, str) else record


class Twisted(Bending):
    """Of a record only its id is kept."""

    def bend(self, record: Record) -> Record:
        return replace(record, name=None, code=None, data={"id": record.external_id})


class AllActive(Bending):
    """Nothing is ever archived."""

    def bend(self, record: Record) -> Record:
        return replace(record, active=True)


class Remembering(Abacus):
    """A cursor is the key of what this process knows."""

    async def pull(self, session: Session, feed: Feed, cursor: str | None) -> AsyncIterator[Page]:
        async for page in super().pull(session, feed, None if cursor is None else _places[cursor]):
            if feed.kind is FeedKind.CHANGES:
                key = f"k{page.cursor}"
                _places[key] = page.cursor
                yield replace(page, cursor=key)
            else:
                yield page


class FromNow(Abacus):
    """It is not heard that a cursor is too old."""

    async def _asked(self, session: Session, feed: Feed, asked: dict[str, str]) -> Entry:
        return {**await super()._asked(session, feed, asked), "too_old": False}


def _with(record: Record, data: Mapping[str, Any]) -> Record:
    return replace(record, data={**record.data, **data})


BROKEN: Sequence[tuple[str, Provider]] = (
    ("refusals-name-their-limit", OneLimit()),
    ("refusals-say-how-long", NeverSays()),
    ("unknown-words-are-kept", Dropping()),
    ("amounts-keep-their-digits", Rounding()),
    ("archived-records-are-inactive", AllActive()),
    ("readings-go-on-after-any-page", Remembering()),
    ("changes-are-found", Twisted()),
    ("old-cursors-say-so", FromNow()),
)
"""The rule that each breaks, and the provider. A rule may be broken in several ways."""
