"""What people settle about a connection: checked against what its plugin declares, kept, and followed by syncs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.ledger.shelf import Row, put
from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books, Pretend, pretending
from tests.support.deployment import Deployment
from tieline.clients.service import delete_client
from tieline.connections.changing import change_connection
from tieline.connections.repository import Connection
from tieline.connections.service import disconnect, get_connection, reconnect
from tieline.connections.settings.reading import AskedSetting
from tieline.connections.settings.repository import NamedRecord
from tieline.connections.settings.service import settings_of, update_settings
from tieline.errors import Forbidden, Invalid, NotFound, SeveralInvalid
from tieline.ids import OrganisationId
from tieline.ledger.datasets import Dataset
from tieline.plugins import ConnectionSetting, SettingChoice, SettingKind
from tieline.principal import ClientRole, Permission, Principal
from tieline.sync.service import sync

SETTINGS = (
    ConnectionSetting(
        name="read_contacts",
        kind=SettingKind.SWITCH,
        label="Read contacts",
        meaning="Whether contacts are read.",
        products=(BOOKKEEPING,),
        default="true",
        feeds=("contacts",),
    ),
    ConnectionSetting(
        name="bills",
        kind=SettingKind.CHOICE,
        label="Bills",
        meaning="What bills are.",
        products=(BOOKKEEPING, DATA_HEALTH),
        default="DRAFT",
        choices=(SettingChoice(value="DRAFT", label="Draft"), SettingChoice(value="DONE", label="Done")),
    ),
    ConnectionSetting(
        name="account",
        kind=SettingKind.RECORD,
        label="Account",
        meaning="Where it goes.",
        products=(BOOKKEEPING,),
        dataset="accounts",
    ),
)


class Settling(Pretend):
    """A provider that lets something be settled about its connections."""

    def __init__(self, slug: str = "pretend") -> None:
        super().__init__(slug)
        self.info = replace(self.info, connection_settings=SETTINGS)


@pytest.fixture(autouse=True)
def providers(opened: Deployment) -> Iterator[None]:  # noqa: ARG001 - must be open
    with pretending(Settling(), Settling("feigned")):
        yield


async def made(books: Books, name: str = "Acme", **more: Any) -> Connection:
    return await books.connected(await books.client(name), await books.organisation(name), **more)


async def settle(
    books: Books, connection: Connection, by: Principal | None = None, **values: str | None
) -> Connection:
    asked = [AskedSetting(name=name, value=value) for name, value in values.items()]
    return await update_settings(by or books.admin, connection.id, asked)


async def shown(books: Books, connection: Connection) -> dict[str, str | None]:
    found = (await settings_of(books.admin, [connection.id]))[connection.id]
    return {each.setting.name: each.value for each in found}


async def account(books: Books, organisation_id: OrganisationId, id: str, **more: Any) -> None:
    row = Row(dataset=Dataset.ACCOUNTS, external_id=id, data={"name": f"Account {id}"}, **more)
    await put(books, organisation_id, [row])


async def feeds(books: Books) -> list[list[str]]:
    """What the live runs want."""
    return [list(run["feeds"]) for run in await books.runs()]


async def test_what_is_settled_is_kept_and_what_is_not_mentioned_stays(books: Books) -> None:
    connection = await made(books)
    await account(books, connection.organisation_id, "7")
    await books.events()

    before = await shown(books, connection)
    await settle(books, connection, bills=" DONE ", account="7")
    changed = await settle(books, connection, read_contacts="FALSE")
    after = await shown(books, connection)
    await settle(books, connection, bills=None, read_contacts="true")

    assert before == {"read_contacts": "true", "bills": "DRAFT", "account": None}
    assert after == {"read_contacts": "false", "bills": "DONE", "account": "7"}
    assert changed.settings == {"bills": "DONE", "account": "7", "read_contacts": "false"}
    assert (await get_connection(books.admin, connection.id)).settings == {"account": "7"}
    whose = {
        "connection_id": str(connection.id),
        "organisation_id": str(connection.organisation_id),
        "product": "BOOKKEEPING",
    }
    assert await books.events() == [
        ("CONNECTION_SETTINGS_CHANGED", whose | {"settings": names})
        for names in (["account", "bills"], ["read_contacts"], ["bills", "read_contacts"])
    ]


async def test_what_is_so_already_changes_nothing(books: Books) -> None:
    connection = await made(books)
    await settle(books, connection, bills="DONE")
    before = await books.row("connection", connection.id)
    await books.events()

    await settle(books, connection, bills="DONE", read_contacts="true", account=None)
    await settle(books, connection, account=" ", read_contacts="")
    await settle(books, connection)

    assert await books.row("connection", connection.id) == before
    assert await books.kinds() == []


async def test_an_empty_text_is_the_default_again(books: Books) -> None:
    connection = await made(books)
    await settle(books, connection, bills="DONE", read_contacts="false")

    await settle(books, connection, bills="", read_contacts=" ")

    assert await shown(books, connection) == {"read_contacts": "true", "bills": "DRAFT", "account": None}


async def test_everything_that_does_not_fit_is_told_at_once_and_nothing_changes(books: Books) -> None:
    connection = await made(books)
    asked = [
        AskedSetting(name="bills", value="DONE"),
        AskedSetting(name="bills", value="DRAFT"),
        AskedSetting(name="read_contacts", value="perhaps"),
        AskedSetting(name="colour", value="red"),
        AskedSetting(name="account", value="nowhere"),
    ]

    with pytest.raises(SeveralInvalid) as refused:
        await update_settings(books.admin, connection.id, asked)
    with pytest.raises(Invalid, match="at most 50"):
        await update_settings(books.admin, connection.id, asked[:1] * 51)

    assert [(part.field, str(part)) for part in refused.value.parts] == [
        ("settings.1.name", "The setting bills is there twice."),
        ("settings.2.value", "Read contacts is true or false."),
        ("settings.3.name", "This connection has these settings: read_contacts, bills, account."),
        (
            "settings.4.value",
            "Account names no active record of accounts: choose one of this organisation.",
        ),
    ]
    assert (await get_connection(books.admin, connection.id)).settings == {}


async def test_a_setting_of_another_product_is_none_of_the_connections(books: Books) -> None:
    connection = await made(books, product=DATA_HEALTH)

    with pytest.raises(SeveralInvalid, match="has these settings: bills"):
        await settle(books, connection, read_contacts="false")

    assert await shown(books, connection) == {"bills": "DRAFT"}


async def test_a_record_has_to_be_an_active_one_of_these_very_books(books: Books) -> None:
    connection, other = await made(books), await made(books, "Other")
    await account(books, connection.organisation_id, "mine")
    await account(books, connection.organisation_id, "archived", active=False)
    await account(books, connection.organisation_id, "deleted", deleted=True)
    await account(books, other.organisation_id, "theirs")
    await put(
        books, connection.organisation_id, [Row(dataset=Dataset.CONTACTS, external_id="of another list")]
    )

    for unfit in ("archived", "deleted", "theirs", "of another list", "MINE"):
        with pytest.raises(SeveralInvalid):
            await settle(books, connection, account=unfit)
    changed = await settle(books, connection, account="mine")

    assert changed.settings == {"account": "mine"}


async def test_a_record_that_is_archived_or_goes_later_is_still_named_and_may_stay(books: Books) -> None:
    connection = await made(books)
    await account(books, connection.organisation_id, "7")
    await settle(books, connection, account="7")

    async def now() -> tuple[str | None, NamedRecord | None]:
        found = (await settings_of(books.admin, [connection.id]))[connection.id][-1]
        return found.value, found.record

    there = await now()
    await books.sql.execute(
        "UPDATE ledger_record SET active = false WHERE practice_id = $1", books.practice_id
    )
    archived = await now()
    await books.sql.execute(
        "UPDATE ledger_record SET deleted_at = changed_at WHERE practice_id = $1", books.practice_id
    )
    gone = await now()
    await settle(books, connection, account="7", bills="DONE")

    assert there == ("7", NamedRecord(name="Account 7", active=True))
    assert archived == ("7", NamedRecord(name="Account 7", active=False))
    assert gone == ("7", None)
    assert (await get_connection(books.admin, connection.id)).settings == {"account": "7", "bills": "DONE"}


async def test_what_is_switched_off_is_left_out_of_syncs_and_what_is_switched_on_is_read_at_once(
    books: Books,
) -> None:
    connection = await made(books)
    wanted = [await feeds(books)]

    await settle(books, connection, read_contacts="false")
    wanted.append(await feeds(books))
    await books.sql.execute(
        "UPDATE sync_run SET state = 'SUCCEEDED' WHERE practice_id = $1", books.practice_id
    )
    await sync(books.admin, connection.id)
    wanted.append(await feeds(books))
    await books.sql.execute(
        "UPDATE sync_run SET state = 'SUCCEEDED' WHERE practice_id = $1", books.practice_id
    )
    await settle(books, connection, bills="DONE")
    wanted.append(await feeds(books))
    await settle(books, connection, read_contacts=None)
    wanted.append(await feeds(books))

    assert wanted == [
        [["accounts", "contacts"]],
        [["accounts"]],
        [["accounts"]],
        [],
        [["contacts"]],
    ]
    assert [run["trigger"] for run in await books.runs()] == ["SETTINGS"]


async def test_what_another_product_wants_is_read_for_it(books: Books) -> None:
    client, organisation_id = await books.client("Acme"), await books.organisation("Acme")
    one = await books.connected(client, organisation_id)
    await books.connected(client, organisation_id, DATA_HEALTH)

    await settle(books, one, read_contacts="false")

    assert sorted((await feeds(books))[0]) == ["accounts", "reports"]


async def test_nothing_is_synced_for_a_connection_that_does_not_work(books: Books) -> None:
    connection = await made(books)
    await settle(books, connection, read_contacts="false")
    await disconnect(books.admin, connection.id)

    await settle(books, connection, read_contacts="true")

    assert await feeds(books) == []
    assert await shown(books, connection) == {"read_contacts": "true", "bills": "DRAFT", "account": None}


async def test_books_that_another_client_has_by_now_are_not_looked_into(books: Books) -> None:
    connection = await made(books)
    await account(books, connection.organisation_id, "7")
    await account(books, connection.organisation_id, "8")
    await settle(books, connection, account="7")
    await disconnect(books.admin, connection.id)
    await books.connected(await books.client("Other"), connection.organisation_id)

    with pytest.raises(SeveralInvalid, match="reconnect the connection first"):
        await settle(books, connection, account="8")
    await settle(books, connection, account="7", bills="DONE")
    named = (await settings_of(books.admin, [connection.id]))[connection.id][-1]

    assert (named.value, named.record) == ("7", None)


async def test_settings_stay_through_a_reconnect_and_what_takes_its_place_begins_with_the_defaults(
    books: Books,
) -> None:
    connection, other_id = await made(books), await books.organisation("Other")
    await settle(books, connection, bills="DONE", read_contacts="false")

    await disconnect(books.admin, connection.id)
    sign_in_id = await books.sign_in(await books.credential(), [connection.organisation_id, other_id])
    mended = await reconnect(books.admin, connection.id, sign_in_id)
    mended_feeds = await feeds(books)
    new = await change_connection(books.admin, connection.id, sign_in_id, other_id)
    old = await get_connection(books.admin, connection.id)

    assert mended.settings == old.settings == {"bills": "DONE", "read_contacts": "false"}
    assert mended_feeds == [["accounts"]]
    assert (old.ended_at is not None, new.settings) == (True, {})
    assert (await shown(books, old))["bills"] == "DONE"


async def test_what_no_plugin_declares_any_more_is_kept_and_not_shown(books: Books) -> None:
    connection = await made(books)
    await books.sql.execute(
        'UPDATE connection SET settings = \'{"colour": "red", "bills": "GONE"}\' WHERE id = $1', connection.id
    )

    seen = await shown(books, connection)
    changed = await settle(books, connection, read_contacts="false")

    assert seen == {"read_contacts": "true", "bills": "DRAFT", "account": None}
    assert changed.settings == {"colour": "red", "bills": "GONE", "read_contacts": "false"}


async def test_who_may_settle_and_who_sees_what_is_settled(books: Books, other_books: Books) -> None:
    connection = await made(books)
    client = await books.client("Other")
    old = await made(books, "Old")
    await delete_client(books.admin, old.client_id)
    theirs = Principal.machine(books.practice_id)
    reader, administrator = [
        await books.of_client(replace(client, id=connection.client_id), role)
        for role in (ClientRole.READER, ClientRole.ADMINISTRATOR)
    ]

    for principal in (await books.member(Permission.SYNC), reader):
        with pytest.raises(Forbidden):
            await settle(books, connection, principal, bills="DONE")
    for stranger in (other_books.admin, await books.of_client(client, ClientRole.ADMINISTRATOR)):
        with pytest.raises(NotFound, match="connection"):
            await settle(books, connection, stranger, bills="DONE")
        assert await settings_of(stranger, [connection.id]) == {}
    with pytest.raises(NotFound, match="connection"):
        await settle(books, old, theirs, bills="DONE")

    assert (await settle(books, connection, administrator, bills="DONE")).settings == {"bills": "DONE"}
    assert (await settings_of(reader, [connection.id]))[connection.id][1].value == "DONE"
