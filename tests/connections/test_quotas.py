"""What people are told of quotas: of connections that they see, in a constant number of statements, and of apps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

import pytest

from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books, Pretend, pretending
from tests.support.deployment import Deployment
from tests.support.plans import sent_by
from tieline import clock
from tieline.clients.repository import Client
from tieline.clients.service import get_client
from tieline.connections.decisions import Asked
from tieline.connections.quotas.service import quota_of_apps, quota_of_connections
from tieline.connections.repository import Connection
from tieline.connections.service import bulk_connect, disconnect
from tieline.credentials.apps.service import list_apps, meter_of
from tieline.errors import LimitScope
from tieline.host import host
from tieline.ids import ConnectionId
from tieline.plugins import Limit, LimitKind, Remaining
from tieline.principal import ClientAccess, ClientRole, Principal
from tieline.quota import Block, Counted, KeptInRows, QuotaTold, RedisGate, Source
from tieline.work import Lane

HOUR = timedelta(hours=1)


class Limited(Pretend):
    """Its organisations have a day, its app has a month, and both are larger in the tier large."""

    def limits(self, tier: str | None) -> Sequence[Limit]:
        factor = 5 if tier == "large" else 1
        return (
            Limit(
                name="day",
                scope=LimitScope.ORGANISATION,
                kind=LimitKind.DAY,
                most=1_000 * factor,
                source="https://pretend.invalid",
            ),
            Limit(
                name="month",
                scope=LimitScope.APP,
                kind=LimitKind.MONTH,
                most=500 * factor,
                source="https://pretend.invalid",
            ),
        )


@pytest.fixture(autouse=True)
def providers(opened: Deployment, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:  # noqa: ARG001 - must be open
    """Of what was called while Redis counts as away, as for an earlier test it may, nothing is told."""
    monkeypatch.setattr(host().quota, "_away_until", 0.0)
    with pretending(Limited(), Limited("feigned")):
        yield


async def acorn(books: Books, name: str = "Acorn") -> Connection:
    return await books.connected(await books.client(name), await books.organisation(name))


async def call(books: Books, connection: Connection, *, left: int) -> None:
    """A call for its organisation, whose answer says that so much of the day is left."""
    (app,) = [app for app in await list_apps(books.practice_id) if app.provider == "pretend"]
    gate = RedisGate(
        host().quota,
        meter=meter_of(app),
        limits=tuple(Limited().limits(app.tier)),
        lane=Lane.INTERACTIVE,
        lasting=KeptInRows(app.practice_id, app.id),
    )
    organisation = (await books.row("organisation", connection.organisation_id))["external_id"]
    async with gate.call(organisation) as passage:
        passage.answered([Remaining(limit="day", left=left)], None)


def figures(told: QuotaTold) -> dict[str, tuple[int, int | None, int | None]]:
    """The most, and what is used and left, by limit."""
    return {limit.name: (limit.most, limit.used, limit.left) for limit in told.limits}


async def test_two_products_of_one_organisation_show_its_day_and_their_apps_month(books: Books) -> None:
    client, organisation_id = await books.client("Acorn"), await books.organisation("Acorn")
    one = await books.connected(client, organisation_id)
    other = await books.connected(client, organisation_id, DATA_HEALTH)
    elsewhere = await acorn(books, "Birch")
    await call(books, one, left=640)

    told = await quota_of_connections(books.admin, [one.id, other.id, elsewhere.id])

    assert figures(told[one.id]) == {"day": (1_000, 360, 640), "month": (500, 1, 499)}
    assert told[other.id] == told[one.id]
    assert figures(told[elsewhere.id]) == {"day": (1_000, None, None), "month": (500, 1, 499)}


async def test_the_limits_are_those_of_the_apps_tier(books: Books) -> None:
    connection = await acorn(books)
    await books.sql.execute("UPDATE provider_app SET tier = 'large' WHERE id = $1", books.apps["pretend"])

    told = await quota_of_connections(books.admin, [connection.id])

    assert {limit.name: (limit.most, limit.reserve) for limit in told[connection.id].limits} == {
        "day": (5_000, 500),
        "month": (2_500, 250),
    }


async def test_before_anything_was_counted_blocks_and_months_are_told_as_they_are_kept(books: Books) -> None:
    connection = await acorn(books)
    kept = KeptInRows(books.practice_id, books.apps["pretend"])
    organisation = (await books.row("organisation", connection.organisation_id))["external_id"]
    until = clock.now() + HOUR
    await kept.keep(Block(organisation=organisation, limit="day", until=until))
    await kept.keep(Block(organisation="another", limit="day", until=until + HOUR))
    await kept.count([Counted(organisation=None, limit="month", day=clock.now().date(), calls=120)])

    told = (await quota_of_connections(books.admin, [connection.id]))[connection.id]
    apps = await quota_of_apps(books.admin)

    assert told.source is Source.STORED
    assert (told.blocked_by, told.blocked_until) == ("day", until)
    assert figures(told) == {"day": (1_000, None, None), "month": (500, 120, 380)}
    assert {provider: figures(each) for provider, each in apps.items()} == {
        "pretend": {"month": (500, 120, 380)},
        "feigned": {"month": (500, 0, 500)},
    }
    assert apps["pretend"].blocked_until is None


async def test_who_only_belongs_to_clients_is_told_the_organisations_blocks_alone(books: Books) -> None:
    connection = await acorn(books)
    theirs = await books.of_client(await _client(books, connection), ClientRole.ADMINISTRATOR)
    kept = KeptInRows(books.practice_id, books.apps["pretend"])
    organisation = (await books.row("organisation", connection.organisation_id))["external_id"]
    until = clock.now() + HOUR

    async def blocked(principal: Principal) -> tuple[set[str], str | None, datetime | None]:
        told = (await quota_of_connections(principal, [connection.id]))[connection.id]
        return set(figures(told)), told.blocked_by, told.blocked_until

    await kept.keep(Block(organisation=None, limit="month", until=until + HOUR))
    before = await blocked(theirs)
    await kept.keep(Block(organisation=organisation, limit="day", until=until))

    assert before == ({"day"}, None, None)
    assert await blocked(theirs) == ({"day"}, "day", until)
    assert await blocked(await books.member()) == ({"day", "month"}, "month", until + HOUR)


async def test_a_connection_that_holds_no_organisation_or_is_not_seen_has_none(
    books: Books, other_books: Books
) -> None:
    seen, unseen, gone = await acorn(books), await acorn(books, "Birch"), await acorn(books, "Cedar")
    await disconnect(books.admin, gone.id)
    await books.expire(seen, "CONSENT_EXPIRED")
    administrator = await books.of_client(await _client(books, seen), ClientRole.ADMINISTRATOR)
    ids = [seen.id, unseen.id, gone.id]

    assert set(await quota_of_connections(books.admin, ids)) == {seen.id, unseen.id}
    assert set(await quota_of_connections(administrator, ids)) == {seen.id}
    listed = await books.member(clients=ClientAccess.LISTED)
    assert await quota_of_connections(listed, ids) == {}
    assert await quota_of_connections(other_books.admin, ids) == {}


async def test_of_a_provider_whose_plugin_is_gone_nothing_is_told(books: Books) -> None:
    connection = await acorn(books)

    with pretending(Limited("feigned")):
        told = await quota_of_connections(books.admin, [connection.id])
        apps = await quota_of_apps(books.admin)

    assert (told, set(apps)) == ({}, {"feigned"})


async def test_what_apps_have_left_is_for_the_practices_own_people(books: Books, other_books: Books) -> None:
    connection = await acorn(books)
    await call(books, connection, left=10)
    theirs = await books.of_client(await _client(books, connection), ClientRole.ADMINISTRATOR)

    assert await quota_of_apps(theirs) == {}
    assert figures((await quota_of_apps(await books.member()))["pretend"]) == {"month": (500, 1, 499)}
    assert figures((await quota_of_apps(other_books.admin))["pretend"]) == {"month": (500, 0, 500)}


async def test_two_hundred_connections_take_as_many_statements_as_one(books: Books) -> None:
    ids = await many(books, 200)

    for some in (ids[:1], ids):
        sent = await sent_by(partial(quota_of_connections, books.admin, some))

        assert len(sent.data) == 4
    assert set(await quota_of_connections(books.admin, ids)) == set(ids)


async def many(books: Books, count: int) -> list[ConnectionId]:
    """So many clients, each connected to an organisation of its own."""
    clients = await books.clients(count)
    organisations = await books.organisations(*(f"Client {number:05}" for number in range(count)))
    sign_in_id = await books.sign_in(await books.credential(), organisations)
    rows = [
        Asked(client_id=client_id, organisation_id=organisation_id)
        for client_id, organisation_id in zip(clients, organisations, strict=True)
    ]
    outcomes = await bulk_connect(books.admin, sign_in_id, BOOKKEEPING, rows)
    return [each.connection.id for each in outcomes if each.connection is not None]


async def _client(books: Books, connection: Connection) -> Client:
    return await get_client(books.admin, connection.client_id)
