"""Mending all that is broken of a provider with one sign-in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books
from tests.support.polling import until
from tests.support.statements import Statement, all_connected, taken_down, transactions
from tieline.connections.decisions import Asked
from tieline.connections.moving import service as moving
from tieline.connections.moving.decisions import Outcome
from tieline.connections.moving.repository import BrokenCount
from tieline.connections.moving.service import Mended, count_broken, preview_reconnect_all, reconnect_all
from tieline.connections.repository import Connection
from tieline.connections.service import bulk_connect, disconnect, get_connection, get_connections
from tieline.connections.states import MENDS_ITSELF, Reason, Status
from tieline.errors import Forbidden, NotFound, SignInNotReady, SignInOver
from tieline.ids import SignInId, new_id
from tieline.principal import ClientAccess, ClientRole, Permission

BROKEN = [reason for reason in Reason if reason not in {Reason.DISCONNECTED, *MENDS_ITSELF}]


async def connected(books: Books, *names: str) -> list[Connection]:
    """Clients connected through one colleague's credential, and nothing to do."""
    clients = [await books.client(name) for name in names]
    organisations = await books.organisations(*names)
    sign_in_id = await books.sign_in(await books.credential(), organisations)
    rows = [
        Asked(client_id=client.id, organisation_id=organisation_id)
        for client, organisation_id in zip(clients, organisations, strict=True)
    ]
    outcomes = await bulk_connect(books.admin, sign_in_id, BOOKKEEPING, rows)
    await books.sql.execute("DELETE FROM sync_run WHERE practice_id = $1", books.practice_id)
    await books.events()
    return [each.connection for each in outcomes if each.connection is not None]


async def many(books: Books, count: int, reason: str = "TOKEN_EXPIRED") -> list[Connection]:
    """So many broken ones, connected by one colleague."""
    clients = await books.clients(count)
    organisations = await books.organisations(*(f"Client {number:05}" for number in range(count)))
    sign_in_id = await books.sign_in(await books.credential(), organisations)
    rows = [
        Asked(client_id=client_id, organisation_id=organisation_id)
        for client_id, organisation_id in zip(clients, organisations, strict=True)
    ]
    made = []
    for start in range(0, count, 1_000):
        outcomes = await bulk_connect(books.admin, sign_in_id, BOOKKEEPING, rows[start : start + 1_000])
        made += [each.connection for each in outcomes if each.connection is not None]
    await books.sql.execute(
        "UPDATE connection SET reason = $2 WHERE practice_id = $1", books.practice_id, reason
    )
    await books.sql.execute("DELETE FROM sync_run WHERE practice_id = $1", books.practice_id)
    await books.events()
    return made


async def reaching(books: Books, connections: Sequence[Connection]) -> SignInId:
    return await books.sign_in(await books.credential(), [each.organisation_id for each in connections])


def told(mended: Mended) -> dict[str, str]:
    """What became of each, by the name of its organisation."""
    return {
        each.connection.organisation_name: each.outcome.value
        for each in mended.outcomes
        if each.connection is not None
    }


async def test_all_that_is_broken_works_again_through_the_callers_credential(books: Books) -> None:
    made = await connected(books, *(reason.value for reason in BROKEN), "Fine")
    for each, reason in zip(made, BROKEN, strict=False):
        await books.expire(each, reason)
    colleague = await books.member(Permission.MANAGE_CONNECTIONS)
    credential_id = await books.credential(colleague.person_id)
    sign_in_id = await books.sign_in(
        credential_id, [each.organisation_id for each in made], person_id=colleague.person_id
    )

    before = await count_broken(colleague, "pretend")
    mended = await reconnect_all(colleague, sign_in_id)
    after = await count_broken(colleague, "pretend")

    assert (before.broken, after.broken) == (len(BROKEN), 0)
    assert told(mended) == dict.fromkeys(BROKEN, "RECONNECTED")
    assert mended.remaining == 0
    now = await get_connections(books.admin, [each.id for each in made[:-1]])
    assert {(each.status, each.credential_id, each.integrated_by) for each in now} == {
        (Status.CONNECTED, credential_id, colleague.person_id)
    }
    assert await get_connection(books.admin, made[-1].id) == made[-1]
    assert await books.kinds() == ["CONNECTION_CONNECTED"] * len(BROKEN)
    runs = await books.runs()
    assert {(run["trigger"], run["credential_id"]) for run in runs} == {("RECONNECT", credential_id)}
    assert {run["organisation_id"] for run in runs} == {each.organisation_id for each in made[:-1]}


async def test_what_a_person_disconnected_is_never_touched(books: Books) -> None:
    one, other = await connected(books, "Left", "Broken")
    await disconnect(books.admin, one.id)
    await books.expire(other, "TOKEN_EXPIRED")
    await books.events()
    row = await books.row("connection", one.id)
    sign_in_id = await reaching(books, [one, other])

    counted = await count_broken(books.admin, "pretend")
    mended = await reconnect_all(books.admin, sign_in_id)

    assert counted == BrokenCount(broken=1, disconnected=1)
    assert told(mended) == {"Broken": "RECONNECTED"}
    assert await books.row("connection", one.id) == row


async def test_what_the_login_does_not_mend_stays_and_is_told(books: Books) -> None:
    reached, unreached = await connected(books, "Reached", "Unreached")
    for each in (reached, unreached):
        await books.expire(each, "TOKEN_EXPIRED")
    health = await books.connected(reached.client_id, reached.organisation_id, DATA_HEALTH)
    await books.expire(health, "SCOPE_MISSING")
    before = await books.row("connection", health.id), await books.row("connection", unreached.id)
    narrow = await books.credential(scopes=["ledger"])
    sign_in_id = await books.sign_in(narrow, [reached.organisation_id])

    mended = await reconnect_all(books.admin, sign_in_id)

    outcomes = {each.connection_id: each.outcome for each in mended.outcomes}
    assert outcomes == {
        reached.id: Outcome.RECONNECTED,
        health.id: Outcome.SCOPE_MISSING,
        unreached.id: Outcome.NOT_IN_THIS_LOGIN,
    }
    refusals = {each.connection_id: each.refusal for each in mended.outcomes}
    assert refusals[reached.id] is None
    assert "Unreached" in str(refusals[unreached.id])
    after = await books.row("connection", health.id), await books.row("connection", unreached.id)
    assert after == before


async def test_what_completing_mended_stands_behind_what_is_mended_now_and_before_what_is_left(
    books: Books,
) -> None:
    left, mended, now = await connected(books, "Left", "Before", "Now")
    sign_in_id = await books.sign_in(now.credential_id, [now.organisation_id, mended.organisation_id])
    await books.sql.execute(
        "INSERT INTO sign_in_mended (practice_id, sign_in_id, connection_id) VALUES ($1, $2, $3)",
        books.practice_id,
        sign_in_id,
        mended.id,
    )
    for each in (left, now):
        await books.expire(each, "TOKEN_EXPIRED")

    foreseen = await preview_reconnect_all(books.admin, sign_in_id)
    happened = await reconnect_all(books.admin, sign_in_id)

    for told in (foreseen, happened):
        assert [(each.connection_id, each.outcome) for each in told.outcomes] == [
            (now.id, Outcome.RECONNECTED),
            (mended.id, Outcome.RECONNECTED),
            (left.id, Outcome.NOT_IN_THIS_LOGIN),
        ]


async def test_what_completing_mended_is_told_only_while_it_hangs_on_that_login(books: Books) -> None:
    [made] = await connected(books, "Acme")
    sign_in_id = await books.sign_in(made.credential_id, [made.organisation_id])
    await books.sql.execute(
        "INSERT INTO sign_in_mended (practice_id, sign_in_id, connection_id) VALUES ($1, $2, $3)",
        books.practice_id,
        sign_in_id,
        made.id,
    )
    colleague = await books.member(Permission.MANAGE_CONNECTIONS)
    theirs = await books.sign_in(
        await books.credential(colleague.person_id), [made.organisation_id], person_id=colleague.person_id
    )

    before = await reconnect_all(books.admin, sign_in_id)
    await moving.reassign(colleague, theirs, [made.id])
    after = await reconnect_all(books.admin, sign_in_id)

    assert (told(before), told(after)) == ({"Acme": "RECONNECTED"}, {})


async def test_a_login_whose_credential_is_dead_mends_nothing(books: Books) -> None:
    [made] = await connected(books, "Acme")
    await books.expire(made, "TOKEN_EXPIRED")
    sign_in_id = await books.sign_in(await books.credential(state="DEAD"), [made.organisation_id])

    assert told(await reconnect_all(books.admin, sign_in_id)) == {"Acme": "NOT_IN_THIS_LOGIN"}


async def test_other_providers_and_practices_are_not_touched(books: Books, other_books: Books) -> None:
    [made] = await connected(books, "Acme")
    [theirs] = await connected(other_books, "Acme")
    await books.expire(made, "TOKEN_EXPIRED")
    await other_books.expire(theirs, "TOKEN_EXPIRED")
    feigned = await books.sign_in(await books.credential(provider="feigned"), [], provider="feigned")

    assert (await count_broken(books.admin, "feigned")).broken == 0
    assert (await reconnect_all(books.admin, feigned)).outcomes == ()
    await reconnect_all(books.admin, await reaching(books, [made]))
    assert (await other_books.row("connection", theirs.id))["reason"] == "TOKEN_EXPIRED"


async def test_the_same_again_and_two_at_once_mend_each_connection_once(books: Books) -> None:
    made = await many(books, 20)
    first, second = await reaching(books, made), await reaching(books, made)

    both = await asyncio.gather(reconnect_all(books.admin, first), reconnect_all(books.admin, second))
    again = await reconnect_all(books.admin, first)

    mended = [each.connection_id for one in both for each in one.outcomes]
    assert sorted(mended, key=str) == sorted((each.id for each in made), key=str)
    assert again == Mended(outcomes=(), remaining=0)
    assert await books.kinds() == ["CONNECTION_CONNECTED"] * 20
    assert len(await books.runs()) == 20


async def test_what_was_mended_or_disconnected_while_it_waited_is_left_as_it_is(books: Books) -> None:
    mended, disconnected, broken = made = await many(books, 3)
    sign_in_id = await reaching(books, made)

    async def waits() -> bool:
        return bool(await books.sql.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))

    async with books.sql.transaction():
        await books.sql.execute("SELECT FROM client WHERE id = $1 FOR UPDATE", mended.client_id)
        await books.sql.execute("UPDATE connection SET reason = NULL WHERE id = $1", mended.id)
        await books.expire(disconnected, "DISCONNECTED")
        waiting = asyncio.ensure_future(reconnect_all(books.admin, sign_in_id))
        await until(waits, "the call waits for the client")
    outcomes = (await waiting).outcomes

    assert [(each.connection_id, each.outcome) for each in outcomes] == [(broken.id, Outcome.RECONNECTED)]
    assert (await books.row("connection", disconnected.id))["reason"] == "DISCONNECTED"
    assert (await books.row("connection", mended.id))["credential_id"] == mended.credential_id


async def test_what_is_left_behind_is_let_go_of_once(books: Books) -> None:
    made = await many(books, 3)

    await reconnect_all(books.admin, await reaching(books, made))

    assert await books.jobs("credentials.let_go_credential") == [
        {"practice_id": str(books.practice_id), "credential_id": str(made[0].credential_id)}
    ]


async def test_who_administers_one_client_mends_that_and_others_are_left_out(books: Books) -> None:
    own, other = await connected(books, "Own", "Other")
    for each in (own, other):
        await books.expire(each, "TOKEN_EXPIRED")
    own_client = await books.client("Seen")
    made = await books.connected(own_client, await books.organisation("Seen"))
    await books.expire(made, "TOKEN_EXPIRED")
    administrator = await books.of_client(own_client, ClientRole.ADMINISTRATOR)
    sign_in_id = await books.sign_in(
        await books.credential(administrator.person_id),
        [each.organisation_id for each in (own, other, made)],
        person_id=administrator.person_id,
    )

    counted = await count_broken(administrator, "pretend")
    mended = await reconnect_all(administrator, sign_in_id)

    assert counted.broken == 1
    assert told(mended) == {"Seen": "RECONNECTED"}
    assert await books.count("connection", "reason = 'TOKEN_EXPIRED'") == 2


async def test_a_member_who_sees_all_but_administers_one_client_mends_that_one(books: Books) -> None:
    made = await many(books, 3)
    member = await books.member(Permission.SYNC)
    await books.sql.execute(
        "INSERT INTO client_member (practice_id, client_id, person_id, role, created_at) "
        "VALUES ($1, $2, $3, 'ADMINISTRATOR', '2031-05-04')",
        books.practice_id,
        made[1].client_id,
        member.person_id,
    )
    sign_in_id = await books.sign_in(
        await books.credential(member.person_id),
        [each.organisation_id for each in made],
        person_id=member.person_id,
    )

    assert (await count_broken(member, "pretend")).broken == 1
    mended = await reconnect_all(member, sign_in_id)
    assert [(each.connection_id, each.outcome) for each in mended.outcomes] == [
        (made[1].id, Outcome.RECONNECTED)
    ]
    assert await books.count("connection", "reason IS NOT NULL") == 2


async def test_a_member_who_manages_but_sees_listed_clients_mends_those(books: Books) -> None:
    made = await many(books, 3)
    listed = await books.member(Permission.MANAGE_CONNECTIONS, clients=ClientAccess.LISTED)
    await books.sql.execute(
        "INSERT INTO member_client (practice_id, person_id, client_id) VALUES ($1, $2, $3)",
        books.practice_id,
        listed.person_id,
        made[1].client_id,
    )
    sign_in_id = await books.sign_in(
        await books.credential(listed.person_id),
        [each.organisation_id for each in made],
        person_id=listed.person_id,
    )

    assert (await count_broken(listed, "pretend")).broken == 1
    mended = await reconnect_all(listed, sign_in_id)
    assert [each.connection_id for each in mended.outcomes] == [made[1].id]


async def test_who_may_and_with_which_sign_in(books: Books, other_books: Books) -> None:
    [made] = await connected(books, "Acme")
    client = await books.client("Theirs")
    sign_in_id = await reaching(books, [made])
    narrowed = await books.calling(books.me, scopes=frozenset({Permission.SYNC}))
    reader = await books.of_client(client, ClientRole.READER)
    for principal in (await books.member(Permission.SYNC), reader, narrowed):
        with pytest.raises(Forbidden):
            await count_broken(principal, "pretend")
    with pytest.raises(Forbidden):
        await reconnect_all(narrowed, sign_in_id)
    unready = await books.sign_in(await books.credential(), [], usable_for=None, state="CONSENTED")
    over = await books.sign_in(await books.credential(), [], usable_for=None, state="FAILED")
    for principal, named, error in (
        (other_books.admin, sign_in_id, NotFound),
        (await books.member(Permission.MANAGE_CONNECTIONS), sign_in_id, NotFound),
        (books.admin, SignInId(new_id()), NotFound),
        (books.admin, unready, SignInNotReady),
        (books.admin, over, SignInOver),
    ):
        with pytest.raises(error):
            await reconnect_all(principal, named)
    with pytest.raises(NotFound, match="provider"):
        await count_broken(books.admin, "unheard-of")


async def test_more_than_fit_are_mended_in_several_calls_those_first_that_the_login_reaches(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "MAX_ROWS", 10)
    made = await many(books, 34)
    sign_in_id = await reaching(books, made[12:])

    calls = [await reconnect_all(books.admin, sign_in_id) for _ in range(4)]

    assert [each.remaining for each in calls] == [12, 2, 0, 0]
    counted = [sum(row.outcome is Outcome.RECONNECTED for row in each.outcomes) for each in calls]
    assert counted == [10, 10, 2, 0]
    assert [len(each.outcomes) for each in calls] == [10, 10, 10, 10]
    assert await books.count("connection", "status = 'EXPIRED'") == 12


def ours(statements: Sequence[Statement]) -> int:
    """How many, without what the driver asks of types that it meets for the first time."""
    drivers = ("typeinfo_tree", "'jit'")
    return sum(each.is_data and not any(sign in each.sql for sign in drivers) for each in statements)


async def test_it_costs_as_many_statements_for_three_as_for_a_thousand_and_one_transaction(
    books: Books,
) -> None:
    counts = []
    for number in (3, 1_000):
        made = await many(books, number)
        sign_in_id = await reaching(books, made)
        await all_connected()
        with taken_down() as looked:
            foreseen = await preview_reconnect_all(books.admin, sign_in_id)
        with taken_down() as statements:
            mended = await reconnect_all(books.admin, sign_in_id)
        assert [each.outcome for each in foreseen.outcomes] == [each.outcome for each in mended.outcomes]
        assert sum(row.outcome is Outcome.RECONNECTED for row in mended.outcomes) == number
        assert transactions(statements) == 1
        counts.append((ours(looked), ours(statements)))
        await books.sql.execute("DELETE FROM connection WHERE practice_id = $1", books.practice_id)
    assert counts[0] == counts[1]
    assert counts[0][0] < counts[0][1] <= 21
