"""A consent that has run out sets nothing right, whatever is done with it, and its end is told of once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import pytest

from tests.support.books import BOOKKEEPING, Books
from tieline.clients.adding.decisions import Wanted
from tieline.clients.adding.service import add_clients
from tieline.connections.changing import change_connection
from tieline.connections.decisions import Asked
from tieline.connections.moving import service as moving
from tieline.connections.moving.service import reassign, reconnect_all
from tieline.connections.repository import Connection
from tieline.connections.service import bulk_connect, connect, reconnect
from tieline.connections.warnings.service import expire
from tieline.errors import Refused
from tieline.ids import ClientId, CredentialId, OrganisationId, SignInId, new_id
from tieline.practices.service import set_consent_life

Act: TypeAlias = Callable[[Books, Connection, SignInId], Awaitable[str | None]]
"""Something that sets a connection right by a sign-in; the sentence of its refusal."""

YEAR = timedelta(days=365)


async def by_connecting(books: Books, made: Connection, sign_in_id: SignInId) -> str | None:
    try:
        await connect(
            books.admin,
            sign_in_id,
            client_id=made.client_id,
            product=BOOKKEEPING,
            organisation_id=made.organisation_id,
        )
    except Refused as refused:
        return told(refused.code, str(refused))
    return None


async def by_connecting_many(books: Books, made: Connection, sign_in_id: SignInId) -> str | None:
    rows = [Asked(client_id=made.client_id, organisation_id=made.organisation_id)]
    [row] = await bulk_connect(books.admin, sign_in_id, BOOKKEEPING, rows)
    return None if row.refusal is None else told(row.outcome, str(row.refusal))


async def by_reconnecting(books: Books, made: Connection, sign_in_id: SignInId) -> str | None:
    try:
        await reconnect(books.admin, made.id, sign_in_id)
    except Refused as refused:
        return told(refused.code, str(refused))
    return None


async def by_reconnecting_all(books: Books, made: Connection, sign_in_id: SignInId) -> str | None:
    mended = await reconnect_all(books.admin, sign_in_id)
    [row] = [each for each in mended.outcomes if each.connection_id == made.id]
    return None if row.refusal is None else told(row.outcome, str(row.refusal))


async def by_reassigning(books: Books, made: Connection, sign_in_id: SignInId) -> str | None:
    [row] = await reassign(books.admin, sign_in_id, [made.id])
    return None if row.refusal is None else told(row.outcome, str(row.refusal))


async def by_changing(books: Books, made: Connection, sign_in_id: SignInId) -> str | None:
    try:
        await change_connection(books.admin, made.id, sign_in_id, made.organisation_id)
    except Refused as refused:
        return told(refused.code, str(refused))
    return None


def told(code: str, message: str) -> str:
    assert code == "CONSENT_EXPIRED"
    return message


every_act = pytest.mark.parametrize(
    "act",
    [
        by_connecting,
        by_connecting_many,
        by_reconnecting,
        by_reconnecting_all,
        by_reassigning,
        by_changing,
    ],
)


async def aged(books: Books, credential_id: CredentialId, age: timedelta) -> None:
    """As if its consents had been given so long ago."""
    await books.sql.execute(
        "UPDATE consent SET consented_at = $2 WHERE credential_id = $1",
        credential_id,
        datetime.now(UTC) - age,
    )


async def run_out(books: Books, name: str = "Acme") -> Connection:
    """A connection whose consent has run out, as the sweep has found."""
    made = await books.connected(await books.client(name), await books.organisation(name))
    await aged(books, made.credential_id, YEAR)
    assert await expire(books.practice_id, most=200) == 1
    return made


async def events(books: Books) -> list[str]:
    return [kind for kind in await books.kinds() if kind.startswith("CONNECTION")]


async def reason(books: Books, made: Connection) -> str | None:
    found: str | None = (await books.row("connection", made.id))["reason"]
    return found


@every_act
async def test_by_the_login_whose_consent_ran_out_nothing_works_again(books: Books, act: Act) -> None:
    made = await run_out(books)
    sign_in_id = await books.sign_in(made.credential_id, [made.organisation_id])
    await events(books)

    refusal = await act(books, made, sign_in_id)
    swept = await expire(books.practice_id, most=200)

    assert refusal == "The consent to read Acme has run out: sign in again, and allow it anew."
    assert (await reason(books, made), swept) == ("CONSENT_EXPIRED", 0)
    assert await events(books) == []


@every_act
async def test_by_another_login_that_was_consented_to_as_long_ago_nothing_works_either(
    books: Books, act: Act
) -> None:
    made = await run_out(books)
    credential_id = await books.credential()
    sign_in_id = await books.sign_in(credential_id, [made.organisation_id])
    await aged(books, credential_id, YEAR)
    await events(books)

    refusal = await act(books, made, sign_in_id)
    swept = await expire(books.practice_id, most=200)

    assert refusal is not None
    assert (await reason(books, made), swept) == ("CONSENT_EXPIRED", 0)
    assert await events(books) == []


@every_act
async def test_by_a_new_consent_it_works_again_and_stays_so(books: Books, act: Act) -> None:
    made = await run_out(books)
    sign_in_id = await books.sign_in(made.credential_id, [made.organisation_id])
    await aged(books, made.credential_id, timedelta(0))
    await events(books)

    refusal = await act(books, made, sign_in_id)
    swept = await expire(books.practice_id, most=200)

    assert refusal is None
    assert (await reason(books, made), swept) == (None, 0)
    assert await events(books) == ["CONNECTION_CONNECTED"]


async def test_what_broke_for_another_reason_is_not_set_right_by_it_either(books: Books) -> None:
    made = await books.connected(await books.client("Acme"), await books.organisation("Acme"))
    await books.expire(made, "TOKEN_EXPIRED")
    await aged(books, made.credential_id, YEAR)
    sign_in_id = await books.sign_in(made.credential_id, [made.organisation_id])
    await events(books)

    refusal = await by_reconnecting_all(books, made, sign_in_id)
    swept = await expire(books.practice_id, most=200)

    assert refusal is not None
    assert (await reason(books, made), swept) == ("TOKEN_EXPIRED", 0)
    assert await events(books) == []


async def test_no_client_is_moved_to_or_added_for_what_would_expire_at_once(books: Books) -> None:
    made = await books.connected(await books.client("Acme"), await books.organisation("Acme"))
    free = await books.organisation("Free")
    credential_id = await books.credential()
    sign_in_id = await books.sign_in(credential_id, [free])
    await aged(books, credential_id, YEAR)
    await events(books)

    with pytest.raises(Refused) as moved:
        await change_connection(books.admin, made.id, sign_in_id, free)
    [added] = await add_clients(books.admin, sign_in_id, BOOKKEEPING, [wanted(free)])

    assert (moved.value.code, added.outcome) == ("CONSENT_EXPIRED", "CONSENT_EXPIRED")
    assert await reason(books, made) is None
    assert (await books.count("connection"), await books.count("client"), await events(books)) == (1, 1, [])


def wanted(organisation_id: OrganisationId) -> Wanted:
    return Wanted(client_id=ClientId(new_id()), organisation_id=organisation_id)


async def test_a_practice_that_shortens_and_lengthens_its_term_is_followed(books: Books) -> None:
    made = await books.connected(await books.client("Acme"), await books.organisation("Acme"))
    await aged(books, made.credential_id, timedelta(days=100))
    sign_in_id = await books.sign_in(made.credential_id, [made.organisation_id])
    await events(books)
    found = []

    for days in (90, 120):
        await set_consent_life(books.practice_id, days)
        swept = await expire(books.practice_id, most=200)
        refusal = await by_reconnecting_all(books, made, sign_in_id)
        found.append((swept, refusal is None, await reason(books, made)))
    await set_consent_life(books.practice_id, None)
    await aged(books, made.credential_id, 10 * YEAR)
    await by_reassigning(books, made, sign_in_id)

    assert found == [(1, False, "CONSENT_EXPIRED"), (0, True, None)]
    assert (await expire(books.practice_id, most=200), await reason(books, made)) == (0, None)
    assert await events(books) == ["CONNECTION_EXPIRED", "CONNECTION_CONNECTED"]


async def test_what_only_a_consent_that_ran_out_reaches_is_not_counted_among_what_is_mended(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "MAX_ROWS", 2)
    made = [await run_out(books, name) for name in "ABCD"]
    sign_in_id = await books.sign_in(made[0].credential_id, [each.organisation_id for each in made])
    await books.sql.execute(
        "UPDATE consent SET consented_at = $3 WHERE credential_id = $1 AND organisation_id <> $2",
        made[0].credential_id,
        made[3].organisation_id,
        datetime.now(UTC) - YEAR,
    )

    mended = await reconnect_all(books.admin, sign_in_id)

    assert {each.connection_id: each.outcome for each in mended.outcomes} == {
        made[3].id: "RECONNECTED",
        made[0].id: "CONSENT_EXPIRED",
    }
    assert mended.remaining == 0


async def test_a_consent_that_is_over_is_told_of_also_where_another_organisation_was_consented_to(
    books: Books,
) -> None:
    made = await run_out(books)
    other = await books.organisation("Other")
    sign_in_id = await books.sign_in(made.credential_id, [made.organisation_id, other])
    await books.sql.execute(
        "UPDATE sign_in_organisation SET consented = organisation_id = $2 WHERE sign_in_id = $1",
        sign_in_id,
        other,
    )

    assert await by_reconnecting(books, made, sign_in_id) is not None
