"""Rules about answers: limits by name, and whatever else a provider's servers may say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import get_args

import httpx

from tieline.errors import ProviderBroken, ProviderError, ProviderUnavailable
from tieline.plugins import Fault, Feed, FeedKind, Remaining, asked_wait, faults
from tieline.testing import odd
from tieline.testing.bench import Bench, Heard, Login
from tieline.testing.reading import Kept, read
from tieline.testing.rule import Rule, rule

_WAIT_SECONDS = 7
_PAGES = 3
_FIGURES = ("", "nothing", "-1", "1.5", "9" * 40, "\u0663", "12, 13")


@rule(
    says="A refusal over a limit is Throttled with the name and scope that limits() has for it; "
    "of another one only where the refusal does not say which it is.",
    mend="Use the names of limits() in classify, and take the limit from what the refusal says.",
)
async def refusals_name_their_limit(bench: Bench) -> None:
    login = await bench.login()
    for tier in (None, *bench.provider.info.tiers):
        scopes = {limit.name: limit.scope for limit in bench.provider.limits(tier)}
        for name in scopes:
            is_said = await bench.pretender.throttle(name, _WAIT_SECONDS)
            refusal, _ = await _refused(bench, login, refusals_name_their_limit, name)
            known = {limit.name: limit.scope for limit in bench.provider.limits(None)} | scopes
            is_other = is_said is True and refusal.limit != name
            if is_other or known.get(refusal.limit) is not refusal.scope:
                raise refusals_name_their_limit.broken(
                    f"one over {name!r} was of {refusal.limit!r} and the {refusal.scope}"
                )


@rule(
    says="Where a refusal has Retry-After, Throttled says to wait as long; never is it less than nothing.",
    mend="Give Throttled asked_wait(response.headers), which reads seconds and dates.",
)
async def refusals_say_how_long(bench: Bench) -> None:
    login = await bench.login()
    for name in [limit.name for limit in bench.provider.limits(None)]:
        await bench.pretender.throttle(name, _WAIT_SECONDS)
        refusal, answer = await _refused(bench, login, refusals_say_how_long, name)
        wait, said = refusal.retry_after, asked_wait(answer.headers)
        if wait is None and said is not None:
            raise refusals_say_how_long.broken(f"one over {name!r} does not, where the provider does")
        if wait is not None and wait < (said or timedelta(0)):
            raise refusals_say_how_long.broken(f"one over {name!r} is to wait for {wait.total_seconds()} s")


async def _refused(
    bench: Bench, login: Login, kept: Rule, name: str
) -> tuple[faults.Throttled, httpx.Response]:
    """What a call of the organisation's details makes of the refusal, and that; it is made again then."""
    heard, before = Heard(), len(bench.wire.answers)
    session = await bench.session(login, heard=heard)
    try:
        await bench.provider.organisation(session)
    except ProviderError as error:
        raise kept.broken(f"{type(error).__name__} came of it") from error
    if not heard.refusals:
        raise kept.broken(f"one over {name!r} was none to classify")
    return heard.refusals[0], bench.wire.answers[before]


@rule(
    says="remaining gives figures of limits that limits() has, and nothing where one cannot be read.",
    mend="Leave out what is no plain number, and never raise.",
)
async def figures_are_read_with_care(bench: Bench) -> None:
    login, heard = await bench.login(), Heard()
    await bench.provider.organisation(await bench.session(login, heard=heard))
    names = {
        limit.name for tier in (None, *bench.provider.info.tiers) for limit in bench.provider.limits(tier)
    }
    figures = list(heard.figures)
    for answer in bench.wire.answers[-1:]:
        for header in answer.headers:
            figures += [one for figure in _FIGURES for one in _figures(bench, answer, header, figure)]
    for figure in figures:
        if figure.limit not in names or figure.left < 0:
            raise figures_are_read_with_care.broken(f"one is {figure.left!r} of {figure.limit!r}")


def _figures(bench: Bench, answer: httpx.Response, header: str, figure: str) -> list[Remaining]:
    headers = [(name, value) for name, value in answer.headers.items() if name != header]
    said = [(name.encode(), value.encode()) for name, value in [*headers, (header, figure)]]
    try:
        return list(bench.provider.remaining(httpx.Response(answer.status_code, headers=said)))
    except Exception as error:
        raise figures_are_read_with_care.broken(
            f"{type(error).__name__} came where {header!r} was {figure[:10]!r}"
        ) from error


@rule(
    says="classify gives None or a value of faults for any status with any body, and never raises.",
    mend="Look at the status first, and take from a body only what is there and of the type you want.",
)
async def anything_can_be_classified(bench: Bench) -> None:
    for status in odd.STATUSES:
        for what, kind, body in odd.BODIES:
            for retry_after in ("7", "soon"):
                answer = odd.response(status, kind, body, **{"retry-after": retry_after})
                try:
                    fault = bench.provider.classify(answer)
                except Exception as error:
                    raise anything_can_be_classified.broken(
                        f"{type(error).__name__} came of {what} with {status}"
                    ) from error
                if fault is not None and not isinstance(fault, get_args(Fault)):
                    raise anything_can_be_classified.broken(
                        f"{what} with {status} was a {type(fault).__name__}"
                    )


@rule(
    says="What is no answer of the provider's is never taken for one: ProviderBroken or ProviderUnavailable comes.",
    mend="Raise ProviderBroken where the part is missing that even an empty list has: "
    "what is taken for an empty one deletes records.",
)
async def odd_bodies_are_no_books(bench: Bench) -> None:
    login = await bench.login()
    bench.wire.remembers = True
    for feed in bench.feeds:
        ended = await read(bench, login, feed)
        cursors = {None, ended.cursor if feed.kind is FeedKind.CHANGES else None}
        for cursor in cursors:
            for what, kind, body in odd.BODIES:
                bench.wire.bend(_instead(odd.response(200, kind, body)))
                try:
                    await read(bench, login, feed, onto=Kept(cursor=cursor))
                except (ProviderBroken, ProviderUnavailable):
                    continue
                except ProviderError as error:
                    raise odd_bodies_are_no_books.broken(
                        f"{what} became {type(error).__name__} in its feed {feed.name!r}"
                    ) from error
                finally:
                    bench.wire.bend(None)
                raise odd_bodies_are_no_books.broken(f"{what} was a page of its feed {feed.name!r}")


def _instead(said: httpx.Response) -> Callable[[int, httpx.Response], httpx.Response]:
    def bend(_number: int, _answer: httpx.Response) -> httpx.Response:
        return httpx.Response(said.status_code, headers=said.headers, content=said.content)

    return bend


@rule(
    says="One record that cannot be read costs no other: it is set aside, and the page goes on.",
    mend="Read each record by itself, and make a SetAside of what raises Unreadable.",
)
async def one_bad_record_costs_no_other(bench: Bench) -> None:
    login = await bench.login()
    bench.wire.remembers = True
    for feed in bench.feeds:
        bench.wire.answers.clear()
        await read(bench, login, feed, pages=_PAGES)
        bodies = [odd.body_of(answer) for answer in bench.wire.answers]
        number = next((n for n, body in enumerate(bodies) if odd.records_in(body)), None)
        if number is None:
            continue  # such as the organisation: one record, and nothing that it could cost
        records = odd.records_in(bodies[number]) or ()
        body = odd.shortened(bodies[number], records)
        shown = await _count(bench, login, feed, number, body, "a few records")
        for what, spoilt in odd.spoilt(body, records):
            if await _count(bench, login, feed, number, spoilt, what) < shown:
                raise one_bad_record_costs_no_other.broken(
                    f"{what} in its feed {feed.name!r} made records vanish"
                )


async def _count(bench: Bench, login: Login, feed: Feed, number: int, body: object, what: str) -> int:
    """How many records are shown, set aside or gone where one call is answered with this."""
    bench.wire.bend(lambda called, answer: odd.with_body(answer, body) if called == number else answer)
    try:
        kept = await read(bench, login, feed, pages=_PAGES)
    except ProviderError as error:
        raise one_bad_record_costs_no_other.broken(
            f"{type(error).__name__} came of {what} in its feed {feed.name!r}"
        ) from error
    finally:
        bench.wire.bend(None)
    return sum(len(page.records) + len(page.set_aside) + len(page.gone) for page in kept.pages)


RULES = (
    refusals_name_their_limit,
    refusals_say_how_long,
    figures_are_read_with_care,
    anything_can_be_classified,
    odd_bodies_are_no_books,
    one_bad_record_costs_no_other,
)
