"""Details of a client are changed one by one or together; what is not mentioned stays."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.support.books import Books
from tieline.clients.adding.repository import fill_details
from tieline.clients.editing import ClientChanges, update_client
from tieline.clients.service import get_client, list_clients
from tieline.connections.service import get_connection
from tieline.database import scope
from tieline.errors import CodeTaken, Forbidden, Invalid, NotFound, PlanTooSmall, SeveralInvalid
from tieline.ids import TeamId, new_id
from tieline.practices.service import create_team
from tieline.principal import ClientAccess, ClientRole, Permission

WHOLE: dict[str, Any] = {"legal_name": "Acme Ltd", "practice_code": "A1", "country": "GB", "currency": "GBP"}


async def sources(books: Books, client_id: Any) -> dict[str, str]:
    found: dict[str, str] = json.loads((await books.row("client", client_id))["detail_sources"])
    return found


async def test_what_is_mentioned_changes_what_is_not_stays_and_nothing_clears(books: Books) -> None:
    team_id = await create_team(books.practice_id, "North")
    client = await books.client("Acme", team_id=team_id, **WHOLE)
    await books.events()

    changes = ClientChanges(legal_name="  Acme   Holdings ", practice_code="", country=None, currency="eur")
    changed = await update_client(books.admin, client.id, changes)

    assert changed == replace(
        client, legal_name="Acme Holdings", practice_code=None, country=None, currency="EUR"
    )
    assert await get_client(books.admin, client.id) == changed
    assert await books.kinds() == ["CLIENT_CHANGED"]


async def test_what_is_so_already_changes_nothing(books: Books) -> None:
    client = await books.client("Acme", **WHOLE)
    before = await books.row("client", client.id)
    await books.events()

    same = await update_client(books.admin, client.id, ClientChanges(name="Acme", **WHOLE))
    none = await update_client(books.admin, client.id, ClientChanges())

    assert (same, none) == (client, client)
    assert await books.row("client", client.id) == before
    assert await books.kinds() == []


async def test_another_name_is_found_by_its_words_and_compared_with_the_organisations(books: Books) -> None:
    client = await books.client("Acme")
    made = await books.connected(client, await books.organisation("Acme"))
    await books.events()

    await update_client(books.admin, client.id, ClientChanges(name="Bolt Works", country="IE"))

    assert [row.id for row in (await list_clients(books.admin, search="wor")).rows] == [client.id]
    assert (await list_clients(books.admin, search="acme")).total == 0
    assert (await get_connection(books.admin, made.id)).mismatch
    assert await books.kinds() == ["CLIENT_CHANGED", "CLIENT_RENAMED", "CONNECTION_MISMATCH_CHANGED"]


async def test_what_a_person_changed_or_cleared_no_ledger_overwrites_but_what_was_sent_as_it_stood(
    books: Books,
) -> None:
    client = await books.client("Acme")
    organisation_id = await books.organisation("Acme", legal_name="By the ledger")
    await books.connected(client, organisation_id)
    await books.sql.execute(
        "UPDATE client SET legal_name = 'Old', country = 'GB', currency = 'GBP', detail_sources = "
        '\'{"legal_name": "LEDGER", "country": "LEDGER", "currency": "LEDGER"}\' WHERE id = $1',
        client.id,
    )
    await books.sql.execute(
        "UPDATE organisation SET country = 'US', currency = 'USD' WHERE id = $1", organisation_id
    )

    changes = ClientChanges(legal_name="By a person", country=None, currency="GBP")
    await update_client(books.admin, client.id, changes)
    async with scope(books.practice_id):
        await fill_details(books.practice_id, organisation_id)
    filled = await get_client(books.admin, client.id)

    assert (filled.legal_name, filled.country, filled.currency) == ("By a person", None, "USD")
    assert await sources(books, client.id) == {
        "legal_name": "PERSON",
        "country": "PERSON",
        "currency": "LEDGER",
    }


async def test_everything_that_does_not_fit_is_told_at_once_and_nothing_changes(books: Books) -> None:
    client = await books.client("Acme")
    changes = ClientChanges(name=None, country="GBR", currency="£", legal_name="Fine", practice_code="\x07")

    with pytest.raises(SeveralInvalid) as refused:
        await update_client(books.admin, client.id, changes)
    with pytest.raises(Invalid) as one:
        await update_client(books.admin, client.id, ClientChanges(name="!!!", legal_name="Fine"))

    assert [part.field for part in refused.value.parts] == ["name", "practiceCode", "country", "currency"]
    assert one.value.field == "name"
    assert await get_client(books.admin, client.id) == client


async def test_a_code_that_another_client_has_is_refused_also_when_both_take_it_at_once(books: Books) -> None:
    one, other = await books.client("One"), await books.client("Other")

    results = await asyncio.gather(
        *(update_client(books.admin, each.id, ClientChanges(practice_code="A1")) for each in (one, other)),
        return_exceptions=True,
    )
    loser = other if isinstance(results[1], CodeTaken) else one
    with pytest.raises(CodeTaken) as refused:
        await update_client(books.admin, loser.id, ClientChanges(practice_code="A1", country="GB"))

    assert sorted(type(each).__name__ for each in results) == ["Client", "CodeTaken"]
    assert (refused.value.field, str(refused.value)) == (
        "practiceCode",
        "Another client has the practice code A1.",
    )
    assert (await get_client(books.admin, loser.id)).country is None


async def test_a_team_needs_the_plan_and_to_leave_one_does_not(books: Books, other_books: Books) -> None:
    team_id = await create_team(books.practice_id, "North")
    foreign = await create_team(other_books.practice_id, "Theirs")
    client = await books.client("Acme")

    given = await update_client(books.admin, client.id, ClientChanges(team_id=team_id))
    for unknown in (foreign, TeamId(new_id())):
        with pytest.raises(NotFound, match="team"):
            await update_client(books.admin, client.id, ClientChanges(team_id=unknown))
    await books.sql.execute("UPDATE practice SET plan = 'STANDARD' WHERE id = $1", books.practice_id)
    kept = await update_client(books.admin, client.id, ClientChanges(team_id=team_id, country="GB"))
    left = await update_client(books.admin, client.id, ClientChanges(team_id=None))
    with pytest.raises(PlanTooSmall):
        await update_client(books.admin, client.id, ClientChanges(team_id=team_id))

    assert [each.team_id for each in (given, kept, left)] == [team_id, team_id, None]


async def test_a_member_may_move_a_client_to_a_team_that_it_is_not_in(books: Books) -> None:
    own, other = [await create_team(books.practice_id, name) for name in ("Own", "Other")]
    client = await books.client("Acme", team_id=own)
    member = await books.member(Permission.MANAGE_CONNECTIONS, clients=ClientAccess.LISTED)
    await books.sql.execute(
        "INSERT INTO member_team (practice_id, person_id, team_id) VALUES ($1, $2, $3)",
        books.practice_id,
        member.person_id,
        own,
    )

    moved = await update_client(member, client.id, ClientChanges(team_id=other))

    assert moved.team_id == other
    with pytest.raises(NotFound):
        await get_client(member, client.id)


async def test_who_may_change_what(books: Books, other_books: Books) -> None:
    client, other = await books.client("Acme"), await books.client("Other")
    administrator = await books.of_client(client, ClientRole.ADMINISTRATOR)
    name, code = ClientChanges(name="Bolt"), ClientChanges(name="Bolt", practice_code=None)

    for principal in (
        await books.member(Permission.SYNC),
        await books.of_client(client, ClientRole.READER),
        await books.member(Permission.MANAGE_CONNECTIONS, scopes=frozenset({Permission.SYNC})),
    ):
        with pytest.raises(Forbidden):
            await update_client(principal, client.id, name)
    for stranger in (other_books.admin, await books.of_client(other, ClientRole.ADMINISTRATOR)):
        with pytest.raises(NotFound, match="client"):
            await update_client(stranger, client.id, name)
    for kept, field in ((code, "practiceCode"), (ClientChanges(team_id=None), "teamId")):
        with pytest.raises(Forbidden) as refused:
            await update_client(administrator, client.id, kept)
        assert refused.value.field == field

    assert (await update_client(administrator, client.id, name)).name == "Bolt"
    assert (
        await update_client(await books.member(Permission.MANAGE_CONNECTIONS), client.id, code)
    ).name == "Bolt"
