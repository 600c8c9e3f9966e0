"""Consents run out and are warned of, each connection by its own; what is old is forgotten, and nothing else."""

from __future__ import annotations

import asyncio
import contextvars
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books
from tieline.connections.board.service import list_board
from tieline.connections.repository import Connection
from tieline.connections.warnings.ends import Ends, Warned
from tieline.connections.warnings.service import expire, list_warnings, warn
from tieline.errors import Invalid
from tieline.ids import ConnectionId, new_id
from tieline.practices.service import set_consent_life
from tieline.principal import ClientAccess
from tieline.sweeps import actors
from tieline.sweeps.renewals import renew

DAY = timedelta(days=1)
NOW = datetime(2031, 5, 4, tzinfo=UTC)
MOST = 200


async def aged(books: Books, connection: Connection, days: float) -> None:
    """As if its consent had been given so many days ago."""
    await books.sql.execute(
        "UPDATE consent SET consented_at = $2 WHERE credential_id = $1",
        connection.credential_id,
        datetime.now(UTC) - days * DAY,
    )


async def connected(books: Books, name: str, *, days: float = 0) -> Connection:
    made = await books.connected(await books.client(name), await books.organisation(name))
    await aged(books, made, days)
    return made


async def told(books: Books, kind: str) -> list[tuple[str, str, int | None]]:
    return [
        (payload["connection_id"], payload["reason"], payload.get("days"))
        for found, payload in await books.events()
        if found == kind
    ]


async def reason(books: Books, connection: Connection) -> str | None:
    found: str | None = (await books.row("connection", connection.id))["reason"]
    return found


def ends(**known: Any) -> Ends:
    nothing: dict[str, Any] = {
        "consent_ends": None,
        "grant_ends": None,
        "warned_of": None,
        "warned_days": None,
    }
    return Ends(connection_id=ConnectionId(new_id()), **(nothing | known))


@pytest.mark.parametrize(
    ("left", "mark"),
    [
        (31 * DAY, None),
        (30 * DAY, 30),
        (8 * DAY, 30),
        (7 * DAY, 7),
        (DAY, 1),
        (timedelta(seconds=1), 1),
        (timedelta(0), None),
    ],
)
def test_a_mark_is_passed_at_its_instant_and_there_is_none_after_the_end(
    left: timedelta, mark: int | None
) -> None:
    warning = ends(consent_ends=NOW + left).warning(NOW)

    assert (warning.days if warning else None) == mark


def test_the_earlier_end_is_what_is_warned_of() -> None:
    both = ends(consent_ends=NOW + 20 * DAY, grant_ends=NOW + 5 * DAY).warning(NOW)

    assert isinstance(both, Warned)
    assert (both.reason, both.expires_at, both.days) == ("TOKEN_EXPIRED", NOW + 5 * DAY, 7)


def test_an_end_that_is_told_anew_as_seconds_left_is_no_news_and_a_later_one_is() -> None:
    known = {"warned_of": NOW + 5 * DAY, "warned_days": 7}

    assert ends(grant_ends=NOW + 5 * DAY + timedelta(seconds=3), **known).news(NOW) is None
    assert ends(grant_ends=NOW + 7 * DAY, **known).news(NOW) is not None
    assert ends(grant_ends=NOW + 5 * DAY, **known).news(NOW + 4 * DAY) is not None


async def test_what_is_near_its_end_is_told_once_for_each_mark_and_shown_until_it_is_mended(
    books: Books,
) -> None:
    near, far = await connected(books, "Near", days=336), await connected(books, "Far", days=334)

    assert await warn(books.practice_id, most=MOST) == 1
    assert await warn(books.practice_id, most=MOST) == 0
    await aged(books, near, 359)
    await warn(books.practice_id, most=MOST)
    shown = await list_warnings(books.admin, [near.id, far.id])
    await aged(books, near, 0)

    assert await told(books, "CONNECTION_WARNING") == [
        (str(near.id), "CONSENT_EXPIRED", 30),
        (str(near.id), "CONSENT_EXPIRED", 7),
    ]
    assert [(one.connection_id, one.days) for one in shown] == [(near.id, 7)]
    assert await list_warnings(books.admin, [near.id, far.id]) == []


async def test_warnings_are_for_those_who_see_the_client(books: Books) -> None:
    near = await connected(books, "Near", days=336)
    stranger = await books.member(clients=ClientAccess.LISTED)

    assert await list_warnings(stranger, [near.id]) == []


async def test_a_consent_that_has_run_out_expires_its_connection_and_ends_its_run_and_no_other(
    books: Books,
) -> None:
    over, well = await connected(books, "Over", days=365), await connected(books, "Well", days=364.9)

    assert await expire(books.practice_id, most=MOST) == 1
    assert await expire(books.practice_id, most=MOST) == 0

    assert await told(books, "CONNECTION_EXPIRED") == [(str(over.id), "CONSENT_EXPIRED", None)]
    assert await reason(books, well) is None
    [stopped] = [
        run for run in await books.runs("CANCELLED") if run["organisation_id"] == over.organisation_id
    ]
    assert stopped["reason"] == "CONSENT_EXPIRED"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ACCESS_LOST", "CONSENT_EXPIRED"),
        ("SUBSCRIPTION_LAPSED", "CONSENT_EXPIRED"),
        ("DISCONNECTED", "DISCONNECTED"),
        ("REVOKED_AT_PROVIDER", "REVOKED_AT_PROVIDER"),
    ],
)
async def test_what_would_mend_itself_cannot_without_a_consent(books: Books, before: str, after: str) -> None:
    one = await connected(books, "One", days=400)
    await books.expire(one, before)

    await expire(books.practice_id, most=MOST)

    assert await reason(books, one) == after


async def test_any_number_of_workers_tell_and_expire_once(books: Books) -> None:
    near, over = await connected(books, "Near", days=336), await connected(books, "Over", days=366)

    async def sweep() -> None:
        await asyncio.gather(actors.warn_ahead.function(), actors.expire_consents.function())

    await asyncio.gather(*(asyncio.create_task(sweep(), context=contextvars.Context()) for _ in range(4)))

    told_of = [
        (kind, payload["connection_id"]) for kind, payload in await books.events() if "reason" in payload
    ]
    assert sorted(told_of) == [("CONNECTION_EXPIRED", str(over.id)), ("CONNECTION_WARNING", str(near.id))]


async def test_a_round_takes_so_many_of_a_practice_and_the_next_one_goes_on(books: Books) -> None:
    for name in "ABC":
        await connected(books, name, days=366)

    assert [await expire(books.practice_id, most=2) for _ in range(3)] == [2, 1, 0]


async def test_a_practice_says_how_long_consents_last_or_that_they_do_not_run_out(books: Books) -> None:
    one = await connected(books, "One", days=100)

    await set_consent_life(books.practice_id, 120)
    [warned] = await list_warnings(books.admin, [one.id])
    await set_consent_life(books.practice_id, None)
    await aged(books, one, 4_000)

    assert (warned.days, await list_warnings(books.admin, [one.id])) == (30, [])
    assert await expire(books.practice_id, most=MOST) == 0


@pytest.mark.parametrize("days", [-1, 0, 3_651, 99_999_999, 10**22])
async def test_a_life_that_no_sweep_could_reckon_with_is_refused(books: Books, days: int) -> None:
    near = await connected(books, "Near", days=336)

    with pytest.raises(Invalid):
        await set_consent_life(books.practice_id, days)

    assert [warned.days for warned in await list_warnings(books.admin, [near.id])] == [30]


async def test_the_longest_life_there_is_can_be_reckoned_with(books: Books) -> None:
    one = await connected(books, "One", days=400)

    await set_consent_life(books.practice_id, 3_650)

    assert await list_warnings(books.admin, [one.id]) == []
    assert await expire(books.practice_id, most=MOST) == 0


async def test_the_board_shows_only_what_is_warned_of_when_asked_to(books: Books) -> None:
    near = await connected(books, "Near", days=340)
    await connected(books, "Far")
    await books.expire(await connected(books, "Bad", days=340), "ACCESS_LOST")

    board = await list_board(books.admin, BOOKKEEPING, with_warnings=True)
    other = await list_board(books.admin, DATA_HEALTH, with_warnings=True)

    assert [row.connection.id for row in board.rows if row.connection] == [near.id]
    assert (board.total, other.total) == (1, 0)


async def test_tokens_are_renewed_after_25_to_30_days_or_half_of_their_life(books: Books) -> None:
    async def credential(age: float, life: float | None) -> str:
        made = await books.credential()
        at = datetime.now(UTC) - age * DAY
        await books.sql.execute(
            "UPDATE credential SET refreshed_at = $2, refresh_expires_at = $3 WHERE id = $1",
            made,
            at,
            None if life is None else at + life * DAY,
        )
        return str(made)

    due = {await credential(30, None), await credential(30, 100), await credential(8, 14)}
    for age, life in ((24.9, None), (24.9, 100), (6, 14)):
        await credential(age, life)

    await renew(books.practice_id, most=MOST)
    assert await renew(books.practice_id, most=MOST) == 0, "a job is under way"

    assert {job["credential_id"] for job in await books.jobs("credentials.finish_refresh")} == due


async def test_old_runs_are_forgotten_but_for_the_last_of_each_organisation(books: Books) -> None:
    one = await connected(books, "One")
    [last] = await books.runs()
    columns = "practice_id, organisation_id, credential_id, feeds, trigger, state, requested_by"
    for age in (100, 95, 80):
        await books.sql.execute(
            f"INSERT INTO sync_run (id, {columns}, created_at, changed_at, finished_at) "
            f"SELECT gen_random_uuid(), practice_id, organisation_id, credential_id, feeds, trigger, 'SUCCEEDED', "
            "requested_by, $2, $2, $2 FROM sync_run WHERE id = $1",
            last["id"],
            datetime.now(UTC) - age * DAY,
        )

    await actors.prune_runs.function(keep_days=90)
    assert await books.count("sync_run") == 2
    await books.sql.execute("DELETE FROM sync_run WHERE id = $1", last["id"])
    await actors.prune_runs.function(keep_days=1)

    assert await books.count("sync_run", f"organisation_id = '{one.organisation_id}'") == 1


async def test_ended_sign_ins_are_forgotten_unless_a_token_waits_to_be_revoked(books: Books) -> None:
    [organisation] = await books.organisations("A")
    credential = await books.credential()
    old, young, waiting, ready = [await books.sign_in(credential, [organisation]) for _ in range(4)]
    at = datetime.now(UTC)
    for each, age in ((old, 8), (young, 6), (waiting, 8)):
        await books.sql.execute(
            "UPDATE sign_in SET state = 'EXPIRED', changed_at = $2 WHERE id = $1", each, at - age * DAY
        )
    await books.sql.execute("UPDATE sign_in SET changed_at = $2 WHERE id = $1", ready, at - 8 * DAY)
    await books.sql.execute(
        "INSERT INTO consent_round (id, practice_id, sign_in_id, state_hash, verifier_sealed, tokens_sealed, "
        "created_at, expires_at) VALUES (gen_random_uuid(), $1, $2, $3, '', 'sealed', $4, $4)",
        books.practice_id,
        waiting,
        new_id().bytes,
        at,
    )

    await actors.prune_sign_ins.function(keep_days=7)

    rows = await books.sql.fetch("SELECT id FROM sign_in WHERE practice_id = $1", books.practice_id)
    assert {row["id"] for row in rows} == {young, waiting, ready}


async def test_records_that_have_been_gone_for_long_are_forgotten(books: Books) -> None:
    organisation = await books.organisation("A")
    for external_id, age in (("here", None), ("lately", 29), ("long ago", 31)):
        await books.sql.execute(
            "INSERT INTO ledger_record (practice_id, organisation_id, dataset, external_id, sort_key, active, data, "
            "hash, generation, changed_at, deleted_at) VALUES ($1, $2, 'accounts', $3, '', true, '{}', '', 1, $4, $5)",
            books.practice_id,
            organisation,
            external_id,
            datetime.now(UTC),
            None if age is None else datetime.now(UTC) - age * DAY,
        )

    await actors.prune_tombstones.function(keep_days=30)

    rows = await books.sql.fetch(
        "SELECT external_id FROM ledger_record WHERE practice_id = $1 ORDER BY 1", books.practice_id
    )
    assert [row["external_id"] for row in rows] == ["here", "lately"]
