"""The daily look at what a credential reaches: what was removed there is noticed, once, and so is its return."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.credentials.holding import Holding, hold, now
from tests.support.deployment import Deployment
from tests.support.sandbox import Sandbox
from tieline.connections.states import Reason
from tieline.connections.warnings.service import expire
from tieline.connections.writing import try_at_once
from tieline.credentials import reaching
from tieline.credentials.reaching import check_reach
from tieline.ids import ConnectionId
from tieline.principal import Principal
from tieline.work import unit_of_work
from tieline.worker.roster import ACTORS
from tieline.worker.runner import Runner

Clock = Callable[[timedelta], Awaitable[None]]
DAY = timedelta(hours=24)


async def look(holding: Holding) -> timedelta | None:
    """Look once; how long until the next time."""
    again = await check_reach(holding.practice_id, holding.credential.id)
    return None if again is None else again.at - await now()


async def go(holding: Holding) -> int:
    """Run the job as if it were due: how often the provider was asked by then whether books open."""
    [job] = await holding.jobs("check_reach")
    await holding.above.execute(
        "UPDATE job SET due_at = least(due_at, $2) WHERE id = $1", job["id"], await now()
    )
    await Runner(ACTORS).run(job["id"])
    return len(await holding.sandbox.log(holding.portal, "organisation"))


async def kinds(holding: Holding) -> list[str]:
    rows = await holding.above.fetch(
        "SELECT kind FROM event WHERE practice_id = $1 AND kind LIKE 'CONNECTION%' ORDER BY position",
        holding.practice_id,
    )
    return [row["kind"] for row in rows]


async def reached(holding: Holding) -> int:
    number: int = await holding.above.fetchval(
        "SELECT count(*) FROM consent WHERE practice_id = $1 AND lost_at IS NULL", holding.practice_id
    )
    return number


async def consented(holding: Holding) -> list[datetime]:
    """When somebody consented to each organisation."""
    rows = await holding.above.fetch(
        "SELECT consented_at FROM consent WHERE practice_id = $1 ORDER BY organisation_id",
        holding.practice_id,
    )
    return [row["consented_at"] for row in rows]


async def runs(holding: Holding, state: str) -> int:
    number: int = await holding.above.fetchval(
        "SELECT count(*) FROM sync_run WHERE practice_id = $1 AND state = $2", holding.practice_id, state
    )
    return number


async def both(holding: Holding) -> tuple[ConnectionId, ConnectionId]:
    one, other = holding.person.organisations
    return await holding.connect(one), await holding.connect(other)


async def test_it_is_begun_with_the_consent_and_goes_on_daily(holding: Holding) -> None:
    [job] = await holding.jobs("check_reach")

    assert DAY * 0.89 <= job["due_at"] - await now() <= DAY * 1.11
    wait = await look(holding)
    assert wait is not None
    assert DAY * 0.89 <= wait <= DAY * 1.11
    assert len(await holding.sandbox.log(holding.portal, "connections")) == 1


async def test_an_organisation_that_was_removed_at_the_provider_is_told_of_once(holding: Holding) -> None:
    gone, stays = await both(holding)
    await holding.sandbox.revoke(holding.portal, holding.person, holding.person.organisations[0])

    for _ in range(2):
        await look(holding)

    assert await holding.reason(gone) is Reason.REVOKED_AT_PROVIDER
    assert await holding.reason(stays) is None
    assert await holding.expiries() == [gone]
    assert await reached(holding) == 1


async def test_it_is_set_back_and_synced_when_it_is_reached_again(holding: Holding) -> None:
    gone, _ = await both(holding)
    first = holding.person.organisations[0]
    await holding.sandbox.revoke(holding.portal, holding.person, first)
    await look(holding)
    await holding.keep(*(await holding.consent([first])))  # and never came back to complete the sign-in

    for _ in range(2):
        await look(holding)

    assert await holding.reason(gone) is None
    assert await kinds(holding) == ["CONNECTION_EXPIRED", "CONNECTION_RESTORED"]
    assert await reached(holding) == 2
    assert await runs(holding, "QUEUED") == 1


@pytest.mark.parametrize("reason", ["ACCESS_LOST", "SUBSCRIPTION_LAPSED"])
async def test_what_could_not_be_opened_is_set_back_when_it_can(holding: Holding, reason: str) -> None:
    bad, _ = await both(holding)
    await holding.above.execute("UPDATE connection SET reason = $2 WHERE id = $1", bad, reason)
    await holding.sandbox.plant("status", "organisation", status=403, body={})
    await look(holding)
    assert await holding.reason(bad) == reason

    await look(holding)

    assert await holding.reason(bad) is None
    assert await kinds(holding) == ["CONNECTION_RESTORED"]


@pytest.mark.parametrize(
    ("reason", "after"),
    [
        ("ACCESS_LOST", "CONSENT_EXPIRED"),
        ("SUBSCRIPTION_LAPSED", "CONSENT_EXPIRED"),
        ("REVOKED_AT_PROVIDER", "REVOKED_AT_PROVIDER"),
    ],
)
async def test_nothing_is_set_back_whose_consent_has_run_out(
    holding: Holding, reason: str, after: str
) -> None:
    bad, _ = await both(holding)
    await holding.above.execute("UPDATE connection SET reason = $2 WHERE id = $1", bad, reason)
    await holding.above.execute(
        "UPDATE consent SET consented_at = $2 WHERE organisation_id = $1",
        await holding.organisation_of(bad),
        await now() - timedelta(days=366),
    )

    await look(holding)
    assert await holding.reason(bad) == reason
    await expire(holding.practice_id, most=200)
    await look(holding)
    await expire(holding.practice_id, most=200)

    assert await holding.reason(bad) == after
    assert await kinds(holding) == ["CONNECTION_EXPIRED"] * (after != reason)


async def test_all_that_is_shut_has_its_turn_every_day_some_in_one_go(
    sandbox: Sandbox, opened: Deployment
) -> None:
    above = await opened.connect()
    holding = await hold(sandbox, above, *(f"Books {number:02}" for number in range(45)))
    for books in holding.person.organisations:
        await holding.connect(books)
    await above.execute(
        "UPDATE connection SET reason = 'ACCESS_LOST' WHERE practice_id = $1", holding.practice_id
    )
    before = len(await sandbox.log(holding.portal, "organisation"))

    tried = [await go(holding) for _ in range(3)]

    assert [so_far - before for so_far in tried] == [20, 40, 45]
    assert await kinds(holding) == ["CONNECTION_RESTORED"] * 45
    assert len(await sandbox.log(holding.portal, "connections")) == 1
    [job] = await holding.jobs("check_reach")
    assert job["due_at"] >= await now() + DAY * 0.89
    assert "after" not in json.loads(job["arguments"])
    await above.close()


async def test_what_stays_shut_does_not_keep_the_others_from_their_turn(
    holding: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching, "_MAX_TRIED", 1)
    first, second = sorted(await both(holding), key=str)
    await holding.above.execute(
        "UPDATE connection SET reason = 'ACCESS_LOST' WHERE practice_id = $1", holding.practice_id
    )
    await holding.sandbox.plant("status", "organisation", status=403, body={})

    for _ in range(2):
        await go(holding)

    assert len([each for each in (first, second) if await holding.reason(each) is None]) == 1
    [job] = await holding.jobs("check_reach")
    assert job["due_at"] >= await now() + DAY * 0.89


async def test_a_look_that_somebody_waits_for_begins_anew_and_leaves_the_daily_one_its_place(
    holding: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching, "_MAX_TRIED", 1)
    shut = "UPDATE connection SET reason = 'ACCESS_LOST' WHERE practice_id = $1"
    ids = await both(holding)
    await holding.above.execute(shut, holding.practice_id)
    await go(holding)
    await holding.above.execute(shut, holding.practice_id)
    [daily] = await holding.jobs("check_reach")

    async with unit_of_work(Principal.machine(holding.practice_id)) as work:
        try_at_once(work, holding.practice_id, {holding.credential.id})
    for _ in range(2):
        [asked] = [job for job in await holding.jobs("check_reach") if job["id"] != daily["id"]]
        await Runner(ACTORS).run(asked["id"])

    assert [await holding.reason(each) for each in ids] == [None, None]
    [left] = await holding.jobs("check_reach")
    assert left == daily
    assert "after" in json.loads(left["arguments"])


@pytest.mark.parametrize("reason", ["DISCONNECTED", "SCOPE_MISSING", "TOKEN_EXPIRED", "CONSENT_EXPIRED"])
async def test_what_a_person_must_mend_or_did_is_left_alone(holding: Holding, reason: str) -> None:
    one, _ = await both(holding)
    await holding.above.execute("UPDATE connection SET reason = $2 WHERE id = $1", one, reason)

    await look(holding)

    assert await holding.reason(one) == reason
    assert await kinds(holding) == []


async def test_a_provider_in_trouble_changes_nothing_and_is_asked_again_soon(holding: Holding) -> None:
    one, other = await both(holding)
    await holding.sandbox.plant("status", "connections", status=503, times=3)

    wait = await look(holding)

    assert wait is not None
    assert wait <= timedelta(hours=1)
    assert [await holding.reason(each) for each in (one, other)] == [None, None]
    assert await reached(holding) == 2


async def test_what_happens_while_the_provider_is_asked_is_not_undone(
    holding: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, back = await both(holding)
    first = holding.person.organisations[0]
    await holding.sandbox.revoke(holding.portal, holding.person, first)
    await holding.above.execute("UPDATE connection SET reason = 'REVOKED_AT_PROVIDER' WHERE id = $1", back)
    asked = reaching._look

    async def slowly(known: Any) -> Any:
        seen = await asked(known)
        # One is consented to again, and the other connection ends.
        await holding.above.execute(
            "UPDATE consent SET consented_at = $2 WHERE organisation_id = $1",
            await holding.organisation(first),
            await now(),
        )
        await holding.above.execute("UPDATE connection SET ended_at = $2 WHERE id = $1", back, await now())
        return seen

    monkeypatch.setattr(reaching, "_look", slowly)

    await look(holding)

    assert await holding.reason(gone) is None
    assert await holding.reason(back) is Reason.REVOKED_AT_PROVIDER
    assert await kinds(holding) == []


async def test_a_credential_that_has_ended_is_not_looked_after(holding: Holding) -> None:
    await holding.above.execute(
        "UPDATE credential SET state = 'DEAD', tokens_sealed = NULL WHERE id = $1", holding.credential.id
    )

    assert await look(holding) is None


async def test_an_organisation_that_was_missing_once_comes_back_with_the_clock_that_it_had(
    holding: Holding, clock: Clock
) -> None:
    gone, _ = await both(holding)
    since = await consented(holding)
    await clock(DAY * 10)
    await holding.sandbox.plant("status", "connections", status=200, body=[])
    await look(holding)
    missing = await reached(holding), await holding.reason(gone)

    await look(holding)

    assert missing == (0, Reason.REVOKED_AT_PROVIDER)
    assert (await reached(holding), await holding.reason(gone)) == (2, None)
    assert await consented(holding) == since


async def test_what_could_not_be_tried_for_trouble_that_passes_is_tried_again_within_the_hour(
    holding: Holding,
) -> None:
    bad, _ = await both(holding)
    await holding.above.execute("UPDATE connection SET reason = 'ACCESS_LOST' WHERE id = $1", bad)
    await holding.sandbox.plant("status", "organisation", status=503, times=3)

    soon = await look(holding)
    later = await look(holding)

    assert await holding.reason(bad) is None
    assert soon is not None
    assert later is not None
    assert timedelta(minutes=50) < soon <= timedelta(hours=1)
    assert later > DAY * 0.89
