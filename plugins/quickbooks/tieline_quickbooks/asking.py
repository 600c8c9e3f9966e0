"""The calls that a company's books are read by: change data capture, and queries.

https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/change-data-capture
https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/data-queries
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tieline.errors import ProviderBroken
from tieline.plugins import Answer, Session
from tieline_quickbooks.mapping import Noun
from tieline_quickbooks.places import PAGE_SIZE
from tieline_quickbooks.wire import instant

_VERSION = 75
"""The minor version: what is below it has been ignored since August 2025, which changes take another."""

_CHANGED = "Metadata.LastUpdatedTime"
_INACTIVE_TOO = "Active IN (true, false)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """The elements of each entity that an answer names, and when it was made."""

    elements: Mapping[str, Sequence[Any]]
    at: datetime

    @property
    def count(self) -> int:
        return sum(map(len, self.elements.values()))


@dataclass(frozen=True, kw_only=True, slots=True)
class Company:
    """A company, and what is asked of it."""

    session: Session
    provider: str
    realm: str

    @classmethod
    def of(cls, session: Session, *, provider: str) -> Company:
        if session.organisation is None:
            raise ValueError("This session is bound to no organisation.")
        return cls(session=session, provider=provider, realm=session.organisation)

    async def changes(self, entities: Sequence[str], since: int) -> Listed:
        """What changed of these since that second, and what was deleted; 1,000 objects at most, of all together."""
        params = {"entities": ",".join(entities), "changedSince": _written(since)}
        answer = await self.get("cdc", params)
        # A full answer is megabytes: in a thread of its own it holds up nobody's heartbeat.
        return await asyncio.to_thread(self._changes, answer)

    async def query(
        self, noun: Noun, *, since: int | None, until: int | None, position: int, size: int
    ) -> Listed:
        """Records that were changed in the window, both of its seconds included, oldest change first."""
        where = _where(noun, since, until)
        return await self._select(noun.entity, f"{where} ORDERBY {_CHANGED}{_rows(position, size)}")

    async def count(self, noun: Noun, *, since: int | None, until: int | None) -> int:
        """How many records the window holds."""
        answer = await self._queried(f"SELECT COUNT(*) FROM {noun.entity}{_where(noun, since, until)}")  # noqa: S608 - Intuit's own language
        response = answer.json().get("QueryResponse")
        total = response.get("totalCount") if isinstance(response, dict) else None
        if not isinstance(total, int) or isinstance(total, bool):
            raise ProviderBroken(self.provider, "an answer does not say how many records there are")
        return total

    async def preferences(self) -> Sequence[Any]:
        """The one object that there is."""
        return (await self._select("Preferences", "")).elements["Preferences"]

    async def page(self, entity: str, *, position: int, has_inactive: bool = True) -> Sequence[Any]:
        """Of a short list, inactive records too where it has such, so many from this one on, by id."""
        where = f" WHERE {_INACTIVE_TOO}" if has_inactive else ""
        listed = await self._select(entity, f"{where} ORDERBY Id{_rows(position, PAGE_SIZE)}")
        return listed.elements[entity]

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        asked: dict[str, str | int] = {**(params or {}), "minorversion": _VERSION}
        return await self.session.get(f"v3/company/{self.realm}/{path}", params=asked)

    async def _select(self, entity: str, rest: str) -> Listed:
        answer = await self._queried(f"SELECT * FROM {entity}{rest}")  # noqa: S608 - Intuit's own language
        return await asyncio.to_thread(self._listed, answer, entity)

    async def _queried(self, statement: str) -> Answer:
        return await self.get("query", {"query": statement})

    def _changes(self, answer: Answer) -> Listed:
        envelope = answer.json()
        responses = [
            response
            for one in _objects(envelope.get("CDCResponse"))
            for response in _objects(one.get("QueryResponse"))
        ]
        if not responses:
            raise ProviderBroken(self.provider, "its changes hold no list for any entity")
        found: dict[str, list[Any]] = {}
        for response in responses:
            for entity, elements in response.items():
                if isinstance(elements, list):
                    found.setdefault(entity, []).extend(elements)
        return Listed(elements=found, at=self._at(envelope))

    def _listed(self, answer: Answer, entity: str) -> Listed:
        """A page without records does not name the entity."""
        envelope = answer.json()
        response = envelope.get("QueryResponse")
        elements = response.get(entity, []) if isinstance(response, dict) else None
        if not isinstance(elements, list):
            raise ProviderBroken(self.provider, f"its answer holds no list of {entity}")
        return Listed(elements={entity: elements}, at=self._at(envelope))

    def _at(self, envelope: Mapping[str, Any]) -> datetime:
        return instant(envelope.get("time")) or self.session.now()


def _where(noun: Noun, since: int | None, until: int | None) -> str:
    """Of lists the inactive records too; they are left out where nobody asks for them."""
    parts = [
        _INACTIVE_TOO if noun.is_list else None,
        None if since is None else f"{_CHANGED} >= '{_written(since)}'",
        None if until is None else f"{_CHANGED} <= '{_written(until)}'",
    ]
    said = [part for part in parts if part is not None]
    return f" WHERE {' AND '.join(said)}" if said else ""


def _rows(position: int, size: int) -> str:
    return f" STARTPOSITION {position} MAXRESULTS {size}"


def _written(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
