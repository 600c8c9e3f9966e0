"""Moving chosen connections from a colleague's credential to one's own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from tests.connections.test_reconnect_all import connected, many, reaching
from tests.support.books import DATA_HEALTH, Books
from tests.support.deployment import Deployment
from tests.support.polling import until
from tests.support.statements import all_connected, taken_down, transactions
from tieline.connections.listing.service import list_connections
from tieline.connections.moving.decisions import Outcome
from tieline.connections.moving.service import MoveOutcome, reassign
from tieline.connections.repository import Connection
from tieline.connections.service import disconnect, get_connection, get_connections
from tieline.connections.states import Reason, Status
from tieline.errors import Invalid, NotFound, SignInNotReady
from tieline.ids import ConnectionId, SignInId, new_id
from tieline.principal import ClientAccess, ClientRole, Permission, Principal


async def colleague_of(books: Books) -> Principal:
    return await books.member(Permission.MANAGE_CONNECTIONS)


async def own_sign_in(books: Books, principal: Principal, connections: Sequence[Connection]) -> SignInId:
    """A sign-in of this person's own that reaches what these are connected to."""
    return await books.sign_in(
        await books.credential(principal.person_id),
        [each.organisation_id for each in connections],
        person_id=principal.person_id,
    )


def codes(outcomes: Sequence[MoveOutcome]) -> list[Outcome]:
    return [each.outcome for each in outcomes]


async def test_every_row_shows_its_connection_as_it_is_when_all_are_done(books: Books) -> None:
    client, organisation_id = await books.client("A"), await books.organisation("A")
    narrow = await books.credential(scopes=("ledger",))
    sign_in_id = await books.sign_in(narrow, [organisation_id])
    lists = await books.connected(client, organisation_id)
    reports = await books.connected(client, organisation_id, DATA_HEALTH)
    await books.sql.execute("UPDATE connection SET credential_id = $2 WHERE id = $1", reports.id, narrow)
    colleague = await colleague_of(books)
    await books.sql.execute("UPDATE credential SET person_id = $2 WHERE id = $1", narrow, colleague.person_id)

    outcomes = await reassign(books.admin, sign_in_id, [reports.id, lists.id, lists.id])

    assert codes(outcomes) == [Outcome.SCOPE_MISSING, Outcome.REASSIGNED, Outcome.NAMED_TWICE]
    now = [await get_connection(books.admin, each.id) for each in (reports, lists, lists)]
    assert [each.credential_id for each in now] == [narrow] * 3
    assert [each.integrated_by for each in now] == [books.me] * 3
    assert [each.connection for each in outcomes] == now


async def test_chosen_connections_move_to_the_callers_credential_and_others_stay(books: Books) -> None:
    made = await connected(books, "A", "B", "C")
    colleague = await colleague_of(books)
    sign_in_id = await own_sign_in(books, colleague, made)

    outcomes = await reassign(colleague, sign_in_id, [made[2].id, made[0].id])

    assert [(each.connection_id, each.outcome, each.refusal) for each in outcomes] == [
        (made[2].id, Outcome.REASSIGNED, None),
        (made[0].id, Outcome.REASSIGNED, None),
    ]
    now = {each.id: each for each in await get_connections(books.admin, [each.id for each in made])}
    assert [now[each.id].integrated_by for each in made] == [
        colleague.person_id,
        books.me,
        colleague.person_id,
    ]
    assert now[made[1].id] == made[1]
    assert [each.connection for each in outcomes] == [now[made[2].id], now[made[0].id]]
    mine = await list_connections(books.admin, integrated_by=colleague.person_id)
    assert [each.organisation_name for each in mine.rows] == ["A", "C"]
    assert await books.kinds() == ["CONNECTION_CONNECTED"] * 2
    runs = await books.runs()
    assert {(run["trigger"], run["credential_id"]) for run in runs} == {
        ("CONNECT", now[made[0].id].credential_id)
    }


async def test_what_is_broken_works_again_once_it_is_reassigned(books: Books) -> None:
    [made] = await connected(books, "Acme")
    await books.expire(made, "TOKEN_EXPIRED")
    colleague = await colleague_of(books)

    [outcome] = await reassign(colleague, await own_sign_in(books, colleague, [made]), [made.id])

    assert outcome.outcome is Outcome.REASSIGNED
    assert outcome.connection is not None
    assert outcome.connection.status is Status.CONNECTED
    assert [run["trigger"] for run in await books.runs()] == ["RECONNECT"]


async def test_the_same_again_and_two_at_once_move_each_once(books: Books) -> None:
    made = await many(books, 10)
    await books.sql.execute("UPDATE connection SET reason = NULL WHERE practice_id = $1", books.practice_id)
    colleague = await colleague_of(books)
    sign_in_id = await own_sign_in(books, colleague, made)
    ids = [each.id for each in made]

    both = await asyncio.gather(
        reassign(colleague, sign_in_id, ids), reassign(colleague, sign_in_id, ids[::-1])
    )
    again = await reassign(colleague, sign_in_id, ids)

    assert sorted(codes([*both[0], *both[1]])) == [Outcome.ALREADY_YOURS] * 10 + [Outcome.REASSIGNED] * 10
    assert codes(again) == [Outcome.ALREADY_YOURS] * 10
    assert await books.kinds() == ["CONNECTION_CONNECTED"] * 10


async def test_the_credential_that_is_left_is_looked_at_and_lives_while_it_is_used(books: Books) -> None:
    made = await connected(books, "A", "B")
    colleague = await colleague_of(books)
    sign_in_id = await own_sign_in(books, colleague, made)

    await reassign(colleague, sign_in_id, [made[0].id])

    left = str(made[0].credential_id)
    assert [job["credential_id"] for job in await books.jobs("credentials.let_go_credential")] == [left]
    assert (await books.row("credential", made[0].credential_id))["state"] == "LIVE"


async def test_on_one_and_the_same_credential_only_the_person_changes_for_all_that_hangs_on_it(
    books: Books,
) -> None:
    """As at a provider whose consent is one company's: the colleague's tokens are the credential's already."""
    one, other = await connected(books, "A", "B")
    colleague = await colleague_of(books)
    sign_in_id = await books.sign_in(one.credential_id, [one.organisation_id], person_id=colleague.person_id)

    [outcome] = await reassign(colleague, sign_in_id, [one.id])
    [again] = await reassign(colleague, sign_in_id, [one.id])

    assert (outcome.outcome, again.outcome) == (Outcome.REASSIGNED, Outcome.ALREADY_YOURS)
    for before in (one, other):
        now = await get_connection(books.admin, before.id)
        assert (now.credential_id, now.integrated_by) == (one.credential_id, colleague.person_id)
    told = await books.events()
    assert sorted((kind, each["connection_id"]) for kind, each in told) == sorted(
        ("CONNECTION_HANDED_OVER", str(each.id)) for each in (one, other)
    )
    assert await books.runs() == []
    assert await books.jobs("credentials.let_go_credential") == []


async def test_each_row_has_an_honest_outcome_and_good_rows_move(books: Books, other_books: Books) -> None:
    good, unreached, gone = await connected(books, "Good", "Unreached", "Gone")
    [theirs] = await connected(other_books, "Theirs")
    health = await books.connected(good.client_id, good.organisation_id, DATA_HEALTH)
    await disconnect(books.admin, gone.id)
    ended = await books.connected(await books.client("Ended"), await books.organisation("Ended"))
    await disconnect(books.admin, ended.id)
    await books.connected(ended.client_id, await books.organisation("Next"))
    narrow = await books.credential(scopes=["ledger"])
    found = [good.organisation_id, gone.organisation_id, ended.organisation_id]
    sign_in_id = await books.sign_in(narrow, found)
    unknown = ConnectionId(new_id())

    rows = [good.id, unreached.id, gone.id, theirs.id, health.id, ended.id, unknown, good.id]
    outcomes = await reassign(books.admin, sign_in_id, rows)

    assert codes(outcomes) == [
        Outcome.REASSIGNED,
        Outcome.NOT_IN_THIS_LOGIN,
        Outcome.DISCONNECTED,
        Outcome.NOT_FOUND,
        Outcome.SCOPE_MISSING,
        Outcome.NOT_FOUND,
        Outcome.NOT_FOUND,
        Outcome.NAMED_TWICE,
    ]
    assert [each.connection_id for each in outcomes] == rows
    assert [each.refusal is None for each in outcomes] == [True] + [False] * 7
    assert str(outcomes[-1].refusal) == "An earlier row of this request names the same connection."
    assert [each.connection is None for each in outcomes] == [
        False,
        False,
        False,
        True,
        False,
        True,
        True,
        False,
    ]
    assert (await books.row("connection", gone.id))["reason"] == Reason.DISCONNECTED
    assert await other_books.count("connection", "reason IS NULL") == 1


async def test_a_client_that_is_deleted_meanwhile_is_shown_in_no_row(
    books: Books, opened: Deployment
) -> None:
    [made] = await connected(books, "A")
    colleague = await colleague_of(books)
    sign_in_id = await own_sign_in(books, colleague, [made])
    deleting = await opened.connect()
    transaction = deleting.transaction()
    await transaction.start()
    await deleting.execute("UPDATE client SET deleted_at = created_at WHERE id = $1", made.client_id)

    asked = asyncio.ensure_future(reassign(colleague, sign_in_id, [made.id, made.id]))
    await until(books.somebody_waits, "the rows wait for their client")
    await transaction.commit()
    outcomes = await asked
    await deleting.close()

    assert codes(outcomes) == [Outcome.NOT_FOUND, Outcome.NAMED_TWICE]
    assert [each.connection for each in outcomes] == [None, None]


async def test_who_may_reassign_what(books: Books) -> None:
    own, other = await connected(books, "Own", "Other")
    client = await books.client("Theirs")
    made = await books.connected(client, await books.organisation("Theirs"))
    listed = await books.member(Permission.MANAGE_CONNECTIONS, clients=ClientAccess.LISTED)
    callers = {
        await books.member(Permission.SYNC): [Outcome.FORBIDDEN] * 3,
        await books.of_client(client, ClientRole.READER): [
            Outcome.NOT_FOUND,
            Outcome.NOT_FOUND,
            Outcome.FORBIDDEN,
        ],
        await books.of_client(client, ClientRole.ADMINISTRATOR): [
            Outcome.NOT_FOUND,
            Outcome.NOT_FOUND,
            Outcome.REASSIGNED,
        ],
        listed: [Outcome.NOT_FOUND] * 3,
    }

    for principal, expected in callers.items():
        sign_in_id = await own_sign_in(books, principal, [own, other, made])
        assert codes(await reassign(principal, sign_in_id, [own.id, other.id, made.id])) == expected
    with pytest.raises(NotFound, match="sign-in"):
        await reassign(await colleague_of(books), await reaching(books, [own]), [own.id])


async def test_a_request_takes_a_thousand_and_a_sign_in_that_is_ready(books: Books) -> None:
    sign_in_id = await books.sign_in(await books.credential(), [])
    unready = await books.sign_in(await books.credential(), [], usable_for=None, state="CONSENTED")

    with pytest.raises(Invalid, match="1,000") as refused:
        await reassign(books.admin, sign_in_id, [ConnectionId(new_id()) for _ in range(1_001)])
    assert refused.value.field == "connectionIds"
    with pytest.raises(SignInNotReady):
        await reassign(books.admin, unready, [])
    assert await reassign(books.admin, sign_in_id, []) == []


async def test_it_costs_as_many_statements_for_three_as_for_a_thousand_and_one_transaction(
    books: Books,
) -> None:
    counts = []
    for number in (3, 1_000):
        made = await many(books, number)
        sign_in_id = await reaching(books, made)
        await all_connected()
        with taken_down() as statements:
            outcomes = await reassign(books.admin, sign_in_id, [each.id for each in made])
        assert codes(outcomes) == [Outcome.REASSIGNED] * number
        assert transactions(statements) == 1
        drivers = ("typeinfo_tree", "'jit'")
        counts.append(
            sum(each.is_data and not any(sign in each.sql for sign in drivers) for each in statements)
        )
        await books.sql.execute("DELETE FROM connection WHERE practice_id = $1", books.practice_id)
    assert counts[0] == counts[1] <= 20
