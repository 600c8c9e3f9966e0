"""What a provider may answer to a refresh, and whose state each answer changes."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.credentials.askers import asking
from tests.credentials.holding import Holding, secret_of
from tests.support.deployment import Deployment
from tests.support.jobs import calendar
from tests.support.polling import until
from tieline.connections.states import Reason
from tieline.credentials import refreshing
from tieline.credentials.apps.service import list_apps, rotate_secret
from tieline.credentials.finishing import finish_refresh
from tieline.credentials.service import credential_rejected, open_session
from tieline.errors import (
    ConsentGone,
    ProviderBroken,
    ProviderMisconfigured,
    ProviderUnavailable,
    TielineError,
)
from tieline.plugins import Product
from tieline.vault import Secret
from tieline.worker.roster import ACTORS
from tieline.worker.runner import Runner

TOO_OLD = timedelta(minutes=31)
REFUSED: dict[str, Any] = {"status": 400, "body": {"error": "invalid_grant"}}

TRANSIENT: list[tuple[str, dict[str, Any], int]] = [
    ("status", {"status": 500}, 1),
    ("status", {"status": 503, "body": {"error": "invalid_grant"}}, 1),
    ("throttle", {}, 1),
    ("html", {}, 1),
    ("empty", {}, 1),
    ("truncated", {}, 1),
    ("drop", {}, 2),
    ("lost_answer", {}, 2),
    ("slow", {"seconds": 2}, 2),
]


@pytest.mark.parametrize(("kind", "fault", "times"), TRANSIENT)
async def test_what_passes_by_itself_changes_nobodys_state(
    holding: Holding,
    clock: Any,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    fault: dict[str, Any],
    times: int,
) -> None:
    connection_id = await holding.connect(holding.person.organisations[0])
    await clock(TOO_OLD)
    await holding.sandbox.plant(kind, "token", times=times, **fault)

    with monkeypatch.context() as impatient:
        if kind == "slow":  # whoever gives up on another fault asks once more, and finds it spent
            impatient.setattr(refreshing, "_HTTP_SECONDS", 0.5)
            impatient.setattr(refreshing, "_HOLD_SECONDS", 1.5)
        with pytest.raises(ProviderUnavailable):
            await holding.tokens.access()

    row = await holding.row()
    assert (row["state"], row["version"], row["lease_owner"]) == ("LIVE", 1, None)
    assert await holding.reason(connection_id) is None
    assert await holding.fault() is None
    assert len(await holding.jobs("finish_refresh")) == 1
    await holding.sandbox.control("DELETE", "/faults")
    await holding.tokens.access()
    assert (await holding.row())["version"] == 2


async def test_a_refresh_that_did_not_work_is_tried_again_later_and_later(
    holding: Holding, clock: Any
) -> None:
    await clock(TOO_OLD)
    await holding.sandbox.plant("status", "token", times=4)
    with pytest.raises(ProviderUnavailable):
        await holding.tokens.access()

    job = (await holding.jobs("finish_refresh"))[0]
    since = datetime.fromisoformat(json.loads(job["arguments"])["since"])

    for seconds in (35, 70, 140):
        job = (await holding.jobs("finish_refresh"))[0]
        await clock(job["due_at"] - await calendar())
        begun = await calendar()
        await Runner(ACTORS).run(job["id"])
        again = (await holding.jobs("finish_refresh"))[0]
        assert timedelta(seconds=seconds) <= begun - since
        assert 2 * (begun - since) <= again["due_at"] - since <= 2 * (await calendar() - since)

    job = (await holding.jobs("finish_refresh"))[0]
    await clock(job["due_at"] - await calendar())
    await Runner(ACTORS).run(job["id"])
    assert await holding.jobs("finish_refresh") == []
    assert (await holding.row())["version"] == 2


async def test_a_refresh_is_tried_once_more_just_before_the_grace_of_a_lost_answer_is_over(
    holding: Holding, clock: Any
) -> None:
    since = await calendar()
    await holding.sandbox.plant("status", "token", times=9)
    await clock(timedelta(minutes=20))

    async def tried() -> datetime | None:
        again = await finish_refresh(holding.practice_id, holding.credential.id, version=1, since=since)
        return None if again is None else again.at

    assert await tried() == since + timedelta(minutes=29), "Xero takes the old token for half an hour"
    await clock(timedelta(minutes=9))
    at = await tried()
    assert at is not None
    assert round((at - since).total_seconds() / 60) == 58
    await clock(timedelta(hours=23, minutes=32))
    assert await tried() is None


async def test_what_was_refreshed_is_stored_though_somebody_holds_the_app(
    holding: Holding, clock: Any, opened: Deployment
) -> None:
    await holding.above.execute("UPDATE provider_app SET fault = 'OLD' WHERE id = $1", holding.app.id)
    await clock(TOO_OLD)
    bringing = await opened.connect()

    async with bringing.transaction():
        await bringing.execute("SELECT FROM provider_app WHERE id = $1 FOR UPDATE", holding.app.id)
        refreshing = asyncio.create_task(holding.tokens.access())
        await until(lambda: _is_refreshed(holding), "the new pair is stored")
        # Who brings a consent holds the app first, and asks for the credential then.
        await bringing.execute("SELECT FROM credential WHERE id = $1 FOR UPDATE", holding.credential.id)
    await refreshing
    await bringing.close()

    assert await holding.fault() is None


async def test_an_answer_we_do_not_know_changes_nobodys_state(holding: Holding, clock: Any) -> None:
    await clock(TOO_OLD)
    await holding.sandbox.plant("status", "token", status=400, body={"error": "something_new"})

    with pytest.raises(ProviderBroken):
        await holding.tokens.access()

    row = await holding.row()
    assert (row["state"], row["version"], row["lease_owner"]) == ("LIVE", 1, None)


async def test_a_wrong_secret_is_the_apps_fault_and_nobody_elses(holding: Holding, clock: Any) -> None:
    connection_id = await holding.connect(holding.person.organisations[0])
    await rotate_secret(holding.practice_id, "xero", Secret("not the one"))
    await clock(TOO_OLD)

    with pytest.raises(ProviderMisconfigured):
        await holding.tokens.access()

    assert await holding.fault() == "PROVIDER_MISCONFIGURED"
    row = await holding.row()
    assert (row["state"], row["version"], row["lease_owner"]) == ("LIVE", 1, None)
    assert await holding.reason(connection_id) is None

    right = await secret_of(holding.sandbox, holding.portal)
    await rotate_secret(holding.practice_id, "xero", Secret(right))
    assert await holding.fault() is None
    await holding.tokens.access()


async def test_a_later_success_clears_the_apps_fault(holding: Holding, clock: Any) -> None:
    await clock(TOO_OLD)
    await holding.sandbox.plant("status", "token", status=401, body={"error": "invalid_client"})
    with pytest.raises(ProviderMisconfigured):
        await holding.tokens.access()
    assert (await list_apps(holding.practice_id))[0].fault == "PROVIDER_MISCONFIGURED"

    await holding.tokens.access()

    assert await holding.fault() is None


async def test_a_revoked_consent_expires_every_connection_once_whoever_asks(
    holding: Holding, opened: Deployment, clock: Any
) -> None:
    bakery, books = holding.person.organisations
    fine = [await holding.connect(bakery), await holding.connect(books)]
    client_id = await holding.above.fetchval("SELECT client_id FROM connection WHERE id = $1", fine[0])
    fine.append(await holding.connect(bakery, product=Product.DATA_HEALTH, client_id=client_id))
    client_id = await holding.above.fetchval("SELECT client_id FROM connection WHERE id = $1", fine[1])
    disconnected = await holding.connect(books, product=Product.DATA_HEALTH, client_id=client_id)
    await holding.disconnect(disconnected)
    run_id = await _live_run(holding)
    await holding.sandbox.revoke(holding.portal, holding.person)
    await clock(TOO_OLD)

    async with AsyncExitStack() as stack:
        askers = [await stack.enter_async_context(asking(opened, holding, callers=10)) for _ in range(2)]
        for asker in askers:
            asker.go()
        answers = [answer for asker in askers for answer in await asker.answers()]
    errors = await asyncio.gather(*(_error(holding) for _ in range(10)))

    assert answers == ["CONSENT_GONE"] * 20
    assert errors == ["CONSENT_GONE"] * 10
    row = await holding.row()
    assert (row["state"], row["dead_reason"], row["tokens_sealed"]) == ("DEAD", "REVOKED_AT_PROVIDER", None)
    assert sorted(await holding.expiries()) == sorted(fine)
    assert [await holding.reason(each) for each in fine] == [Reason.REVOKED_AT_PROVIDER] * 3
    assert await holding.reason(disconnected) is Reason.DISCONNECTED
    assert await holding.above.fetchval("SELECT state FROM sync_run WHERE id = $1", run_id) == "CANCELLED"
    assert len(await holding.refreshes()) == 1
    with pytest.raises(ConsentGone):
        await open_session(holding.practice_id, holding.credential.id)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ACCESS_LOST", "REVOKED_AT_PROVIDER"),
        ("SUBSCRIPTION_LAPSED", "REVOKED_AT_PROVIDER"),
        ("SCOPE_MISSING", "SCOPE_MISSING"),
        ("DISCONNECTED", "DISCONNECTED"),
    ],
)
async def test_what_would_mend_itself_cannot_once_its_tokens_are_refused(
    holding: Holding, clock: Any, before: str, after: str
) -> None:
    connection_id = await holding.connect(holding.person.organisations[0])
    await holding.above.execute("UPDATE connection SET reason = $2 WHERE id = $1", connection_id, before)
    await holding.sandbox.revoke(holding.portal, holding.person)
    await clock(TOO_OLD)

    for _ in range(2):
        assert await _error(holding) == "CONSENT_GONE"

    assert await holding.reason(connection_id) == after
    assert await holding.expiries() == ([] if before == after else [connection_id])


async def test_rejecting_twice_at_once_tells_once(holding: Holding) -> None:
    connection_id = await holding.connect(holding.person.organisations[0])

    arguments = (holding.practice_id, holding.credential.id, Reason.REVOKED_AT_PROVIDER, 1)
    await asyncio.gather(*(credential_rejected(*arguments) for _ in range(8)))
    await credential_rejected(holding.practice_id, holding.credential.id, Reason.TOKEN_EXPIRED, 1)

    assert await holding.expiries() == [connection_id]
    assert (await holding.row())["dead_reason"] == "REVOKED_AT_PROVIDER"


async def test_a_rejection_of_tokens_that_were_replaced_does_nothing(holding: Holding) -> None:
    connection_id = await holding.connect(holding.person.organisations[0])
    await holding.keep(*await holding.consent())

    await credential_rejected(holding.practice_id, holding.credential.id, Reason.REVOKED_AT_PROVIDER, 1)

    assert await holding.reason(connection_id) is None
    assert (await holding.row())["state"] == "LIVE"


async def test_tokens_that_nobody_used_for_too_long_have_expired(holding: Holding, clock: Any) -> None:
    connection_id = await holding.connect(holding.person.organisations[0])
    await holding.sandbox.revoke(holding.portal, holding.person)
    await clock(timedelta(days=61))

    with pytest.raises(ConsentGone):
        await holding.tokens.access()

    assert await holding.reason(connection_id) is Reason.TOKEN_EXPIRED


async def _is_refreshed(holding: Holding) -> bool:
    return bool((await holding.row())["version"] > 1)


async def _error(holding: Holding) -> str:
    try:
        await holding.tokens.access()
    except TielineError as error:
        return error.code
    return "none"


async def _live_run(holding: Holding) -> Any:
    return await holding.above.fetchval(
        "INSERT INTO sync_run (id, practice_id, organisation_id, credential_id, feeds, trigger, state, "
        "created_at, changed_at) "
        "SELECT gen_random_uuid(), practice_id, id, $2, '{accounts}', 'CONNECT', 'QUEUED', created_at, created_at "
        "FROM organisation WHERE practice_id = $1 ORDER BY id LIMIT 1 RETURNING id",
        holding.practice_id,
        holding.credential.id,
    )
