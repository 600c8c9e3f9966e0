"""Whoever may come in no longer is cut off soon, however many they are, and also while there is no Redis."""

from __future__ import annotations

import asyncio

from tests.chaos.lines import codes_of, cursor_of, followed, held
from tests.chaos.people import Crowd, crowd
from tests.chaos.portfolio import firm_at
from tests.chaos.sizes import size
from tests.chaos.stand import GATEWAY, Stand
from tests.support.figures import Figures
from tests.support.issuer import AUDIENCE, running_issuer

OF_EACH, OTHERS = size(200, 3), size(20, 2)
SHUT_OUT = 4403
ROW = "Cut off"


async def test_who_loses_key_or_place_or_whose_token_runs_out_is_cut_off_and_nobody_else_is(
    stand: Stand, figures: Figures
) -> None:
    with running_issuer() as issuer:
        stand.start(GATEWAY, "serve", TIELINE_OIDC_ISSUER=issuer.url, TIELINE_OIDC_AUDIENCE=AUDIENCE)
        admin = (await firm_at(stand)).admin
        async with followed(stand, [admin.key] * OTHERS, after=await cursor_of(admin)) as others:
            await shut_out(await crowd(stand, admin, issuer, of_each=OF_EACH), figures, ROW)
            those = await crowd(stand, admin, issuer, of_each=OF_EACH)
            await shut_out(those, figures, f"{ROW} without Redis", with_redis=False)
            closed = sum(line.end is not None for line in others)
    figures.exactly(f"{ROW}: others", closed, 0)
    figures.hold()


async def shut_out(those: Crowd, figures: Figures, row: str, *, with_redis: bool = True) -> None:
    """Every second one follows the events, the others do nothing on their sockets; and then none of them may."""
    stand, tokens = those.stand, those.tokens()
    if not with_redis:  # before anybody of them is there: when Redis goes, the gateway looks at all who are
        stand.redis.kill()
        await asyncio.to_thread(stand.gateway.process.wait_for, "live.away")
    async with (
        followed(stand, tokens[::2], after=await cursor_of(those.admin), beside=OTHERS) as following,
        held(stand, tokens[1::2]) as idle,
    ):
        lines = [*following, *idle]
        began = await those.shut_out()
        since = [*began[::2], *began[1::2]]
        codes = await codes_of(lines, seconds=30)
    ends = [line.end for line in lines]
    seconds = [end.at - then for end, then in zip(ends, since, strict=True) if end is not None]
    figures.at_least(f"{row}: keys revoked", len(those.revoked), OF_EACH)
    figures.at_least(f"{row}: people deactivated or removed", len(those.deactivated + those.removed), OF_EACH)
    figures.at_least(f"{row}: tokens expired", len(those.expiring), OF_EACH)
    figures.exactly(f"{row}: of these, those not closed with 4403", codes.total() - codes[SHUT_OUT], 0)
    figures.timed(f"{row}: longest until that", max(seconds, default=0), 5)
