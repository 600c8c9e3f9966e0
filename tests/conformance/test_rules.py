"""Each rule of the conformance kit is broken by a provider of its own, and says so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from pretended_abacus import PretendedAbacus, pretending
from tests.conformance.broken import BROKEN, Waiting
from tests.conformance.broken_quietly import Remembering
from tests.conformance.ringing import without
from tieline.plugins import Provider
from tieline.testing import RULES, Pretender, Rule, RuleBroken, reading, suite
from tieline.testing.rules import consents, feeds, webhooks
from tieline.testing.suite import examine
from tieline_abacus import Abacus

COSTS = {"accounts": 1, "tax_rates": 1}


@asynccontextmanager
async def without_webhooks() -> AsyncIterator[Pretender]:
    yield without(PretendedAbacus(), "webhook_secret", "signed", "tell")


@pytest.mark.parametrize(
    ("id_", "provider"), BROKEN, ids=lambda one: one if isinstance(one, str) else type(one).__name__
)
async def test_who_breaks_a_rule_is_told_which_and_what_to_do(
    id_: str, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = next(one for one in RULES if one.id == id_)
    monkeypatch.setattr(reading, "PAGE_SECONDS", 0.5 if kept.id == "pages-come-in-time" else 60.0)

    with pytest.raises(RuleBroken) as broken:
        await examine(kept, provider, pretending, unchanged_calls=COSTS)

    assert str(broken.value).startswith(f"{kept.id}: {kept.says} But ")
    assert str(broken.value).endswith(f". {kept.mend}")


async def test_a_provider_that_never_answers_breaks_the_rule_that_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(suite, "RULE_SECONDS", 0.5)

    with pytest.raises(
        RuleBroken, match=r"^logins-show-what-they-reach: .* But after 0\.5 seconds it was not"
    ):
        await examine(consents.logins_show_what_they_reach, Waiting(), pretending, unchanged_calls=COSTS)


async def test_what_a_process_remembers_is_not_there_in_another() -> None:
    with pytest.raises(RuleBroken, match="But in another process KeyError came out of its feed 'accounts'"):
        await examine(feeds.readings_go_on_after_any_page, Remembering(), pretending, unchanged_calls=COSTS)


@pytest.mark.parametrize("kept", webhooks.RULES, ids=lambda one: one.id)
async def test_who_takes_webhooks_needs_a_pretender_that_tells_and_who_takes_none_does_not(
    kept: Rule,
) -> None:
    silent = without(Abacus(), "webhooks", "parse_webhook")
    await examine(kept, Abacus(), pretending, unchanged_calls=COSTS)
    await examine(kept, silent, without_webhooks, unchanged_calls=COSTS)

    with pytest.raises(RuleBroken, match="the pretender has no webhook_secret, signed and tell"):
        await examine(kept, Abacus(), without_webhooks, unchanged_calls=COSTS)


def test_each_rule_has_a_name_of_its_own_and_a_provider_that_breaks_it() -> None:
    ids = [one.id for one in RULES]

    assert len(set(ids)) == len(ids)
    assert {id_ for id_, _ in BROKEN} == set(ids)
    for one in RULES:
        assert one.says.endswith(".")
        assert one.mend.endswith(".")
