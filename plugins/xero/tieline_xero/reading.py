"""A feed of an organisation at Xero, page by page: one call for each, with as much in it as Xero gives.

    CHANGES, paged      contacts, invoices and bills, bank transactions: `places` says what to ask for next
    CHANGES, whole      accounts: one call since the last change
    SNAPSHOT            organisation, tax rates, tracking categories: one call for all

https://developer.xero.com/documentation/api/accounting/requests-and-responses
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from tieline.errors import ProviderBroken
from tieline.plugins import Answer, Feed, FeedKind, Page, Record, Session, SetAside
from tieline_xero import mapping
from tieline_xero.mapping import Noun, Sorted, sorted_out
from tieline_xero.places import Place, Sight, after
from tieline_xero.wire import Unreadable, instant

PAGE_SIZE = 1000
_SMALLEST_PAGE = 100  # what Xero gives where nobody says how much
_API = "api.xro/2.0"
_IN_ORDER = "UpdatedDateUTC ASC"


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    noun: Noun
    path: str
    is_paged: bool = False
    params: Mapping[str, str | int | bool] = field(default_factory=dict)


_FOUR_DECIMALS: Mapping[str, int] = {"unitdp": 4}
_ARCHIVED_TOO: Mapping[str, bool] = {"includeArchived": True}
ENDPOINTS: Mapping[str, Endpoint] = {
    "organisation": Endpoint(noun=mapping.ORGANISATION, path="Organisation"),
    "accounts": Endpoint(noun=mapping.ACCOUNTS, path="Accounts"),
    "tax_rates": Endpoint(noun=mapping.TAX_RATES, path="TaxRates"),
    "tracking_categories": Endpoint(
        noun=mapping.TRACKING_CATEGORIES, path="TrackingCategories", params=_ARCHIVED_TOO
    ),
    "contacts": Endpoint(noun=mapping.CONTACTS, path="Contacts", is_paged=True, params=_ARCHIVED_TOO),
    "invoices": Endpoint(
        noun=mapping.INVOICES, path="Invoices", is_paged=True, params={**_FOUR_DECIMALS, **_ARCHIVED_TOO}
    ),
    "bank_transactions": Endpoint(
        noun=mapping.BANK_TRANSACTIONS, path="BankTransactions", is_paged=True, params=_FOUR_DECIMALS
    ),
}


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


async def pull(session: Session, feed: Feed, cursor: str | None, *, provider: str) -> AsyncIterator[Page]:
    """The pages of a feed from the cursor on. Raises what the session raises, and ProviderBroken."""
    if feed.kind is FeedKind.SNAPSHOT:
        read = await _ask(session, feed, Place(), provider)
        yield read.page(cursor=None, last=True)
        return
    place, is_over = Place.of(cursor), False
    while not is_over:
        read = await _ask(session, feed, place, provider)
        place, is_over = after(place, read.sight)
        yield read.page(cursor=place.cursor(), last=is_over)


async def _ask(session: Session, feed: Feed, place: Place, provider: str) -> _Read:
    if session.organisation is None:
        raise ValueError("This session is bound to no organisation.")
    endpoint = ENDPOINTS[feed.name]
    headers = {"xero-tenant-id": session.organisation}
    if place.modified_since is not None:
        headers["If-Modified-Since"] = place.modified_since
    params, size = dict(endpoint.params), PAGE_SIZE
    if endpoint.is_paged:
        size = session.page_size(PAGE_SIZE)
        params |= {"page": place.page(size), "pageSize": size, "order": _IN_ORDER}
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
    changes = [at for element in elements if (at := _instant(element, "UpdatedDateUTC")) is not None]
    at = _instant(envelope, "DateTimeUTC") or otherwise_at
    return _Read(
        sight=Sight(changes=changes, pages=pages, size=size, at=at),
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
