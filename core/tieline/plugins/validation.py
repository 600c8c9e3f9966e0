"""Whether what a plugin offers is a provider that this Tieline can work with: the first thing wrong, as words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from tieline.plugins.connection_settings import flaws_of_connection_settings
from tieline.plugins.contract import CONTRACT_VERSION, Feed, OAuth, Provider, ProviderInfo
from tieline.plugins.limits import Limit, LimitKind
from tieline.plugins.settings import flaws_of_settings
from tieline.plugins.webhooks import Webhooks, receiver_of

_SLUG = re.compile(r"[a-z][a-z0-9_]{1,31}")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,31}")
_REFUSALS = range(400, 500)
_METHODS = ("limits", "remaining", "classify", "subject", "organisations", "organisation", "release", "pull")


def flaw_of(provider: Any) -> str | None:
    """The first flaw, to be put into a sentence after a colon; None when there is none."""
    return next(_flaws(provider), None)


def _flaws(provider: Any) -> Iterator[str]:
    """Each flaw in the order in which it can be looked for: what comes later leans on what came before."""
    info, oauth = getattr(provider, "info", None), getattr(provider, "oauth", None)
    version = getattr(info, "contract_version", CONTRACT_VERSION)
    if version != CONTRACT_VERSION:
        yield f"it speaks contract {version}, this Tieline speaks {CONTRACT_VERSION}"
    absent = [name for name in _METHODS if not callable(getattr(provider, name, None))]
    if not isinstance(info, ProviderInfo) or not isinstance(oauth, OAuth):
        yield "it is no provider, because its 'info' is no ProviderInfo or its 'oauth' no OAuth"
        return
    if absent:
        yield f"it is no provider, because it lacks {', '.join(absent)}"
    yield from _flaws_of_info(info)
    if not set(info.products) <= set(oauth.product_scopes):
        yield "each of its products needs an entry in product_scopes"
    for tier in (None, *info.tiers):
        yield from _flaws_of_limits(provider, tier)
    if info.settings and not callable(getattr(provider, "settled", None)):
        yield "it declares settings, and has no method 'settled' that takes their values"
    yield from flaws_of_settings(info.settings)
    yield from flaws_of_connection_settings(info)
    yield from _flaws_of_webhooks(provider)


def _flaws_of_info(info: ProviderInfo) -> Iterator[str]:
    if not _SLUG.fullmatch(info.slug):
        yield (
            f"its slug {info.slug!r} is not 2 to 32 of lower-case letters, digits and '_' with a letter first"
        )
    if not info.name.strip():
        yield "it has no name"
    if not info.products or len(set(info.products)) < len(info.products):
        yield "it needs at least one product, and each once"
    if not set(info.feeds) <= set(info.products):
        yield "it has feeds for a product that it does not have"
    if len(set(info.tiers)) < len(info.tiers) or not all(_WORD.fullmatch(tier) for tier in info.tiers):
        yield "its tiers need a word each, of 1 to 32 lower-case letters, digits and '_', and no two the same"
    for feeds in info.feeds.values():
        yield from _flaws_of_feeds(feeds)
    if len(set(_all(info))) > len({feed.name for feed in _all(info)}):
        yield "two products use one name for two different feeds"


def _flaws_of_feeds(feeds: tuple[Feed, ...]) -> Iterator[str]:
    names = [feed.name for feed in feeds]
    if len(set(names)) < len(names):
        yield "two feeds of one product have the same name"
    for feed in feeds:
        if not feed.name or not feed.datasets or feed.every <= timedelta(0):
            yield f"the feed {feed.name!r} needs a name, a dataset and an interval"
        if feed.whole_every is not None and feed.whole_every <= timedelta(0):
            yield f"the feed {feed.name!r} cannot be read whole at every moment"


def _flaws_of_limits(provider: Provider, tier: str | None) -> Iterator[str]:
    limits = _limits(provider, tier)
    if limits is None:
        yield f"its limits of the tier {tier!r} cannot be read"
        return
    if len({limit.name for limit in limits}) < len(limits):
        yield "two of its limits have the same name"
    for limit in limits:
        has_window = limit.window is not None and limit.window > timedelta(0)
        if not _WORD.fullmatch(limit.name) or limit.most < 1 or not limit.source:
            yield f"the limit {limit.name!r} needs a word as its name, at least one call, and a source"
        if has_window != (limit.kind is LimitKind.RATE):
            yield f"the limit {limit.name!r} has to have a window if it is a rate, and only then"


def _flaws_of_webhooks(provider: object) -> Iterator[str]:
    webhooks = getattr(provider, "webhooks", None)
    if (webhooks is not None) != (receiver_of(provider) is not None):
        yield "it has one of webhooks and parse_webhook, which belong together"
    elif webhooks is not None and not isinstance(webhooks, Webhooks):
        yield "its 'webhooks' is no Webhooks"
    elif webhooks is not None and (webhooks.refusal not in _REFUSALS or not webhooks.source):
        yield "its webhooks need a refusal of 400 to 499, and a source"


def _limits(provider: Provider, tier: str | None) -> Sequence[Limit] | None:
    """None where the method fails, or returns something else."""
    try:
        limits = tuple(provider.limits(tier))
    except (Exception, SystemExit):  # noqa: BLE001 - whatever a plugin raises here, it does not fit
        return None
    return limits if all(isinstance(limit, Limit) for limit in limits) else None


def _all(info: ProviderInfo) -> Iterable[Feed]:
    return (feed for feeds in info.feeds.values() for feed in feeds)
