"""The rules as tests: a plugin's whole file of tests is one call of `conformance`."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Mapping

import pytest

from tieline.plugins import Provider
from tieline.testing.bench import opened
from tieline.testing.pretender import Pretending
from tieline.testing.rule import Rule, RuleBroken
from tieline.testing.rules import RULES

RULE_SECONDS = 300


def conformance(
    provider: Provider, pretending: Pretending, *, unchanged_calls: Mapping[str, int]
) -> Callable[[Rule], None]:
    """A test for each rule. `unchanged_calls` is what each feed costs, by its name, when nothing has changed."""

    @pytest.mark.parametrize("kept", RULES, ids=lambda one: one.id)
    def test_conformance(kept: Rule) -> None:
        asyncio.run(examine(kept, provider, pretending, unchanged_calls=unchanged_calls))

    return test_conformance


async def examine(
    kept: Rule, provider: Provider, pretending: Pretending, *, unchanged_calls: Mapping[str, int]
) -> None:
    """Raises RuleBroken where the provider does not keep the rule, or one without which that cannot be seen."""
    as_new = copy.deepcopy(provider)  # what it may keep in itself is not there for the next rule
    async with pretending() as pretender, opened(as_new, pretender, unchanged_calls) as bench:
        try:
            async with asyncio.timeout(RULE_SECONDS) as limit:
                await kept.check(bench)
        except RuleBroken:
            raise
        except Exception as error:
            if limit.expired():
                raise kept.broken(f"after {RULE_SECONDS} seconds it was not known yet") from error
            raise kept.broken(f"{type(error).__name__} came: {error}") from error
