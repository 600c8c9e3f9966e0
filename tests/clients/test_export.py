"""The list of clients as a spreadsheet: what each caller sees, how it is connected, and no cell that is computed."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books
from tests.support.plans import sent_by
from tieline.clients.codes.reading import Layout
from tieline.clients.codes.service import preview_codes
from tieline.connections.export.service import (
    CODES_HEADER,
    HEADER,
    ClientsCsv,
    Columns,
    export_clients,
)
from tieline.connections.service import connect, disconnect
from tieline.connections.states import Reason, Status
from tieline.errors import Invalid, NotFound
from tieline.events.service import read_events
from tieline.ids import TeamId, new_id
from tieline.practices.service import create_team
from tieline.principal import ClientAccess, ClientRole
from tieline.spreadsheets import read, render


def lines(made: ClientsCsv) -> list[dict[str, str]]:
    """By the header's words, without what is empty."""
    header, *rows = read(made.content)
    assert tuple(header) == HEADER
    assert len(rows) == made.row_count
    return [{title: cell for title, cell in zip(header, row, strict=True) if cell} for row in rows]


def names(made: ClientsCsv) -> list[str]:
    return [line["Name"] for line in lines(made)]


async def left(books: Books, **filters: Any) -> list[str]:
    """The names that these filters leave."""
    return names(await export_clients(books.admin, **filters))


async def test_each_client_is_a_row_with_its_details_and_how_each_product_is_connected(books: Books) -> None:
    team = await create_team(books.practice_id, "North")
    acorn = await books.client(
        "Acorn", practice_code="A-1", legal_name="Acorn Ltd", country="GB", currency="GBP", team_id=team
    )
    await books.client("birch")
    organisation_id = await books.organisation("Oak", legal_name="Oak Ltd")
    connected = await books.connected(acorn, organisation_id, BOOKKEEPING)
    health = await books.connected(acorn, organisation_id, DATA_HEALTH)
    await disconnect(books.admin, health.id)
    at = datetime(2031, 5, 4, 3, 2, 1, tzinfo=UTC)
    await books.sql.execute("UPDATE organisation SET last_synced_at = $2 WHERE id = $1", organisation_id, at)
    await books.sql.execute(
        "UPDATE credential SET hard_expires_at = $2 WHERE id = $1",
        connected.credential_id,
        at + timedelta(days=1),
    )
    await books.sql.execute("UPDATE practice SET consent_life_days = NULL WHERE id = $1", books.practice_id)
    await books.all_told()

    made = await export_clients(books.admin)
    await books.sql.execute("UPDATE practice SET consent_life_days = 10 WHERE id = $1", books.practice_id)
    await books.sql.execute(
        "UPDATE consent SET consented_at = $2 WHERE credential_id = $1",
        connected.credential_id,
        at - timedelta(days=10),
    )
    earlier = lines(await export_clients(books.admin))

    shared = {"provider": "pretend", "organisation": "Oak", "organisation's legal name": "Oak Ltd"}
    shared |= {"integrated by": "The Admin", "last sync": "2031-05-04T03:02:01Z"}
    bookkeeping = {"status": "CONNECTED, MISMATCH", **shared, "expires": "2031-05-05T03:02:01Z"}
    gone = {"status": "EXPIRED", "reason": "DISCONNECTED", **shared}
    assert lines(made) == [
        {
            "Client ID": str(acorn.id),
            "Name": "Acorn",
            "Legal name": "Acorn Ltd",
            "Practice code": "A-1",
            "Team": "North",
            "Country": "GB",
            "Currency": "GBP",
            **{f"Bookkeeping: {part}": cell for part, cell in bookkeeping.items()},
            **{f"Data health: {part}": cell for part, cell in gone.items()},
        },
        {
            "Client ID": lines(made)[1]["Client ID"],
            "Name": "birch",
            "Bookkeeping: status": "UNINTEGRATED",
            "Data health: status": "UNINTEGRATED",
        },
    ]
    assert earlier[0]["Bookkeeping: expires"] == "2031-05-04T03:02:01Z"
    assert "Data health: expires" not in earlier[0]
    assert made.file_name.startswith("clients-2")
    assert not (await read_events(books.admin, made.event_cursor)).events


async def test_no_cell_of_it_is_computed_and_what_it_says_can_be_sent_back(books: Books) -> None:
    client = await books.client("=1+1", practice_code="@A1", legal_name="+Plus Ltd")
    await books.connected(client, await books.organisation('-cmd|"x"!A1'))

    made = await export_clients(books.admin)
    preview = await preview_codes(books.admin, made.content, Layout())

    _, row = csv.reader(io.StringIO(made.content, newline=""))
    assert row[1:4] == ["'=1+1", "'+Plus Ltd", "'@A1"]
    assert row[HEADER.index("Bookkeeping: organisation")] == '\'-cmd|"x"!A1'
    assert [(match.by, became.outcome) for match, became in preview.matched] == [("CLIENT_ID", "UNCHANGED")]


async def test_statuses_teams_and_search_leave_what_they_say(books: Books) -> None:
    team, other = await create_team(books.practice_id, "North"), await create_team(books.practice_id, "South")
    good = await books.client("Good Oak", team_id=team)
    await books.connected(good, await books.organisation("Good Oak"))
    for product in (BOOKKEEPING, DATA_HEALTH):
        differing = await books.client(f"Both {product}")
        organisation_id = await books.organisation(f"Elsewhere {product}")
        await books.connected(differing, organisation_id, product)
    await books.client("Bare Oak", team_id=other)

    mismatched = ["Both BOOKKEEPING", "Both DATA_HEALTH"]
    assert await left(books, statuses=[Status.MISMATCH]) == mismatched
    assert await left(books, statuses=[Status.CONNECTED]) == [*mismatched, "Good Oak"]
    assert await left(books, statuses=[Status.EXPIRED]) == []
    assert await left(books, statuses=[Status.UNINTEGRATED], search="oak") == ["Bare Oak", "Good Oak"]
    assert await left(books, team_ids=[team]) == ["Good Oak"]
    assert await left(books, team_ids=[team, other], search="bare") == ["Bare Oak"]


async def test_providers_and_reasons_leave_what_one_product_is_all_of(books: Books) -> None:
    one, other = await books.client("One"), await books.client("Other")
    lists = await books.connected(one, await books.organisation("One"))
    abroad = await books.organisation("One", provider="feigned")
    sign_in_id = await books.sign_in(await books.credential(provider="feigned"), [abroad], provider="feigned")
    await connect(books.admin, sign_in_id, client_id=one.id, product=DATA_HEALTH, organisation_id=abroad)
    revoked = await books.connected(other, await books.organisation("Other"))
    await books.expire(lists, "TOKEN_EXPIRED")
    await books.expire(revoked, "REVOKED_AT_PROVIDER")

    assert await left(books, providers=["pretend"]) == ["One", "Other"]
    assert await left(books, providers=["feigned"]) == ["One"]
    assert await left(books, providers=["feigned"], statuses=[Status.EXPIRED]) == []
    assert await left(books, providers=["pretend"], statuses=[Status.EXPIRED]) == ["One", "Other"]
    assert await left(books, reasons=[Reason.TOKEN_EXPIRED]) == ["One"]
    assert await left(books, reasons=[Reason.TOKEN_EXPIRED], providers=["feigned"]) == []
    assert await left(books, reasons=[Reason.TOKEN_EXPIRED, Reason.REVOKED_AT_PROVIDER]) == ["One", "Other"]
    assert await left(books, providers=["unheard-of"]) == []
    for field in ("providers", "teamIds"):
        with pytest.raises(Invalid, match="100 at most") as refused:
            await left(books, **{"providers" if field == "providers" else "team_ids": [new_id()] * 101})
        assert refused.value.field == field


async def test_the_codes_of_five_thousand_clients_go_out_and_come_back_in_one_piece(books: Books) -> None:
    await books.clients(5_000, "A client with a name that is about as long as names are")

    made = await export_clients(books.admin, columns=Columns.PRACTICE_CODES)
    header, *rows = read(made.content)
    filled = render([header, *([*row[:2], f"C-{number}"] for number, row in enumerate(rows))])
    preview = await preview_codes(books.admin, filled, Layout())

    assert tuple(header) == CODES_HEADER
    assert (made.row_count, len(rows)) == (5_000, 5_000)
    assert [became.outcome for _, became in preview.matched] == ["SET"] * 5_000


async def test_it_holds_what_the_caller_sees_and_teams_are_for_members(
    books: Books, other_books: Books
) -> None:
    team = await create_team(books.practice_id, "North")
    mine = await books.client("Mine", team_id=team)
    await books.client("Other")
    await other_books.client("Foreign")
    reader = await books.of_client(mine, ClientRole.READER)
    listed = await books.member(clients=ClientAccess.LISTED)

    [shown] = lines(await export_clients(reader))

    assert shown["Name"] == "Mine"
    assert "Team" not in shown
    assert lines(await export_clients(listed)) == []
    assert names(await export_clients(await books.member())) == ["Mine", "Other"]
    for caller, team_id in ((reader, team), (other_books.admin, team), (books.admin, TeamId(new_id()))):
        with pytest.raises(NotFound, match="team") as refused:
            await export_clients(caller, team_ids=[team_id])
        assert refused.value.field == "teamIds"


async def test_ten_thousand_clients_are_four_statements_and_one_more_is_refused(books: Books) -> None:
    [last, *_] = await books.clients(10_001)

    with pytest.raises(Invalid, match="at most 10,000 clients: narrow it"):
        await export_clients(books.admin)
    await books.sql.execute("UPDATE client SET deleted_at = created_at WHERE id = $1", last)
    sent = await sent_by(lambda: export_clients(books.admin))
    made = await export_clients(books.admin)

    assert made.row_count == 10_000
    assert len(sent.data) == 4
