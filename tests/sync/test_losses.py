"""What a person must mend: the connections of the organisation expire with a reason, and their runs end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books
from tests.sync.scripted import Reading, Script, page, reading, record
from tieline.connections.settings.reading import AskedSetting
from tieline.connections.settings.service import update_settings
from tieline.connections.states import Reason
from tieline.errors import (
    AccessLost,
    CannotSync,
    ConsentGone,
    ProviderUnavailable,
    ScopeMissing,
    SubscriptionLapsed,
)
from tieline.plugins import ConnectionSetting, SettingKind
from tieline.sync.runs import RunState
from tieline.sync.service import sync


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


async def test_a_product_that_has_the_feed_switched_off_does_not_need_it(
    books: Books, script: Script
) -> None:
    switch = ConnectionSetting(
        name="read_accounts",
        kind=SettingKind.SWITCH,
        label="Read accounts",
        meaning="Whether accounts are read.",
        products=(BOOKKEEPING, DATA_HEALTH),
        default="true",
        feeds=("accounts",),
    )
    script.info = replace(script.info, connection_settings=(switch,))
    client = await reading(books, script)
    other = await books.connected(client.connection.client_id, client.organisation_id, DATA_HEALTH)
    await books.sql.execute(
        "UPDATE connection SET credential_id = $2 WHERE id = $1", other.id, client.connection.credential_id
    )
    off = [AskedSetting(name="read_accounts", value="false")]
    await update_settings(books.admin, client.connection.id, off)
    script.answers["accounts", None] = ScopeMissing("pretend")

    while await client.slice() is not None:
        pass

    assert (await books.row("connection", other.id))["reason"] == Reason.SCOPE_MISSING
    assert await client.reason() is None


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


async def test_nothing_reads_books_that_no_connection_wants(client: Reading, script: Script) -> None:
    await client.books.sql.execute(
        "UPDATE connection SET ended_at = connected_at WHERE id = $1", client.connection.id
    )

    assert await client.slice() is None

    run = await client.run()
    assert (run.state, run.reason) == (RunState.CANCELLED, "NOT_CONNECTED")
    assert script.asked == []
