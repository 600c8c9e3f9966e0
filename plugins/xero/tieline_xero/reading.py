"""A feed of an organisation at Xero, page by page: one call for each, with as much in it as Xero gives.

    CHANGES, paged      contacts, documents, payments, journals: `places` says what to ask for next
    CHANGES, whole      accounts, bank transfers: one call since the last change
    SNAPSHOT            organisation, and the lists that do not say what changed: one call for all

https://developer.xero.com/documentation/api/accounting/requests-and-responses
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from tieline.errors import AccessLost, ProviderBroken, ScopeMissing
from tieline.plugins import Answer, Feed, FeedKind, Page, Record, Session, SetAside
from tieline_xero.endpoints import ENDPOINTS, IN_ORDER, Endpoint
from tieline_xero.mapping import Sorted, sorted_out
from tieline_xero.places import Place, Sight, after
from tieline_xero.wire import Unreadable, instant

PAGE_SIZE = 1000
_SMALLEST_PAGE = 100  # what Xero gives where nobody says how much
_API = "api.xro/2.0"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Read:
    """What one call brought, and what it showed of the list."""

    sight: Sight
    found: Sequence[Sorted] = ()

    def page(self, *, cursor: str | None, last: bool) -> Page:
        return Page(
            records=tuple(one for one in self.found if isinstance(one, Record)),
            set_aside=tuple(one for one in self.found if isinstance(one, SetAside)),
            gone=tuple(one for one in self.found if isinstance(one, tuple)),
            cursor=cursor,
            last=last,
        )


async def pull(
    session: Session, feed: Feed, cursor: str | None, *, provider: str, page_size: int = PAGE_SIZE
) -> AsyncIterator[Page]:
    """The pages of a feed from the cursor on, of so many records. Raises what the session raises, and ProviderBroken.

    What not everybody may read is one set aside where it is refused: the connection is good for all the rest.
    """
    if feed.kind is FeedKind.SNAPSHOT:
        read = await _ask(session, feed, Place(), provider, page_size)
        yield read.page(cursor=None, last=True)
        return
    place, is_over = Place.of(cursor), False
    while not is_over:
        try:
            read = await _ask(session, feed, place, provider, page_size)
        except (AccessLost, ScopeMissing) as refused:
            endpoint = ENDPOINTS[feed.name]
            if endpoint.needs is None or not isinstance(refused, endpoint.closed_by):
                raise
            yield _closed(feed, endpoint, place)
            return
        place, is_over = after(place, read.sight)
        yield read.page(cursor=place.cursor(), last=is_over)


def _closed(feed: Feed, endpoint: Endpoint, place: Place) -> Page:
    why = f"Xero lets nobody read {endpoint.path} without {endpoint.needs}: connect again with that to have them."
    aside = SetAside(dataset=feed.datasets[0], external_id="", why=why)
    return Page(records=(), set_aside=(aside,), cursor=place.cursor(), last=True)


async def _ask(session: Session, feed: Feed, place: Place, provider: str, most: int) -> _Read:
    if session.organisation is None:
        raise ValueError("This session is bound to no organisation.")
    endpoint = ENDPOINTS[feed.name]
    headers = {"xero-tenant-id": session.organisation}
    if place.modified_since is not None:
        headers["If-Modified-Since"] = place.modified_since
    params, size = dict(endpoint.params), most
    if endpoint.is_paged:
        size = session.page_size(most)
        params |= {"page": place.page(size), "pageSize": size}
    if endpoint.is_paged and endpoint.is_in_order:
        params["order"] = IN_ORDER
    answer = await session.get(f"{_API}/{endpoint.path}", params=params, headers=headers)
    if answer.status == httpx.codes.NOT_MODIFIED:
        return _Read(sight=Sight(changes=(), pages=1, size=size, at=session.now()))
    # A full page is megabytes: in a thread of its own it holds up nobody's heartbeat.
    return await asyncio.to_thread(_read, answer, feed, provider, size=size, otherwise_at=session.now())


def _read(answer: Answer, feed: Feed, provider: str, *, size: int, otherwise_at: datetime) -> _Read:
    endpoint = ENDPOINTS[feed.name]
    envelope = answer.json()
    elements = envelope.get(endpoint.noun.collection)
    if not isinstance(elements, list):
        raise ProviderBroken(provider, f"its {endpoint.path} holds no list {endpoint.noun.collection}")
    pages = _pages(envelope, len(elements), size) if endpoint.is_paged else 1
    if pages is None:
        raise ProviderBroken(provider, f"its {endpoint.path} does not say how many pages there are")
    changes = [at for element in elements if (at := _instant(element, endpoint.changed)) is not None]
    at = _instant(envelope, "DateTimeUTC") or otherwise_at
    return _Read(
        sight=Sight(changes=changes, pages=pages, size=size, at=at, is_in_order=endpoint.is_in_order),
        found=[sorted_out(endpoint.noun, element, feed.datasets[0]) for element in elements],
    )


def _pages(envelope: Mapping[str, Any], count: int, size: int) -> int | None:
    """A page that is shorter than any full one needs no number."""
    said = envelope.get("pagination")
    pages = said.get("pageCount") if isinstance(said, dict) else None
    if isinstance(pages, int) and not isinstance(pages, bool) and pages >= 0:
        return pages
    return 1 if count < min(size, _SMALLEST_PAGE) else None


def _instant(element: object, field: str) -> datetime | None:
    if not isinstance(element, dict):
        return None
    try:
        return instant(element, field)
    except Unreadable:
        return None
