"""Abacus with one thing wrong at a time: for each rule of the kit a provider that breaks it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx

from tests.conformance import broken_quietly, rash, ringing
from tieline.errors import ProviderBroken
from tieline.plugins import (
    Consent,
    Fault,
    Feed,
    Grant,
    Limit,
    OrganisationDetails,
    Page,
    Product,
    Provider,
    ProviderInfo,
    Reached,
    Remaining,
    Session,
    SetAside,
    SettingKind,
    Subject,
    faults,
)
from tieline.plugins.entries import Entry
from tieline_abacus import ACCOUNTS, INFO, READ_TAX_RATES, TAX_RATES, Abacus

_counter = itertools.count()
_read_once: set[str] = set()


def with_feeds(*feeds: Feed) -> ProviderInfo:
    return replace(INFO, feeds={Product.BOOKKEEPING: feeds})


class NeverTheSame(Abacus):
    def limits(self, tier: str | None) -> Sequence[Limit]:
        return [replace(limit, most=limit.most + next(_counter)) for limit in super().limits(tier)]


class Generous(Abacus):
    def limits(self, tier: str | None) -> Sequence[Limit]:
        return super().limits(tier or "large")


class Forgetful(Abacus):
    def subject(self, grant: Grant) -> Subject:
        return replace(super().subject(grant), id=f"c-{next(_counter)}")


class Reticent(Abacus):
    async def organisations(self, session: Session, consent: Consent | None) -> Sequence[Reached]:
        return [replace(one, consented=False) for one in await super().organisations(session, consent)]


class Waiting(Abacus):
    async def organisations(self, session: Session, consent: Consent | None) -> Sequence[Reached]:
        await asyncio.Event().wait()
        return await super().organisations(session, consent)


class ThreeLetters(Abacus):
    async def organisation(self, session: Session) -> OrganisationDetails:
        return replace(await super().organisation(session), country="GBR")


class Clinging(Abacus):
    async def release(self, session: Session, external_id: str) -> None:
        await session.request("DELETE", f"companies/{external_id}/access")


class SaysBroken(Abacus):
    def classify(self, response: httpx.Response) -> Fault | None:
        return faults.Broken(message="no") if response.status_code == 401 else super().classify(response)


class SaysMissing(Abacus):
    def classify(self, response: httpx.Response) -> Fault | None:
        return faults.Missing() if response.status_code == 401 else super().classify(response)


class OtherNames(Abacus):
    def classify(self, response: httpx.Response) -> Fault | None:
        fault = super().classify(response)
        return replace(fault, limit="quota") if isinstance(fault, faults.Throttled) else fault


class Credulous(Abacus):
    def remaining(self, response: httpx.Response) -> Sequence[Remaining]:
        return [Remaining(limit="day", left=int(response.headers.get("x-day-left", "0")))]


class Trusting(Abacus):
    def classify(self, response: httpx.Response) -> Fault | None:
        if response.status_code == 400:
            return faults.Rejected(message=response.json()["error"]["message"])
        return super().classify(response)


class Lenient(Abacus):
    async def _asked(self, session: Session, feed: Feed, asked: dict[str, str]) -> Entry:
        answer = (await session.get(f"companies/{session.organisation}/{feed.name}", params=asked)).json()
        return {"records": [], "as_of": "0", **answer}


class Strict(Abacus):
    async def _asked(self, session: Session, feed: Feed, asked: dict[str, str]) -> Entry:
        answer = await super()._asked(session, feed, asked)
        if not set(answer) <= {"records", "deleted", "as_of", "more"}:
            raise ProviderBroken("abacus", "a list has more than is known")
        return answer


@dataclass(frozen=True, kw_only=True)
class Bent(Abacus):
    """Each page is bent before it is handed over; `of` is the feed in question."""

    bend: Callable[[Page], Any]
    of: Feed = ACCOUNTS

    async def pull(self, session: Session, feed: Feed, cursor: str | None) -> AsyncIterator[Page]:
        async for page in super().pull(session, feed, cursor):
            yield self.bend(page) if feed == self.of else page


@dataclass(frozen=True, kw_only=True)
class Scripted(Abacus):
    """Reads in a way of its own."""

    pulled: Callable[[Abacus, Session, Feed, str | None], AsyncIterator[Page]]

    def pull(self, session: Session, feed: Feed, cursor: str | None) -> AsyncIterator[Page]:
        return self.pulled(Abacus(), session, feed, cursor)


def first_record(page: Page, **changes: Any) -> Page:
    """The first one is another."""
    return replace(
        page, records=tuple(replace(one, **changes) for one in page.records[:1]) + page.records[1:]
    )


def each_record(page: Page, change: Callable[[Any], dict[str, Any]]) -> Page:
    return replace(
        page, records=tuple(replace(one, data={**one.data, **change(one)}) for one in page.records)
    )


def only_known_types(page: Page) -> Page:
    known = [one for one in page.records if one.data["type"] in {"EXPENSE", None}]
    unknown = [one for one in page.records if one not in known]
    told = [SetAside(dataset=one.dataset, external_id=one.external_id, why="What?") for one in unknown]
    return replace(page, records=tuple(known), set_aside=(*page.set_aside, *told))


def all_or_nothing(page: Page) -> Page:
    if page.set_aside:
        raise ProviderBroken("abacus", "an account cannot be read")
    return page


async def raising(*_: Any) -> AsyncIterator[Page]:
    accounts: dict[str, str] = {}
    yield Page(records=(), cursor=accounts["as_of"], last=True)


async def waiting(*_: Any) -> AsyncIterator[Page]:
    await asyncio.Event().wait()
    yield Page(records=(), cursor=None, last=True)


async def without_end(*_: Any) -> AsyncIterator[Page]:
    for number in itertools.count():
        yield Page(records=(), cursor=str(number), last=False)


async def breaking_off(
    abacus: Abacus, session: Session, feed: Feed, cursor: str | None
) -> AsyncIterator[Page]:
    async for page in abacus.pull(session, feed, cursor):
        if page.records:
            yield replace(page, last=False)


async def in_circles(abacus: Abacus, session: Session, feed: Feed, cursor: str | None) -> AsyncIterator[Page]:
    async for page in abacus.pull(session, feed, cursor):
        yield page if page.last else replace(page, cursor=cursor)


async def one_too_far(
    abacus: Abacus, session: Session, feed: Feed, cursor: str | None
) -> AsyncIterator[Page]:
    """Who comes with a cursor is thought to have the next record already."""
    async for page in abacus.pull(session, feed, cursor):
        begun = cursor is not None and not page.last
        yield replace(page, records=page.records[1:]) if begun else page


async def by_number(abacus: Abacus, session: Session, feed: Feed, cursor: str | None) -> AsyncIterator[Page]:
    """The cursor is the number of a page."""
    if feed == TAX_RATES:
        async for page in abacus.pull(session, feed, None):
            yield page
        return
    begun = int(cursor or "0")
    pages = [page async for page in abacus.pull(session, feed, None)]
    for number, page in enumerate(pages[begun:], begun + 1):
        yield replace(page, cursor=str(number))
    if begun >= len(pages):
        yield Page(records=(), cursor=str(begun), last=True)


async def only_what_is_new(
    abacus: Abacus, session: Session, feed: Feed, cursor: str | None
) -> AsyncIterator[Page]:
    """Of a snapshot, too: whoever has read it once is shown nothing more."""
    async for page in abacus.pull(session, feed, cursor):
        is_known = feed.name in _read_once
        if feed == TAX_RATES:
            _read_once.add(feed.name)
        yield replace(page, records=()) if is_known else page


async def deaf(abacus: Abacus, session: Session, feed: Feed, cursor: str | None) -> AsyncIterator[Page]:
    """After the first reading nothing is ever new."""
    async for page in abacus.pull(session, feed, cursor):
        yield replace(page, cursor="999999") if page.last and feed == ACCOUNTS else page


async def asking_first(
    abacus: Abacus, session: Session, feed: Feed, cursor: str | None
) -> AsyncIterator[Page]:
    """Looks whether the company is still there, each time."""
    await abacus.organisation(session)
    async for page in abacus.pull(session, feed, cursor):
        yield page


BROKEN: Sequence[tuple[str, Provider]] = (
    ("the-start-accepts-it", Abacus(info=replace(INFO, slug="Abacus!"))),
    ("data-stays-the-same", NeverTheSame()),
    ("unknown-tiers-get-the-least", Generous()),
    (
        "datasets-have-one-feed",
        Abacus(info=with_feeds(ACCOUNTS, TAX_RATES, replace(TAX_RATES, name="more", datasets=("accounts",)))),
    ),
    ("imports-do-nothing", rash.Rash()),
    ("subjects-stay", Forgetful()),
    ("logins-show-what-they-reach", Reticent()),
    ("details-are-in-standard-words", ThreeLetters()),
    ("letting-go-twice-is-harmless", Clinging()),
    ("old-tokens-are-renewed", SaysBroken()),
    ("ended-consents-are-noticed", SaysMissing()),
    ("refusals-name-their-limit", OtherNames()),
    ("figures-are-read-with-care", Credulous()),
    ("anything-can-be-classified", Trusting()),
    ("odd-bodies-are-no-books", Lenient()),
    ("unknown-fields-change-nothing", Strict()),
    ("unknown-words-are-kept", Bent(bend=only_known_types)),
    ("one-bad-record-costs-no-other", Bent(bend=all_or_nothing, of=TAX_RATES)),
    (
        "settings-can-be-chosen",
        Abacus(
            info=replace(
                with_feeds(ACCOUNTS, replace(TAX_RATES, datasets=("tax_rates", "tax_agencies"))),
                connection_settings=(
                    replace(
                        READ_TAX_RATES,
                        kind=SettingKind.RECORD,
                        default=None,
                        dataset="tax_agencies",
                        feeds=(),
                    ),
                ),
            )
        ),
    ),
    ("pages-are-pages", Bent(bend=lambda page: list(page.records))),
    ("datasets-are-the-feeds", Bent(bend=lambda page: first_record(page, dataset="contacts"))),
    ("records-can-be-stored", Bent(bend=lambda page: first_record(page, external_id="x" * 201))),
    ("amounts-are-exact", Bent(bend=lambda page: each_record(page, lambda _: {"balance": 0.1}))),
    ("cursors-are-short", Bent(bend=lambda page: replace(page, cursor="x" * 4_097))),
    ("cursors-move-on", Scripted(pulled=in_circles)),
    ("the-last-page-says-so", Scripted(pulled=breaking_off)),
    ("readings-end", Scripted(pulled=without_end)),
    ("snapshots-leave-no-cursor", Bent(bend=lambda page: replace(page, cursor="1"), of=TAX_RATES)),
    ("whole-is-said-where-it-holds", Bent(bend=lambda page: replace(page, whole=True))),
    ("pages-come-in-time", Scripted(pulled=waiting)),
    ("only-errors-of-the-tree", Scripted(pulled=raising)),
    ("everything-is-shown", Bent(bend=lambda page: replace(page, records=page.records[:-1]))),
    (
        "the-same-books-are-the-same-records",
        Bent(bend=lambda page: each_record(page, lambda _: {"read": next(_counter)})),
    ),
    ("snapshots-show-everything-each-time", Scripted(pulled=only_what_is_new)),
    ("readings-go-on-after-any-page", Scripted(pulled=one_too_far)),
    ("cursors-are-good-for-any-size", Scripted(pulled=by_number)),
    ("changes-are-found", Scripted(pulled=deaf)),
    ("what-is-deleted-goes", Bent(bend=lambda page: replace(page, gone=()))),
    ("no-change-costs-what-is-declared", Scripted(pulled=asking_first)),
    *broken_quietly.BROKEN,
    *ringing.BROKEN,
)
"""The rule that each breaks, and the provider. A rule may be broken in several ways."""
