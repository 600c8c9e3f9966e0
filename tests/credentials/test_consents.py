"""What a new consent brings, beside the pair of tokens that there was and whoever refreshes that one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.credentials.asking import fingerprint
from tests.credentials.holding import Holding
from tests.support.jobs import calendar
from tests.support.polling import WAIT_SECONDS, until
from tests.support.sandbox import Sandbox
from tieline.credentials import refreshing
from tieline.credentials.apps.service import list_apps
from tieline.errors import (
    ConsentGone,
)
from tieline.plugins import GrantRejected
from tieline.practices.service import NewMember, add_member
from tieline.principal import Role

TOO_OLD = timedelta(minutes=31)
REFUSED: dict[str, Any] = {"status": 400, "body": {"error": "invalid_grant"}}


async def test_a_new_consent_in_the_middle_of_a_refresh_wins(
    holding: Holding, sandbox: Sandbox, clock: Any
) -> None:
    await sandbox.control("PUT", f"/apps/{holding.portal.client_id}", {"new_consent_kills_old_pair": True})
    await clock(TOO_OLD)
    await sandbox.plant("slow", "token", seconds=20)
    asking_now = asyncio.create_task(holding.tokens.access())
    await until(lambda: _asked(holding), "the old token is on its way")

    pair, subject = await holding.consent()
    await holding.keep(pair, subject)
    await sandbox.let_slow_go()

    assert await asking_now == pair.access
    row = await holding.row()
    assert (row["state"], row["version"], row["lease_owner"]) == ("LIVE", 2, None)


async def test_a_holder_whose_lease_went_to_another_believes_no_refusal(
    holding: Holding, monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    connection_id = await holding.connect(holding.person.organisations[0])
    pair, subject = await holding.consent()
    await clock(TOO_OLD)
    younger = replace(pair, obtained_at=await calendar(), access_expires_at=await calendar() + TOO_OLD)

    refused, looked, look = False, asyncio.Event(), refreshing._look

    async def refused_late(*_: Any) -> None:
        nonlocal refused
        await holding.above.execute(
            "UPDATE credential SET lease_owner = 'another', lease_until = now() + interval '20 seconds' "
            "WHERE id = $1",
            holding.credential.id,
        )
        refused = True
        raise GrantRejected("xero")

    async def looking(*arguments: Any, **more: Any) -> Any:
        if refused:
            looked.set()
        return await look(*arguments, **more)

    monkeypatch.setattr(refreshing, "_ask", refused_late)
    monkeypatch.setattr(refreshing, "_look", looking)
    waiting = asyncio.create_task(holding.tokens.access())
    async with asyncio.timeout(WAIT_SECONDS):
        await looked.wait()
    assert (await holding.row())["state"] == "LIVE"
    await holding.keep(younger, subject)

    assert await waiting == pair.access
    assert await holding.reason(connection_id) is None


async def test_the_pair_before_a_new_consent_is_tried_while_it_is_kept(
    holding: Holding, sandbox: Sandbox, clock: Any
) -> None:
    await sandbox.control("PUT", f"/apps/{holding.portal.client_id}", {"new_consent_kills_old_pair": False})
    await holding.keep(*await holding.consent())
    await clock(timedelta(minutes=28))
    stale = await holding.tokens.access()
    await sandbox.plant("status", "token", **REFUSED)

    fresh = await holding.tokens.renewed(stale)

    assert (await holding.tokens.access()) == fresh
    row = await holding.row()
    assert (row["state"], row["version"], row["previous_sealed"]) == ("LIVE", 3, None)


async def test_after_half_an_hour_the_pair_before_is_not_tried_any_more(
    holding: Holding, sandbox: Sandbox, clock: Any
) -> None:
    await sandbox.control("PUT", f"/apps/{holding.portal.client_id}", {"new_consent_kills_old_pair": False})
    await holding.keep(*await holding.consent())
    await clock(TOO_OLD)
    await holding.sandbox.plant("status", "token", **REFUSED)

    with pytest.raises(ConsentGone):
        await holding.tokens.access()

    assert (await holding.row())["state"] == "DEAD"


async def test_a_new_consent_brings_a_dead_credential_back(holding: Holding, clock: Any) -> None:
    await holding.sandbox.revoke(holding.portal, holding.person)
    await clock(TOO_OLD)
    with pytest.raises(ConsentGone):
        await holding.tokens.access()

    pair, subject = await holding.consent()
    kept = await holding.keep(pair, subject)

    assert kept.id == holding.credential.id
    assert (kept.state, kept.dead_reason) == ("LIVE", None)
    assert await holding.tokens.access() == pair.access
    assert (await holding.row())["previous_sealed"] is None


async def test_an_older_pair_never_takes_the_place_of_a_younger_one(holding: Holding) -> None:
    older, subject = await holding.consent()
    younger, _ = await holding.consent()

    await holding.keep(younger, subject)
    await holding.keep(older, subject)

    assert await holding.tokens.access() == younger.access
    assert (await holding.row())["version"] == 2


async def test_a_consent_says_who_signed_in_only_when_its_sign_in_is_completed(holding: Holding) -> None:
    colleague = await add_member(
        holding.practice_id, NewMember(name="A Colleague", email="colleague@firm.invalid", role=Role.MEMBER)
    )
    pair, subject = await holding.consent()

    at_the_callback = await holding.keep(pair, subject, by=colleague)
    completed = await holding.keep(pair, subject, by=colleague, takes_over=True)

    assert (at_the_callback.person_id, completed.person_id) == (holding.admin_id, colleague)
    assert completed.version == at_the_callback.version == 2


async def test_one_subject_brought_twice_at_once_is_one_credential(holding: Holding) -> None:
    first, subject = await holding.consent()
    second, _ = await holding.consent()
    await holding.above.execute("DELETE FROM credential WHERE id = $1", holding.credential.id)

    kept = await asyncio.gather(holding.keep(first, subject), holding.keep(second, subject))

    assert kept[0].id == kept[1].id
    rows = await holding.above.fetch("SELECT id FROM credential WHERE practice_id = $1", holding.practice_id)
    assert len(rows) == 1


async def test_tokens_are_never_in_a_repr(holding: Holding) -> None:
    pair, subject = await holding.consent()
    credential = await holding.keep(pair, subject)

    shown = repr((pair, credential, holding, await list_apps(holding.practice_id)))

    assert pair.access.reveal() not in shown
    assert pair.refresh is not None
    assert pair.refresh.reveal() not in shown
    assert fingerprint(pair.access.reveal()) not in shown


async def _asked(holding: Holding) -> bool:
    return len(await holding.refreshes()) == 1
