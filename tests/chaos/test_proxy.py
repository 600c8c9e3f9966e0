"""The line before a provider itself: what it may break, what it may only delay, and how far into an answer."""

from __future__ import annotations

from contextlib import suppress

import httpx

from tests.chaos.network import REFRESHES
from tests.chaos.seeds import chance
from tests.plugins.pretending import Reply, pretending
from tests.support.proxy import Fault, Roughness, proxied

CALLS = 30
TOKENS = "/quickbooks/oauth2/v1/tokens/bearer"
ALL = Roughness(part=0.0, posts=1.0, longest_lag=0.0, longest_drip=0.0, answered=REFRESHES)
LATE = {Fault.LAG, Fault.DRIP}


async def test_a_refresh_that_must_be_answered_comes_late_at_most_and_a_code_for_tokens_there_is_lost() -> (
    None
):
    whole = b"x" * 2_000
    async with pretending() as pretender, proxied(pretender.url, ALL, chance("the line itself")) as line:
        pretender.will(Reply(body=whole))
        line.is_rough = True

        refreshes = [
            await answered(line.url, b"grant_type=refresh_token&a=b", seconds=30) for _ in range(CALLS)
        ]
        delayed, late = line.delayed, set(line.faults)
        codes = [await answered(line.url, b"grant_type=authorization_code&a=b") for _ in range(CALLS)]

    assert refreshes == [whole] * CALLS
    assert (delayed, late) == (CALLS, LATE)
    assert whole not in codes
    assert line.delayed == CALLS


async def test_a_long_answer_breaks_off_anywhere() -> None:
    whole = b"x" * 1_000_000
    async with pretending() as pretender, proxied(pretender.url, ALL, chance("the line itself")) as line:
        pretender.will(Reply(body=whole))
        line.is_rough = True

        broken = [len(await answered(line.url, b"")) for _ in range(CALLS)]

    assert (min(broken), max(broken) > 100_000, max(broken) < len(whole)) == (0, True, True)


async def answered(url: str, body: bytes, *, seconds: float = 0.2) -> bytes:
    """What comes of the answer to a call, until nothing more came for so long."""
    came = bytearray()
    async with httpx.AsyncClient(trust_env=False, timeout=httpx.Timeout(30, read=seconds)) as client:
        with suppress(httpx.HTTPError):
            async with client.stream("POST", f"{url}{TOKENS}", content=body) as response:
                async for some in response.aiter_raw():
                    came += some
    return bytes(came)
