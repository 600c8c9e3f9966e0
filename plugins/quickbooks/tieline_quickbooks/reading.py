"""A feed of a company, page by page.

CHANGES     one call for all entities since the last reading; each entity by query where there is none
SNAPSHOT    the company in two calls; tax codes, their rates and agencies in three: change data capture omits them
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tieline.errors import AnswerTooLarge
from tieline.plugins import Feed, Page, Record, Session, SetAside
from tieline_quickbooks import places
from tieline_quickbooks.asking import Company, Listed
from tieline_quickbooks.company import organisation_of
from tieline_quickbooks.mapping import NOUNS, Sorted, sorted_out
from tieline_quickbooks.places import PAGE_SIZE, Place, Sight
from tieline_quickbooks.taxes import taxes_of
from tieline_quickbooks.wire import changed_at

_ENTITIES = tuple(noun.entity for noun in NOUNS)


async def pull(session: Session, feed: Feed, cursor: str | None, *, provider: str) -> AsyncIterator[Page]:
    """The pages of a feed from the cursor on. Raises what the session raises, ProviderBroken and CursorTooOld."""
    company = Company.of(session, provider=provider)
    if feed.name == "organisation":
        yield _page(await organisation_of(company))
        return
    if feed.name == "tax_rates":
        yield _page(await taxes_of(company))
        return
    place, is_over = Place.of(cursor, now=session.now()), False
    while not is_over:
        is_whole = place.is_whole
        place, is_over, found = await _step(company, place)
        yield _page(found, cursor=place.cursor(), last=is_over, whole=is_over and is_whole)


async def _step(company: Company, place: Place) -> tuple[Place, bool, Sequence[Sorted]]:
    """One page: where the reading stands then, whether it is over, and what it brought."""
    size = company.session.page_size(PAGE_SIZE)
    is_less, place = size < place.size, replace(place, size=size)
    if place.walk is not None:
        return await _query(company, place, size)
    if is_less:  # since this place was reached: the page that begins here was too large to be stored
        return places.narrowed(place), False, ()
    try:
        return await _changes(company, place)
    except AnswerTooLarge:
        return places.narrowed(place), False, ()


async def _changes(company: Company, place: Place) -> tuple[Place, bool, Sequence[Sorted]]:
    """However few records a page may have: change data capture cannot be asked for less."""
    entities = _ENTITIES if place.entity is None else (_ENTITIES[place.entity],)
    listed = await company.changes(entities, place.since or 0)
    following, is_over = places.changed(place, listed.count, listed.at, entities=len(NOUNS))
    return following, is_over, await _sorted(listed)


async def _query(company: Company, place: Place, size: int) -> tuple[Place, bool, Sequence[Sorted]]:
    noun, position, number = NOUNS[place.entity or 0], 1, size
    walk = place.walk or places.Walk()
    if walk.is_uncounted:
        left = await company.count(noun, since=walk.since, until=place.until)
        place, is_over = places.counted(place, left, entities=len(NOUNS))
        if left <= 0:
            return place, is_over, ()
        walk = place.walk or places.Walk()
    if walk.left is not None:
        position, number = places.window(walk.left, size)
    listed = await company.query(noun, since=walk.since, until=place.until, position=position, size=number)
    following, is_over = places.walked(place, _sight(listed, number), entities=len(NOUNS))
    return following, is_over, await _sorted(listed)


def _sight(listed: Listed, size: int) -> Sight:
    elements = [one for found in listed.elements.values() for one in found]
    changes = [at for one in elements if isinstance(one, dict) and (at := changed_at(one)) is not None]
    return Sight(changes=changes, count=len(elements), size=size, at=listed.at)


async def _sorted(listed: Listed) -> Sequence[Sorted]:
    return await asyncio.to_thread(_sorted_now, listed.elements)


def _sorted_now(elements: Mapping[str, Sequence[Any]]) -> list[Sorted]:
    return [sorted_out(noun, element) for noun in NOUNS for element in elements.get(noun.entity, ())]


def _page(
    found: Iterable[Sorted], *, cursor: str | None = None, last: bool = True, whole: bool = False
) -> Page:
    found = list(found)
    return Page(
        records=tuple(one for one in found if isinstance(one, Record)),
        set_aside=tuple(one for one in found if isinstance(one, SetAside)),
        gone=tuple(one for one in found if isinstance(one, tuple)),
        cursor=cursor,
        last=last,
        whole=whole,
    )
