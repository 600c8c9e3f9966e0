"""What a session tells of itself: whether a call is under way, and how much to ask for at once."""

from __future__ import annotations

import httpx
import pytest

from tests.plugins.pretending import Reply, said
from tests.plugins.providers import Abacus
from tests.plugins.sessions import talking
from tests.support.counted import Counted
from tieline.errors import ProviderBroken, ProviderUnavailable


async def test_a_call_is_under_way_until_its_last_try_is_over() -> None:
    async with talking(Abacus()) as talk:
        seen: list[bool] = []

        async def look(_request: httpx.Request) -> None:
            seen.append(talk.session.is_calling)

        talk.client.event_hooks = {"request": [look]}
        talk.pretender.will(said({}, status=503), said({}, status=401), said({}), said({}, status=500))
        await talk.session.get("a")
        after = talk.session.is_calling
        with pytest.raises(ProviderBroken):
            await talk.session.get("a")

    assert seen == [True] * 4
    assert (after, talk.session.is_calling) == (False, False)


@pytest.mark.parametrize(
    ("most", "sizes"),
    [(1000, [1000, 500, 250, 125, 62, 31, 25, 25]), (100, [100, 50, 25, 25]), (10, [10, 10]), (1, [1, 1])],
)
async def test_a_page_is_halved_down_to_the_smallest(most: int, sizes: list[int]) -> None:
    async with talking(Abacus()) as talk:
        found = []
        for talk.session.halved in range(len(sizes)):
            found.append(talk.session.page_size(most))

    assert found == sizes


async def test_calls_are_counted_by_what_their_answers_mean() -> None:
    counted = Counted()
    async with talking(Abacus()) as talk:
        talk.pretender.will(said({}, status=503), said({}, status=401), said({}), said({}, status=418))
        await talk.session.get("a")
        with pytest.raises(ProviderBroken):
            await talk.session.get("a")
        talk.pretender.will(Reply(dropped=True))
        with pytest.raises(ProviderUnavailable):
            await talk.session.request("POST", "a")

    assert counted.more("tieline_provider_calls_total") == {
        ("transient", "abacus"): 1,
        ("token_expired", "abacus"): 1,
        ("ok", "abacus"): 1,
        ("broken", "abacus"): 1,
        ("provider_unavailable", "abacus"): 1,
    }
    assert counted.more("tieline_provider_call_seconds_count") == {("abacus",): 5}
