"""How the proofs count: what is no proof is told as such, and only calls that came too late excuse a refusal."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tests.proofs.pace import Pace
from tests.proofs.paced_sandbox import ASKED, LATENESS, Punctual
from tests.support.figures import Figures

URL = "http://provider.example"


def test_a_share_of_no_calls_at_all_is_short_and_told_beside_the_others() -> None:
    figures = Figures(full=False)
    figures.exactly("Too many at once", 1, 0)

    figures.share("Refused after a wipe", 0, 0, 1)

    with pytest.raises(
        AssertionError, match="Too many at once: 1, not 0; Refused after a wipe: not one call, not ≤ 1 %"
    ):
        figures.hold()


def test_only_a_full_run_asks_how_long_something_took() -> None:
    short, full = Figures(full=False), Figures(full=True)

    for each in (short, full):
        each.timed("Longest wait", 91, 90)

    assert short.all == []
    with pytest.raises(AssertionError, match="Longest wait: 91 s, not ≤ 90 s"):
        full.hold()


@pytest.mark.parametrize(("full", "row"), [(False, "| Never told |"), (True, "| Never told | ≤ 7 |")])
def test_a_figure_that_the_page_has_no_row_for_is_short_by_that(*, full: bool, row: str) -> None:
    figures = Figures(full=full)

    figures.at_most("Never told", 3, 7)

    with pytest.raises(AssertionError, match=re.escape(f"reliability.md has no row {row}")):
        figures.hold()


async def test_a_late_call_excuses_one_refusal_of_its_own_organisation_itself_or_later(
    tmp_path: Path,
) -> None:
    pace = Pace.begin(tmp_path / "pace", speed=1.0)

    async def provider(scope: Scope, receive: Receive, send: Send) -> None:
        status = int(dict(scope["headers"])[b"answer"])
        await Response(status_code=status)(scope, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(Punctual(provider, pace))) as client:

        async def excused(status: int, organisation: str, *, seconds_ago: float = 0) -> int:
            asked = (pace.now() - timedelta(seconds=seconds_ago)).timestamp()
            said = {ASKED.decode(): str(asked), LATENESS.decode(): "60", "answer": str(status)}
            await client.get(f"{URL}/Organisation", headers=said | {"xero-tenant-id": organisation})
            return pace.excused

        assert await excused(429, "a") == 0
        assert await excused(200, "a", seconds_ago=90) == 0
        assert await excused(429, "b") == 0
        assert await excused(429, "a") == 1
        assert await excused(429, "a") == 1
        assert await excused(429, "b", seconds_ago=90) == 2
