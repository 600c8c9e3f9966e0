"""What works again after a time without access is read whole, however lately it was read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.sync.scripted import Reading, Script, every
from tieline.connections.repository import ConnectionRepository
from tieline.connections.service import reconnect
from tieline.credentials.repository import CredentialRepository
from tieline.principal import Principal
from tieline.sign_ins.stock import restore
from tieline.work import unit_of_work

DAY = timedelta(days=1)

pytestmark = pytest.mark.usefixtures("jobs")


async def lost(client: Reading, script: Script) -> None:
    """Its feeds were read a moment ago, and are for days to come; then access went."""
    every(script, accounts=9 * DAY, rates=9 * DAY)
    await client.slice()
    await client.books.expire(client.connection, "REVOKED_AT_PROVIDER")


async def reconnected(client: Reading) -> None:
    sign_in_id = await client.books.sign_in(await client.books.credential(), [client.organisation_id])
    await reconnect(client.books.admin, client.connection.id, sign_in_id)


async def pages(client: Reading) -> list[tuple[str, int]]:
    """What the organisation's one live run reads."""
    [run] = await client.books.runs()
    await client.slice(run["id"])
    return [(each.feed, each.pages) for each in (await client.run(run["id"])).feeds]


async def test_what_is_reconnected_is_read_whole_however_lately_it_was_read(
    client: Reading, script: Script
) -> None:
    await lost(client, script)

    await reconnected(client)

    assert await pages(client) == [("accounts", 1), ("rates", 1)]


async def test_so_is_what_the_same_login_makes_work_again(client: Reading, script: Script) -> None:
    await lost(client, script)
    practice_id = client.books.practice_id

    async with unit_of_work(Principal.machine(practice_id)) as work:
        [credential] = await CredentialRepository.of(practice_id).lock([client.connection.credential_id])
        [connection] = await ConnectionRepository.of(practice_id).lock([client.connection.id])
        await restore(work, credential, [connection], None)

    assert await pages(client) == [("accounts", 1), ("rates", 1)]


async def test_a_run_that_waits_leaves_nothing_out_any_more_once_access_is_back(
    client: Reading, script: Script
) -> None:
    every(script, accounts=9 * DAY, rates=9 * DAY)
    await client.slice()
    sql = client.books.sql
    await sql.execute(
        "UPDATE organisation SET next_sync_at = last_synced_at WHERE id = $1", client.organisation_id
    )
    await client.queued()
    await sql.execute(
        "UPDATE connection SET reason = 'REVOKED_AT_PROVIDER' WHERE id = $1", client.connection.id
    )

    await reconnected(client)

    assert await pages(client) == [("accounts", 1), ("rates", 1)]
