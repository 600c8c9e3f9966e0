"""Tokens that attackers make: none is taken, and each has a twin that differs in the fault alone and is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.identity.conftest import Calendar
from tests.identity.forgery import LONG_SUBJECT, SUBJECT, Bench, Hostile
from tests.identity.hostile_claims import HOSTILE_CLAIMS
from tests.identity.hostile_tokens import HOSTILE_HEADERS
from tests.support.books import Books, open_books
from tests.support.issuer import IssuerServer
from tieline.errors import Unauthenticated
from tieline.identity import authenticate
from tieline.identity.issuer import Issuer
from tieline.principal import Role

_KNOWN_AS = "UPDATE person SET issuer = $2, subject = $3 WHERE id = $1"

HOSTILE = [*HOSTILE_HEADERS, *HOSTILE_CLAIMS]


@pytest.fixture(scope="module")
async def firm_of_two(sql: asyncpg.Connection, running: IssuerServer) -> AsyncIterator[Books]:
    """A practice whose two admins sign in at the issuer, each under a subject."""
    books = await open_books(sql)
    other = await books.member(role=Role.ADMIN)
    for person_id, subject in ((books.me, SUBJECT), (other.person_id, LONG_SUBJECT)):
        await sql.execute(_KNOWN_AS, person_id, running.url, subject)
    yield books
    await sql.execute("UPDATE person SET issuer = NULL, subject = NULL WHERE issuer = $1", running.url)


@pytest.fixture
def bench(server: IssuerServer, trusted: Issuer, calendar: Calendar) -> Bench:  # noqa: ARG001 - must be trusted
    return Bench(server=server, at=calendar.at)


@pytest.mark.parametrize("row", HOSTILE, ids=lambda row: row.name)
async def test_a_hostile_token_is_refused_and_its_twin_is_taken(
    firm_of_two: Books, bench: Bench, row: Hostile
) -> None:
    bad, twin = row.bad(bench), row.twin(bench)

    with pytest.raises(Unauthenticated) as refusal:
        await authenticate(bad)
    taken = await authenticate(twin)

    assert str(refusal.value) == str(Unauthenticated())
    assert bad != twin
    assert (taken.practice_id, taken.role) == (firm_of_two.practice_id, Role.ADMIN)


def test_there_are_many_and_each_is_of_its_own() -> None:
    assert len(HOSTILE) >= 100
    assert len({row.name for row in HOSTILE}) == len(HOSTILE)


@pytest.mark.usefixtures("firm_of_two")
async def test_nothing_that_a_token_says_makes_us_ask_anybody(bench: Bench) -> None:
    for row in HOSTILE:
        with pytest.raises(Unauthenticated):
            await authenticate(row.bad(bench))

    assert bench.server.asked == {"discovery": 1, "keys": 1}
