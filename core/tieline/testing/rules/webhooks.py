"""Rules about webhooks: who signed them, what they tell of, and what becomes of those that nobody understands."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from tieline.plugins import BadSignature, WebhookEvent, WebhookReceiver, receiver_of
from tieline.testing import odd
from tieline.testing.bench import Bench
from tieline.testing.pretender import TellingPretender
from tieline.testing.rule import Rule, rule
from tieline.vault import Secret

_LONGEST_ID = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class _Told:
    """What was posted when somebody altered a record of a dataset, and what the plugin makes of it."""

    dataset: str
    body: bytes
    events: Sequence[WebhookEvent]


@rule(
    says="A delivery that the provider signed is accepted, and names the organisation as organisations does.",
    mend="Take the signature over the bytes as they came, and spell the id as in Reached.external_id.",
)
async def what_is_signed_is_accepted(bench: Bench) -> None:
    heard = 0
    async for told in _told(bench, what_is_signed_is_accepted):
        heard += 1
        if {event.organisation for event in told.events} != {bench.pretender.organisation}:
            raise what_is_signed_is_accepted.broken(f"a change of {told.dataset} was told of no such one")
    if receiver_of(bench.provider) is not None and not heard:
        raise what_is_signed_is_accepted.broken("the pretender told of nothing")


@rule(
    says="Without the secret nobody is believed: BadSignature comes for another secret, another body and no signature.",
    mend="Call check_signature, or compare in constant time, before anything of the body is read.",
)
async def what_is_not_signed_is_refused(bench: Bench) -> None:
    parts = _parts(bench, what_is_not_signed_is_refused)
    if parts is None:
        return
    receiver, pretender = parts
    secret, other = pretender.webhook_secret, Secret(f"{pretender.webhook_secret.reveal()}2")
    async for told in _told(bench, what_is_not_signed_is_refused):
        signed = pretender.signed(told.body)
        for what, headers, body, key in (
            ("another secret", signed, told.body, other),
            ("a longer body", signed, told.body + b" ", secret),
            ("a shorter body", signed, told.body[:-1], secret),
            ("an empty body", signed, b"", secret),
            ("no signature", {}, told.body, secret),
            ("an empty signature", dict.fromkeys(signed, ""), told.body, secret),
        ):
            try:
                receiver.parse_webhook(headers, body, key)
            except BadSignature:
                continue
            raise what_is_not_signed_is_refused.broken(f"{what} was accepted")


@rule(
    says="Whatever is signed is read without an error, an empty body and words that nobody knows included.",
    mend="Pass over what is not known: a provider holds back what is behind a delivery that is refused.",
)
async def nothing_signed_is_too_odd(bench: Bench) -> None:
    parts = _parts(bench, nothing_signed_is_too_odd)
    if parts is None:
        return
    receiver, pretender = parts
    bodies = [body for _, _, body in odd.BODIES]
    async for told in _told(bench, nothing_signed_is_too_odd):
        bodies += [json.dumps(value).encode() for value in odd.bent(_json(told.body))]
    for body in bodies:
        events = receiver.parse_webhook(pretender.signed(body), body, pretender.webhook_secret)
        if not isinstance(events, list | tuple) or not all(_is_event(event) for event in events):
            raise nothing_signed_is_too_odd.broken(f"{body[:60]!r} gave something else than events")


@rule(
    says="What is told of a dataset touches a feed that fills it, and none that there is not.",
    mend="Name the feeds that have to be read to see the change, as they are called in info.",
)
async def events_touch_their_feeds(bench: Bench) -> None:
    feeds = {feed.name: feed for feed in bench.feeds}
    async for told in _told(bench, events_touch_their_feeds):
        touched = {name for event in told.events for name in event.feeds}
        if not touched <= set(feeds):
            raise events_touch_their_feeds.broken(f"{min(touched - set(feeds))!r} is no feed")
        if not any(told.dataset in feeds[name].datasets for name in touched):
            raise events_touch_their_feeds.broken(f"none of {sorted(touched)} shows {told.dataset}")


@rule(
    says="An event that is delivered again has the same id, and no other event has it.",
    mend="Take the provider's id of the event, or what tells two events apart; None where nothing does.",
)
async def events_keep_their_ids(bench: Bench) -> None:
    parts = _parts(bench, events_keep_their_ids)
    if parts is None:
        return
    receiver, pretender = parts
    seen: set[str] = set()
    async for told in _told(bench, events_keep_their_ids):
        ids = [event.id for event in told.events]
        again = receiver.parse_webhook(pretender.signed(told.body), told.body, pretender.webhook_secret)
        if [event.id for event in again] != ids:
            raise events_keep_their_ids.broken(f"a change of {told.dataset} had others the second time")
        known = [one for one in ids if one is not None]
        if len(set(known)) < len(known) or seen & set(known):
            raise events_keep_their_ids.broken(f"a change of {told.dataset} had one that was there before")
        seen |= set(known)


def _parts(bench: Bench, kept: Rule) -> tuple[WebhookReceiver, TellingPretender] | None:
    """None where the provider takes no webhooks: then it keeps every rule about them."""
    receiver, pretender = receiver_of(bench.provider), bench.pretender
    if receiver is None:
        return None
    if not isinstance(pretender, TellingPretender):
        raise kept.broken("the pretender has no webhook_secret, signed and tell")
    return receiver, pretender


async def _told(bench: Bench, kept: Rule) -> AsyncIterator[_Told]:
    """What is told of each dataset, one after another, once somebody has consented."""
    parts = _parts(bench, kept)
    if parts is None:
        return
    receiver, pretender = parts
    await bench.login()
    for dataset in dict.fromkeys(name for feed in bench.feeds for name in feed.datasets):
        body = await pretender.tell(dataset)
        if body is not None:
            events = receiver.parse_webhook(pretender.signed(body), body, pretender.webhook_secret)
            yield _Told(dataset=dataset, body=body, events=events)


def _json(body: bytes) -> object:
    """None where a provider posts something else."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def _is_event(event: object) -> bool:
    if not isinstance(event, WebhookEvent):
        return False
    parts: list[object] = [event.organisation, *event.feeds]
    if event.id is not None:
        parts.append(event.id)
    return 0 < len(event.organisation) <= _LONGEST_ID and all(isinstance(part, str) for part in parts)


RULES = (
    what_is_signed_is_accepted,
    what_is_not_signed_is_refused,
    nothing_signed_is_too_odd,
    events_touch_their_feeds,
    events_keep_their_ids,
)
