"""The rules as tests: a plugin's whole file of tests is one call of `conformance`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tieline.plugins import Provider
from tieline.testing.bench import opened
from tieline.testing.pretender import Pretending
from tieline.testing.rule import Rule, RuleBroken
from tieline.testing.rules import RULES


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
    async with pretending() as pretender, opened(provider, pretender, unchanged_calls) as bench:
        try:
            await kept.check(bench)
        except RuleBroken:
            raise
        except Exception as error:
            raise kept.broken(f"{type(error).__name__} came: {error}") from error
