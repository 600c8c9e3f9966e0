"""What cuts a slice short, and what becomes of the run, its connections and its next try."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.books import DATA_HEALTH, Books
from tests.support.jobs import calendar
from tests.sync.scripted import Reading, Script, for_ever, page, quick_pages, reading, record
from tieline.connections.states import Reason
from tieline.errors import (
    AccessLost,
    CannotSync,
    ConsentGone,
    LimitScope,
    NotAtProvider,
    ProviderBroken,
    ProviderMisconfigured,
    ProviderUnavailable,
    QuotaSpent,
    ScopeMissing,
    SubscriptionLapsed,
    Throttled,
)
from tieline.plugins import Page, SetAside
from tieline.sync.runs import RunState
from tieline.sync.service import sync
from tieline.work import Again, Lane

Clock = Callable[[timedelta], Awaitable[None]]
HOUR = timedelta(hours=1)


async def spent(limit: str = "day", wait: timedelta = HOUR) -> QuotaSpent:
    return QuotaSpent("pretend", limit=limit, resume_at=await calendar() + wait)


async def test_a_spent_limit_pauses_the_run_which_then_goes_on_where_it_was(
    client: Reading, script: Script, clock: Clock
) -> None:
    error = await spent()
    script.answers = {
        ("accounts", None): page(record("a"), cursor="1"),
        ("accounts", "1"): [error, page(record("b"), cursor="2", last=True)],
    }

    again = await client.slice()

    assert again == Again(error.resume_at)
    run = await client.run()
    assert (run.state, run.limit_name, run.resume_at) == (RunState.PAUSED, "day", error.resume_at)
    assert run.message == str(error)
    assert (run.feeds[0].pages, run.feeds[0].calls) == (1, 2)
    [(kind, told)] = await client.books.events()
    assert (kind, told["limit"], told["run_id"]) == ("SYNC_PAUSED", "day", str(run.id))
    assert datetime.fromisoformat(told["resume_at"]) == error.resume_at

    await clock(HOUR)
    assert await client.slice() is None
    over = await client.run()
    assert (over.id, over.state, over.limit_name, over.resume_at) == (run.id, RunState.SUCCEEDED, None, None)
    assert over.feeds[0].calls == 3
    assert script.asked[:3] == [("accounts", None), ("accounts", "1"), ("accounts", "1")]
    assert await client.ids() == ["a", "b"]


async def test_one_limit_is_told_of_once_with_the_first_long_wait_whatever_pages_come_through(
    client: Reading, script: Script
) -> None:
    short = await spent("day", timedelta(minutes=4))
    script.answers = {
        ("accounts", None): [short, await spent(), await spent(), page(record("a"), cursor="1")],
        ("accounts", "1"): [await spent(), page(record("b"), cursor="2", last=True)],
    }

    kinds = []
    while await client.slice() is not None:
        kinds.append(await client.books.kinds())

    assert kinds == [[], ["SYNC_PAUSED"], [], []]


async def test_a_limit_that_a_provider_names_without_a_gate_pauses_too(
    client: Reading, script: Script
) -> None:
    script.answers["accounts", None] = Throttled(
        "pretend", limit="x" * 50, scope=LimitScope.APP, retry_after=None
    )

    again = await client.slice()

    run = await client.run()
    assert (run.state, run.limit_name) == (RunState.PAUSED, "x" * 32)
    assert again is not None
    assert run.resume_at == again.at


async def test_slices_that_call_and_call_without_a_page_are_ended(client: Reading, script: Script) -> None:
    script.calls_a_page = 50
    script.answers["accounts", None] = await spent()

    states = []
    for _ in range(3):
        await client.slice()
        states.append((await client.run()).state)

    assert states == [RunState.PAUSED, RunState.PAUSED, RunState.FAILED]
    assert (await client.run()).reason == "STALLED"
    assert (await client.run()).message == "Reading goes round without getting anywhere, so it was stopped."
    assert (await client.run()).feeds[0].calls == 150


async def test_single_calls_that_find_the_day_still_spent_may_go_on_for_long(
    client: Reading, script: Script
) -> None:
    script.answers["accounts", None] = await spent()

    for _ in range(6):
        await client.slice()

    assert (await client.run()).state is RunState.PAUSED


@pytest.mark.parametrize("error", [ProviderUnavailable("pretend"), ProviderMisconfigured("pretend")])
async def test_a_provider_in_trouble_is_asked_again_at_growing_pauses_for_a_day(
    client: Reading, script: Script, clock: Clock, error: Any
) -> None:
    script.answers["accounts", None] = error

    pauses = []
    for _ in range(4):
        before = await calendar()
        again = await client.slice()
        assert again is not None
        pauses.append(again.at - before)
        await clock(again.at - before)
    run = await client.run()
    await clock(timedelta(hours=24))
    over = await client.slice()

    assert (run.state, run.message, run.reason) == (RunState.QUEUED, str(error), None)
    assert timedelta(seconds=15) <= pauses[0] < pauses[2] < pauses[3] <= timedelta(minutes=10)
    assert over is None
    assert ((await client.run()).state, (await client.run()).reason) == (RunState.FAILED, error.code)
    assert await client.books.kinds() == ["SYNC_FAILED"]
    assert await client.reason() is None


async def test_trouble_that_is_over_is_forgotten(client: Reading, script: Script, clock: Clock) -> None:
    trouble = ProviderUnavailable("pretend")
    script.answers = {
        ("accounts", None): [trouble, page(record("a"), cursor="1")],
        ("accounts", "1"): [trouble, trouble, page(cursor="2", last=True)],
    }

    for _ in range(3):
        assert await client.slice() is not None
        await clock(timedelta(hours=23))

    assert await client.slice() is None
    assert (await client.run()).state is RunState.SUCCEEDED


async def test_a_day_of_a_spent_limit_is_no_day_of_trouble(
    client: Reading, script: Script, clock: Clock
) -> None:
    trouble = ProviderUnavailable("pretend")
    script.answers["accounts", None] = [trouble, await spent(wait=25 * HOUR), trouble, page(record("a"))]

    for wait in (HOUR, 25 * HOUR, HOUR):
        assert await client.slice() is not None
        await clock(wait)

    assert await client.slice() is None
    assert (await client.run()).state is RunState.SUCCEEDED


async def test_a_failed_run_is_tried_again_after_an_hour_and_then_ever_later(
    client: Reading, script: Script
) -> None:
    script.answers["accounts", None] = ProviderBroken("pretend", "it is upside down")

    waits = []
    run = await client.run()
    for _ in range(6):
        assert await client.slice(run.id) is None
        organisation = await client.organisation()
        waits.append((organisation["next_sync_at"] - await calendar()) / HOUR)
        over = await client.run(run.id)
        assert (over.state, over.reason) == (RunState.FAILED, "PROVIDER_BROKEN")
        assert over.message == "pretend answered in a way we do not know: it is upside down."
        run = await sync(client.books.admin, client.connection.id)

    for wait, expected in zip(waits, (1, 2, 4, 8, 16, 24), strict=True):
        assert expected * 0.89 <= wait <= expected * 1.11
    assert run.lane is Lane.FIRST


@pytest.mark.parametrize(
    ("error", "reason", "run_reason"),
    [
        (ScopeMissing("pretend"), Reason.SCOPE_MISSING, "SCOPE_MISSING"),
        (SubscriptionLapsed("pretend"), Reason.SUBSCRIPTION_LAPSED, "SUBSCRIPTION_LAPSED"),
        (AccessLost("pretend"), Reason.ACCESS_LOST, "ACCESS_LOST"),
    ],
)
async def test_what_a_person_must_mend_expires_the_connection_once(
    client: Reading, script: Script, error: Any, reason: Reason, run_reason: str
) -> None:
    script.answers["accounts", None] = error

    assert await client.slice() is None
    assert await client.slice() is None

    assert await client.reason() == reason
    assert ((await client.run()).state, (await client.run()).reason) == (RunState.FAILED, run_reason)
    events = await client.books.events()
    assert [(kind, told["reason"]) for kind, told in events] == [
        ("CONNECTION_EXPIRED", reason),
        ("SYNC_FAILED", run_reason),
    ]
    with pytest.raises(CannotSync, match="expired"):
        await sync(client.books.admin, client.connection.id)


async def test_an_organisation_that_the_login_does_not_reach_any_more_was_revoked(
    client: Reading, script: Script
) -> None:
    script.answers["accounts", None] = AccessLost("pretend")
    script.reached = ["another"]

    assert await client.slice() is None

    assert await client.reason() == Reason.REVOKED_AT_PROVIDER
    assert (await client.run()).reason == "REVOKED_AT_PROVIDER"
    assert await client.books.sql.fetchval(
        "SELECT array_agg(lost_at IS NOT NULL) FROM consent WHERE practice_id = $1", client.books.practice_id
    ) == [True]
    assert sorted(await client.books.kinds()) == ["CONNECTION_EXPIRED", "SYNC_FAILED"]


async def test_lost_access_is_not_believed_while_nobody_can_be_asked(client: Reading, script: Script) -> None:
    script.answers["accounts", None] = AccessLost("pretend")
    script.reached = ProviderUnavailable("pretend")

    assert await client.slice() is not None

    assert await client.reason() is None
    assert (await client.run()).state is RunState.QUEUED


async def test_a_run_goes_on_with_the_product_that_nothing_is_wrong_with(
    books: Books, script: Script
) -> None:
    client = await reading(books, script)
    other = await books.connected(client.connection.client_id, client.organisation_id, DATA_HEALTH)
    script.answers["invoices", None] = ScopeMissing("pretend")

    again = await client.slice()

    assert again is not None
    assert (await books.row("connection", other.id))["reason"] == Reason.SCOPE_MISSING
    assert await client.reason() is None
    assert await client.slice() is None
    assert (await client.run()).state is RunState.SUCCEEDED
    assert (await client.run()).wanted == ("accounts", "rates")


async def test_a_consent_that_has_gone_ends_the_run(client: Reading, script: Script) -> None:
    script.answers["accounts", None] = ConsentGone("pretend")

    assert await client.slice() is None

    assert (await client.run()).reason == "CONSENT_GONE"


async def test_a_run_whose_credential_was_replaced_meanwhile_goes_on_with_the_new_one(
    client: Reading, script: Script
) -> None:
    async def replaced() -> Any:
        other = await client.books.credential()
        await client.books.sql.execute(
            "UPDATE connection SET credential_id = $2 WHERE id = $1", client.connection.id, other
        )
        await client.books.sql.execute(
            "UPDATE sync_run SET credential_id = $2 WHERE id = $1", client.first, other
        )
        raise ScopeMissing("pretend")

    script.answers["accounts", None] = [replaced, page(record("a"), cursor="1", last=True)]

    assert await client.slice() is not None
    assert await client.reason() is None
    assert await client.slice() is None
    assert (await client.run()).state is RunState.SUCCEEDED


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({None: ValueError("secret")}, "The plugin pretend failed with ValueError."),
        ({None: SystemExit("secret")}, "The plugin pretend failed with SystemExit."),
        ({None: CancelledError("secret")}, "The plugin pretend cancelled itself."),
        ({None: page(cursor="1"), "1": page(cursor="1", last=False)}, "goes round in circles"),
        ({None: page(cursor=None, last=False)}, "goes round in circles"),
        (
            {
                None: page(record("a"), cursor="1"),
                "1": page(record("b"), cursor="2"),
                "2": page(record("c"), cursor="1"),
            },
            "goes round in circles",
        ),
        ({None: page(record("a", "unheard"))}, "a dataset that its feed 'accounts' does not have"),
        ({None: page(gone=[("unheard", "a")])}, "a dataset that its feed 'accounts' does not have"),
        (
            {None: page(set_aside=[SetAside(dataset="unheard", external_id="", why="")])},
            "a dataset that its feed 'accounts' does not have",
        ),
        ({None: page(*[record(str(each)) for each in range(5_001)])}, "more than 5000 records"),
        ({None: page(*["record"])}, "no Record"),  # type: ignore[arg-type]
        ({None: page(gone=[("accounts",)])}, "no dataset with an id"),  # type: ignore[list-item]
    ],
)
async def test_a_plugin_that_breaks_its_contract_ends_the_run_with_a_sentence(
    client: Reading, script: Script, answers: dict[str | None, Any], sentence: str
) -> None:
    script.answers = {("accounts", cursor): answer for cursor, answer in answers.items()}

    assert await client.slice() is None

    run = await client.run()
    assert (run.state, run.reason) == (RunState.FAILED, "PLUGIN")
    assert run.message is not None
    assert sentence in run.message
    assert "secret" not in run.message
    assert script.closed == 1
    assert await client.books.kinds() == ["SYNC_FAILED"]
    assert await client.reason() is None


async def test_a_plugin_that_ends_without_a_last_page_or_gives_no_page_or_hangs_is_told_of(
    client: Reading, script: Script
) -> None:
    async def nothing(*_: Any) -> Any:
        return
        yield

    script.pull = nothing  # type: ignore[assignment, method-assign]
    await client.slice()
    assert "without a last page" in str((await client.run()).message)

    async def text(*_: Any) -> Any:
        yield "page"

    script.pull = text  # type: ignore[assignment]
    assert "no page" in str((await client.again()).message)
    del script.pull
    script.answers["accounts", None] = for_ever
    with quick_pages(0.2):
        assert "took more than" in str((await client.again()).message)
    assert script.closed == 1


async def test_a_plugin_that_yields_without_end_is_stopped_and_what_was_stored_stays(
    client: Reading, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tieline.sync.slices.MAX_PAGES", 5)
    pages: dict[str | None, Page] = {None: page(record("0"), cursor="0")}
    pages |= {str(n): page(record(str(n + 1)), cursor=str(n + 1)) for n in range(20)}
    script.answers = {("accounts", cursor): answer for cursor, answer in pages.items()}

    while await client.slice(seconds=0) is not None:
        pass

    run = await client.run()
    assert (run.state, run.reason) == (RunState.FAILED, "PLUGIN")
    assert run.message == "The plugin pretend gave 5 pages of its feed 'accounts' and comes to no end."
    assert await client.ids() == ["0", "1", "2", "3", "4"]
    assert await client.cursors() == {"accounts": "4"}


async def test_nothing_reads_books_that_no_connection_wants(client: Reading, script: Script) -> None:
    await client.books.sql.execute(
        "UPDATE connection SET ended_at = connected_at WHERE id = $1", client.connection.id
    )

    assert await client.slice() is None

    run = await client.run()
    assert (run.state, run.reason) == (RunState.CANCELLED, "NOT_CONNECTED")
    assert script.asked == []


async def test_what_the_provider_does_not_have_ends_the_run(client: Reading, script: Script) -> None:
    script.answers["accounts", None] = NotAtProvider("pretend")

    assert await client.slice() is None

    assert (await client.run()).reason == "PROVIDER_BROKEN"
