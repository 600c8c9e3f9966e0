"""`tieline app quota`: what an app has left, as its operator reads it."""

from __future__ import annotations

import re
from datetime import timedelta

from tests.support.deployment import Deployment
from tests.support.firm import Firm
from tieline import clock
from tieline.credentials.apps.service import NewApp, add_app
from tieline.ids import new_id
from tieline.quota import Block, Counted, KeptInRows
from tieline.vault import Secret


async def test_the_limits_stand_in_a_table_with_what_stops_all_calls(opened: Deployment, firm: Firm) -> None:
    new = NewApp(provider="quickbooks", client_id=str(new_id()), secret=Secret("not told"))
    app = await add_app(firm.practice_id, new)
    kept, until = KeptInRows(firm.practice_id, app.id), clock.now() + timedelta(hours=2)
    today = clock.now().date()
    await kept.count([Counted(organisation=None, limit="month", day=today, calls=123_456)])
    await kept.keep(Block(organisation=None, limit="month", until=until))

    shown = opened.run("app", "quota", "--practice", str(firm.practice_id), "--provider", "quickbooks")

    heads, limit, as_of, blocked = shown.stdout.splitlines()
    leaves = today + timedelta(days=32)
    assert heads == "limit  kind   most     used     left     for people  resets"
    assert limit == f"month  MONTH  500,000  123,456  376,544  50,000      {leaves} 00:00:05 UTC"
    assert re.fullmatch(r"as of [0-9-]{10} [0-9:]{8} UTC, stored", as_of)
    assert blocked == f"BLOCKED by month until {until:%Y-%m-%d %H:%M:%S} UTC: no call passes until then"


async def test_a_practice_without_an_app_there_is_told_so(opened: Deployment, firm: Firm) -> None:
    refused = opened.run("app", "quota", "--practice", str(firm.practice_id), "--provider", "xero")

    assert refused.returncode == 1
    assert refused.stderr == (
        "tieline: This practice has no app at xero whose plugin is installed: 'tieline app list' shows its apps, "
        "'tieline plugins' what is installed.\n"
    )
