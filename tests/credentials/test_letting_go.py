"""Nothing is revoked that something still uses, and what nothing uses is let go, whatever is killed on the way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.credentials.holding import Holding
from tests.support.jobs import calendar
from tieline.credentials import letting_go
from tieline.credentials.actors import let_go_credential as let_go_actor
from tieline.credentials.letting_go import let_go_credential, release_organisation
from tieline.credentials.putting_off import pause_after
from tieline.credentials.revoking import revoke
from tieline.credentials.service import open_session
from tieline.errors import (
    ConsentGone,
    LimitScope,
    ProviderError,
    ProviderMisconfigured,
    ProviderUnavailable,
    QuotaSpent,
    Throttled,
)
from tieline.principal import Principal
from tieline.vault import Secret
from tieline.work import Again, unit_of_work
from tieline.worker.roster import ACTORS
from tieline.worker.runner import Runner

LATER = timedelta(hours=24)
AT = datetime(2031, 5, 4, 3, 2, 1, tzinfo=UTC)


def _throttled(retry_after: timedelta | None) -> Throttled:
    return Throttled("xero", limit="day", scope=LimitScope.APP, retry_after=retry_after)


async def _nothing(_: Holding) -> None:
    pass


async def _connected(holding: Holding) -> None:
    await holding.connect(holding.person.organisations[0])


async def _expired(holding: Holding) -> None:
    connection_id = await holding.connect(holding.person.organisations[0])
    await holding.above.execute("UPDATE connection SET reason = 'ACCESS_LOST' WHERE id = $1", connection_id)


async def _disconnected(holding: Holding) -> None:
    await holding.disconnect(await holding.connect(holding.person.organisations[0]))


async def _ended(holding: Holding) -> None:
    connection_id = await holding.connect(holding.person.organisations[0])
    await holding.above.execute("UPDATE connection SET ended_at = changed_at WHERE id = $1", connection_id)


async def _usable_sign_in(holding: Holding) -> None:
    await _usable(holding, until=await calendar() + LATER)


async def _sign_in_that_is_over(holding: Holding) -> None:
    await _usable(holding, until=await calendar() - LATER)


async def _consent_that_waits(holding: Holding) -> None:
    await holding.round(outcome="GRANTED", subject=holding.credential.subject, proof_until=await _soon())


async def _consent_at_the_callback(holding: Holding) -> None:
    whose = {"credential_id": holding.credential.id, "subject": holding.credential.subject}
    await holding.round(outcome="GRANTED", proof_until=await _soon(), **whose)


async def _consent_of_another_subject(holding: Holding) -> None:
    await holding.round(outcome="GRANTED", subject="somebody else", proof_until=await _soon())


async def _consent_nobody_came_for(holding: Holding) -> None:
    past = await calendar() - timedelta(minutes=1)
    await holding.round(outcome="GRANTED", subject=holding.credential.subject, proof_until=past)


async def _consent_taken(holding: Holding) -> None:
    at = await calendar()
    await holding.round(
        outcome="GRANTED",
        subject=holding.credential.subject,
        proof_until=at + timedelta(minutes=5),
        taken_at=at,
    )


async def _somebody_at_the_consent_page(holding: Holding) -> None:
    await holding.round(expires_at=await _soon())


async def _somebody_who_never_came_back(holding: Holding) -> None:
    await holding.round(expires_at=await calendar() - timedelta(minutes=1))


async def _a_refresh_under_way(holding: Holding) -> None:
    await holding.above.execute(
        "UPDATE credential SET lease_owner = 'somebody', lease_until = now() + interval '20 seconds' WHERE id = $1",
        holding.credential.id,
    )


SITUATIONS: list[tuple[Callable[[Holding], Awaitable[None]], str]] = [
    (_nothing, "let go"),
    (_connected, "kept"),
    (_expired, "kept"),
    (_disconnected, "let go"),
    (_ended, "let go"),
    (_usable_sign_in, "later"),
    (_sign_in_that_is_over, "let go"),
    (_consent_that_waits, "later"),
    (_consent_at_the_callback, "later"),
    (_consent_of_another_subject, "let go"),
    (_consent_nobody_came_for, "let go"),
    (_consent_taken, "let go"),
    (_somebody_at_the_consent_page, "later"),
    (_somebody_who_never_came_back, "let go"),
    (_a_refresh_under_way, "later"),
]


@pytest.mark.parametrize(
    ("situation", "outcome"), SITUATIONS, ids=lambda value: getattr(value, "__name__", value)
)
async def test_a_credential_is_let_go_only_when_nothing_uses_its_subject(
    holding: Holding, situation: Callable[[Holding], Awaitable[None]], outcome: str
) -> None:
    await situation(holding)

    answer = await let_go_credential(holding.practice_id, holding.credential.id)

    row, grants = await holding.row(), await holding.grants()
    if outcome == "let go":
        assert answer is None
        assert (row["state"], row["dead_reason"], row["tokens_sealed"]) == (
            "DEAD",
            "REVOKED_AT_PROVIDER",
            None,
        )
        assert grants == []
    else:
        assert (answer is None) == (outcome == "kept")
        assert answer is None or answer.at > await calendar()
        assert row["state"] == "LIVE"
        assert len(grants) == 1
        await holding.tokens.access()


async def test_a_connection_that_is_disconnected_stays_so(holding: Holding) -> None:
    connection_id = await holding.connect(holding.person.organisations[0])
    await holding.disconnect(connection_id)

    await let_go_credential(holding.practice_id, holding.credential.id)

    assert await holding.reason(connection_id) == "DISCONNECTED"
    assert await holding.expiries() == []


async def test_a_credential_is_dead_before_it_is_revoked_and_keeps_its_token_until_then(
    holding: Holding,
) -> None:
    await holding.sandbox.plant("drop", "revocation")

    await let_go_credential(holding.practice_id, holding.credential.id)

    row = await holding.row()
    assert row["state"] == "DEAD"
    assert row["tokens_sealed"] is not None
    with pytest.raises(ConsentGone):
        await open_session(holding.practice_id, holding.credential.id)
    with pytest.raises(ConsentGone):
        await holding.tokens.access()
    assert len(await holding.grants()) == 1

    assert await let_go_credential(holding.practice_id, holding.credential.id) is None

    assert (await holding.row())["tokens_sealed"] is None
    assert await holding.grants() == []
    assert await let_go_credential(holding.practice_id, holding.credential.id) is None
    assert len(await holding.sandbox.log(holding.portal, "revocation")) == 2


async def test_a_consent_between_two_attempts_to_revoke_is_kept(holding: Holding) -> None:
    await holding.sandbox.plant("drop", "revocation")
    await let_go_credential(holding.practice_id, holding.credential.id)

    pair, subject = await holding.consent()
    await holding.keep(pair, subject)
    await _usable(holding, until=await calendar() + LATER)

    assert isinstance(await let_go_credential(holding.practice_id, holding.credential.id), Again)
    assert await holding.tokens.access() == pair.access
    assert len(await holding.grants()) == 1


async def test_tokens_of_a_consent_that_came_while_the_old_ones_were_revoked_are_not_dropped(
    holding: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair, subject = await holding.consent()

    async def meanwhile(*_: Any) -> None:
        await holding.keep(pair, subject)

    monkeypatch.setattr(letting_go, "revoke", meanwhile)
    await let_go_credential(holding.practice_id, holding.credential.id)

    row = await holding.row()
    assert row["state"] == "LIVE"
    assert await holding.tokens.access() == pair.access


@pytest.mark.parametrize("endpoint", ["connections", "revocation"])
async def test_trouble_is_waited_out_for_a_week_and_then_given_up_aloud(
    holding: Holding, clock: Any, endpoint: str
) -> None:
    connection_id = await holding.connect(holding.person.organisations[0])
    organisation_id = await holding.organisation_of(connection_id)
    await holding.disconnect(connection_id)
    actor, event = "let_go_credential", "credential.revocation_given_up"
    if endpoint == "connections":
        await release_organisation(holding.practice_id, holding.credential.id, organisation_id)
        actor, event = "release_at_provider", "credential.release_given_up"
    else:
        await let_go_later(holding)
    await holding.sandbox.plant("status", endpoint, status=503, times=10_000)
    pauses = []

    async def next_job() -> datetime:
        """Run it when it is due; when it began."""
        [job] = await holding.jobs(actor)
        await clock(max(job["due_at"] - await calendar(), timedelta(0)))
        begun = await calendar()
        await Runner(ACTORS).run(job["id"])
        return begun

    with capture_logs() as logs:
        for _ in range(12):
            begun = await next_job()
            [job] = await holding.jobs(actor)
            pauses.append((job["due_at"] - await calendar(), job["due_at"] - begun))  # at least, at most
        first_told = [each for each in logs if each["event"] == event]
        await clock(timedelta(days=7))
        await next_job()

    assert pauses[0][0] <= timedelta(seconds=30) <= pauses[0][1]
    assert all(least <= most for (least, _), (_, most) in pairwise(pauses))
    assert pauses[-1][0] <= timedelta(hours=1) <= pauses[-1][1]
    assert first_told == []
    assert [each["log_level"] for each in logs if each["event"] == event] == ["error"]
    assert await holding.jobs(actor) == []
    row = await holding.row()
    assert (row["state"], row["tokens_sealed"] is None) == (
        ("LIVE", False) if endpoint == "connections" else ("DEAD", True)
    )


@pytest.mark.parametrize(
    ("error", "so_far", "pause"),
    [
        (ProviderUnavailable("xero"), timedelta(0), timedelta(seconds=30)),
        (ProviderUnavailable("xero"), timedelta(minutes=7), timedelta(minutes=7)),
        (ProviderUnavailable("xero"), timedelta(days=3), timedelta(hours=1)),
        (_throttled(timedelta(hours=5)), timedelta(0), timedelta(hours=5)),
        (_throttled(timedelta(seconds=1)), timedelta(0), timedelta(seconds=30)),
        (_throttled(None), timedelta(minutes=7), timedelta(minutes=7)),
        (
            QuotaSpent("xero", limit="day", resume_at=AT + timedelta(hours=9)),
            timedelta(0),
            timedelta(hours=9),
        ),
    ],
)
def test_how_long_trouble_is_waited_out(error: ProviderError, so_far: timedelta, pause: timedelta) -> None:
    assert pause_after(error, so_far, at=AT) == pause


async def test_a_token_that_is_not_known_any_more_is_revoked_without_complaint(holding: Holding) -> None:
    await revoke(holding.app, Secret("a-token-of-nobody"), await holding.turn())


async def test_a_revocation_that_the_provider_will_not_take_from_us_is_the_apps_trouble(
    holding: Holding,
) -> None:
    await holding.sandbox.plant("status", "revocation", status=400, body={"error": "invalid_client"})

    with pytest.raises(ProviderMisconfigured):
        await revoke(holding.app, Secret("a-token-of-nobody"), await holding.turn())


async def let_go_later(holding: Holding) -> None:
    async with unit_of_work(Principal.machine(holding.practice_id)) as work:
        work.enqueue(
            let_go_actor,
            key=str(holding.credential.id),
            practice_id=str(holding.practice_id),
            credential_id=str(holding.credential.id),
        )


async def _soon() -> datetime:
    return await calendar() + timedelta(minutes=5)


async def _usable(holding: Holding, *, until: datetime) -> None:
    await holding.find(await holding.organisation(holding.person.organisations[1]), usable_until=until)
