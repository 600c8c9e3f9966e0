"""Rules about what stands in records: all that the provider said, in its own words, to the last digit."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

import httpx

from tieline.errors import ProviderError
from tieline.testing import odd
from tieline.testing.bench import Bench
from tieline.testing.pretender import ArchivingPretender
from tieline.testing.reading import again, read
from tieline.testing.rule import rule

_OF_A_FLOAT = 17


@rule(
    says="Fields that nobody knows change nothing.",
    mend="Take what you know of an object, and pass over the rest.",
)
async def unknown_fields_change_nothing(bench: Bench) -> None:
    login = await bench.login()
    for feed in bench.feeds:
        plain = await read(bench, login, feed)
        bench.wire.bend(_altered(odd.with_more_fields))
        try:
            other = await read(bench, login, feed)
        except ProviderError as error:
            raise unknown_fields_change_nothing.broken(
                f"{type(error).__name__} came of one in its feed {feed.name!r}"
            ) from error
        finally:
            bench.wire.bend(None)
        if other.records != plain.records:
            raise unknown_fields_change_nothing.broken(f"records of its feed {feed.name!r} became others")


@rule(
    says="A word that nobody knows, in a field that holds one of a few, is kept as it comes.",
    mend="Keep the provider's word as text: providers add words without notice.",
)
async def unknown_words_are_kept(bench: Bench) -> None:
    login = await bench.login()
    for feed in bench.feeds:
        bench.wire.answers.clear()
        plain = await read(bench, login, feed)
        words = {
            word
            for answer in bench.wire.answers
            for path, word in odd.leaves(odd.body_of(answer))
            if path and path[-1] in bench.pretender.words and isinstance(word, str)
        }
        bench.wire.bend(_altered(lambda body: odd.with_other_words(body, bench.pretender.words)))
        try:
            other = await read(bench, login, feed)
        except ProviderError as error:
            raise unknown_words_are_kept.broken(
                f"{type(error).__name__} came of one in its feed {feed.name!r}"
            ) from error
        finally:
            bench.wire.bend(None)
        if not set(plain.records) <= set(other.records):
            raise unknown_words_are_kept.broken(f"records of its feed {feed.name!r} were lost")
        for key, record in plain.records.items():
            was, became = dict(odd.leaves(record.data)), dict(odd.leaves(other.records[key].data))
            is_lost = any(was[path] in words and became.get(path) != was[path] for path in was)
            if is_lost and odd.UNHEARD_OF not in became.values():
                raise unknown_words_are_kept.broken(f"one of {key[0]!r} had it no more")


def _altered(alter: Callable[[Any], Any]) -> Callable[[int, httpx.Response], httpx.Response]:
    def bend(_number: int, answer: httpx.Response) -> httpx.Response:
        body = odd.body_of(answer)
        return answer if body is None else odd.with_body(answer, alter(body))

    return bend


@rule(
    says="An amount of twenty digits and more keeps each of them.",
    mend="Read amounts as Decimal, as answer.json() and amount() do: a float holds seventeen digits.",
)
async def amounts_keep_their_digits(bench: Bench) -> None:
    login = await bench.login()
    for feed in bench.feeds:
        bench.wire.answers.clear()
        plain = await read(bench, login, feed)
        sent = {abs(amount) for answer in bench.wire.answers for amount in odd.amounts_in(answer)}
        bench.wire.bend(lambda _, answer: odd.with_long_amounts(answer))
        try:
            other = await read(bench, login, feed)
        finally:
            bench.wire.bend(None)
        for (dataset, id_), record in plain.records.items():
            now = other.records.get((dataset, id_))
            was, became = (dict(odd.leaves(one.data)) if one else {} for one in (record, now))
            for path, amount in was.items():
                if _amount(amount) in sent and became.get(path) != amount and _is_short(became.get(path)):
                    raise amounts_keep_their_digits.broken(f"{path[-1]!r} of one of {dataset!r} did not")


@rule(
    says="What was archived is a record still, which is not active.",
    mend="Set active by what the provider calls archived, inactive or voided.",
)
async def archived_records_are_inactive(bench: Bench) -> None:
    if not isinstance(bench.pretender, ArchivingPretender):
        return
    login = await bench.login()
    for feed in bench.feeds:
        kept = await read(bench, login, feed)
        for dataset in feed.datasets:
            archived = await bench.pretender.archive(dataset)
            if archived is None:
                continue
            kept = await again(bench, login, feed, kept)
            record = kept.records.get((dataset, archived))
            if record is None or record.active:
                state = "gone" if record is None else "active"
                raise archived_records_are_inactive.broken(f"one of {dataset!r} was {state}")


def _amount(value: object) -> Decimal | None:
    """What it is without its sign; None where it is none."""
    try:
        return abs(Decimal(value)) if isinstance(value, str) else None
    except InvalidOperation:
        return None


def _is_short(value: object) -> bool:
    amount = _amount(value)
    return amount is None or len(amount.as_tuple().digits) <= _OF_A_FLOAT


RULES = (
    unknown_fields_change_nothing,
    unknown_words_are_kept,
    amounts_keep_their_digits,
    archived_records_are_inactive,
)
