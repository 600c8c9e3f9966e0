"""Moving a client's product to another organisation: the old connection ends, a new one stands in its place."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

import pytest

from tests.support.books import BOOKKEEPING, DATA_HEALTH, Books
from tests.support.polling import until
from tieline.connections.changing import change_connection
from tieline.connections.organisations.repository import OrganisationRepository
from tieline.connections.repository import Connection
from tieline.connections.service import disconnect, get_connection
from tieline.connections.states import Reason, Status
from tieline.errors import (
    ConsentTooNarrow,
    Forbidden,
    NotFound,
    NotInThisLogin,
    OrganisationInUse,
    SignInNotReady,
)
from tieline.ids import ConnectionId, OrganisationId, SignInId, new_id
from tieline.principal import ClientRole, Permission
from tieline.work import unit_of_work


async def connected(books: Books) -> Connection:
    """Acme, connected; what that recorded is forgotten."""
    made = await books.connected(await books.client("Acme"), await books.organisation("Acme"))
    await books.events()
    return made


async def reaching(books: Books, *organisation_ids: OrganisationId, **more: Any) -> SignInId:
    return await books.sign_in(await books.credential(), organisation_ids, **more)


async def release_jobs(books: Books) -> list[tuple[str, str]]:
    jobs = await books.jobs("credentials.release_organisation")
    return [(job["credential_id"], job["organisation_id"]) for job in jobs]


async def untouched(books: Books, before: Connection) -> bool:
    """Whether the connection stands as it did, and nothing was recorded."""
    return await get_connection(books.admin, before.id) == before and await books.kinds() == []


async def test_the_old_connection_ends_and_a_new_one_stands_in_its_place(books: Books) -> None:
    before = await connected(books)
    other = await books.organisation("Acme Trading")
    sign_in_id = await reaching(books, other)

    changed = await change_connection(books.admin, before.id, sign_in_id, other)

    ended = await get_connection(books.admin, before.id)
    assert changed.id != before.id
    assert (changed.client_id, changed.product, changed.organisation_id) == (
        before.client_id,
        BOOKKEEPING,
        other,
    )
    assert (changed.status, changed.ended_at) == (Status.MISMATCH, None)
    assert ended.ended_at == changed.connected_at
    assert [(kind, payload["connection_id"]) for kind, payload in await books.events()] == [
        ("CONNECTION_ENDED", str(before.id)),
        ("CONNECTION_CONNECTED", str(changed.id)),
    ]
    assert (await books.row("organisation", before.organisation_id))["client_id"] is None
    assert (await books.row("organisation", other))["client_id"] == before.client_id


async def test_the_new_organisation_is_read_first_of_all_and_the_old_one_no_more(books: Books) -> None:
    before = await connected(books)
    other = await books.organisation("Acme Trading")

    await change_connection(books.admin, before.id, await reaching(books, other), other)

    (run,) = await books.runs()
    assert (run["organisation_id"], run["trigger"], run["lane"]) == (other, "CONNECT", "FIRST")
    (cancelled,) = await books.runs("CANCELLED")
    assert (cancelled["organisation_id"], cancelled["reason"]) == (before.organisation_id, "NOT_CONNECTED")


async def test_the_old_organisation_is_let_go_of_as_if_it_were_disconnected(books: Books) -> None:
    """The jobs look themselves whether anything else uses it."""
    before = await connected(books)
    other = await books.organisation("Acme Trading")

    await change_connection(books.admin, before.id, await reaching(books, other), other)

    assert await release_jobs(books) == [(str(before.credential_id), str(before.organisation_id))]
    assert await books.jobs("credentials.let_go_credential") == [
        {"practice_id": str(books.practice_id), "credential_id": str(before.credential_id)}
    ]


async def test_through_the_same_login_only_the_organisation_is_let_go_of(books: Books) -> None:
    before = await connected(books)
    other = await books.organisation("Acme Trading")
    same = await books.sign_in(before.credential_id, [before.organisation_id, other])

    changed = await change_connection(books.admin, before.id, same, other)

    assert changed.credential_id == before.credential_id
    assert await release_jobs(books) == [(str(before.credential_id), str(before.organisation_id))]
    assert await books.jobs("credentials.let_go_credential") == []


async def test_to_another_provider(books: Books) -> None:
    before = await connected(books)
    other = await books.organisation("Acme", provider="feigned")
    sign_in_id = await books.sign_in(await books.credential(provider="feigned"), [other], provider="feigned")

    changed = await change_connection(books.admin, before.id, sign_in_id, other)

    assert (before.provider, changed.provider, changed.status) == ("pretend", "feigned", Status.CONNECTED)


async def test_the_other_product_stays_where_it_is_and_keeps_its_organisation(books: Books) -> None:
    client = await books.client("Acme")
    organisation_id, other = await books.organisations("Acme", "Acme Trading")
    moves = await books.connected(client, organisation_id)
    stays = await books.connected(client, organisation_id, DATA_HEALTH)

    await change_connection(books.admin, moves.id, await reaching(books, other), other)

    assert await get_connection(books.admin, stays.id) == stays
    assert (await books.row("organisation", organisation_id))["client_id"] == client.id
    feeds = {run["organisation_id"]: run["feeds"] for run in await books.runs()}
    assert feeds == {organisation_id: ["accounts", "reports"], other: ["accounts", "contacts"]}


async def test_where_the_other_product_is_connected_it_may_go_too(books: Books) -> None:
    client = await books.client("Acme")
    organisation_id, other = await books.organisations("Acme", "Acme Trading")
    before = await books.connected(client, organisation_id)
    await books.connected(client, other, DATA_HEALTH)

    changed = await change_connection(books.admin, before.id, await reaching(books, other), other)

    assert changed.organisation_id == other


@pytest.mark.parametrize("reason", [*Reason])
async def test_what_is_expired_can_be_changed_and_is_released_unless_it_was(
    books: Books, reason: Reason
) -> None:
    before = await connected(books)
    if reason is Reason.DISCONNECTED:
        await disconnect(books.admin, before.id)
        await books.sql.execute("DELETE FROM job WHERE practice_id = $1", books.practice_id)
    else:
        await books.expire(before, reason)
    other = await books.organisation("Acme Trading")

    changed = await change_connection(books.admin, before.id, await reaching(books, other), other)

    assert (changed.organisation_id, changed.reason) == (other, None)
    assert len(await release_jobs(books)) == (0 if reason is Reason.DISCONNECTED else 1)


async def test_its_own_organisation_is_a_connect(books: Books) -> None:
    before = await connected(books)
    sign_in_id = await reaching(books, before.organisation_id)

    same = await change_connection(books.admin, before.id, sign_in_id, before.organisation_id)
    assert same == before
    assert await untouched(books, before)

    await books.expire(before, "TOKEN_EXPIRED")
    mended = await change_connection(books.admin, before.id, sign_in_id, before.organisation_id)

    assert (mended.id, mended.reason) == (before.id, None)
    assert await books.kinds() == ["CONNECTION_CONNECTED"]


async def test_said_again_it_is_harmless_and_two_at_once_change_it_once(books: Books) -> None:
    before = await connected(books)
    other, third = await books.organisations("Acme Trading", "Third")
    sign_in_id = await reaching(books, other, third)

    one, two = await asyncio.gather(
        change_connection(books.admin, before.id, sign_in_id, other),
        change_connection(books.admin, before.id, sign_in_id, other),
    )
    again = await change_connection(books.admin, before.id, sign_in_id, other)

    assert one == two == again
    assert await books.kinds() == ["CONNECTION_ENDED", "CONNECTION_CONNECTED"]
    with pytest.raises(NotFound, match="connection"):
        await change_connection(books.admin, before.id, sign_in_id, third)


async def test_what_connect_refuses_this_refuses_too_and_nothing_changes(books: Books) -> None:
    before = await connected(books)
    taken, other = await books.organisations("Taken", "Other")
    await books.connected(await books.client("Holder"), taken)
    narrow = await books.sign_in(await books.credential(scopes=["reports"]), [other])
    reaches = await reaching(books, taken, before.organisation_id)
    unready = await reaching(books, other, usable_for=None)
    await books.events()

    async def changed(sign_in_id: SignInId, organisation_id: OrganisationId) -> Connection:
        return await change_connection(books.admin, before.id, sign_in_id, organisation_id)

    with pytest.raises(OrganisationInUse, match="Taken already serves the client Holder") as in_use:
        await changed(reaches, taken)
    with pytest.raises(NotInThisLogin) as unreached:
        await changed(reaches, other)
    with pytest.raises(ConsentTooNarrow):
        await changed(narrow, other)
    with pytest.raises(SignInNotReady):
        await changed(unready, other)
    with pytest.raises(NotFound, match="organisation"):
        await changed(reaches, OrganisationId(new_id()))
    with pytest.raises(NotFound, match="sign-in"):
        await changed(SignInId(new_id()), taken)

    assert (in_use.value.field, unreached.value.field) == ("organisationId", "organisationId")
    assert await untouched(books, before)
    assert await release_jobs(books) == []


async def test_who_may_change_it(books: Books, other_books: Books) -> None:
    client = await books.client("Acme")
    before = await books.connected(client, await books.organisation("Acme"))
    other = await books.organisation("Acme Trading")
    administrator = await books.of_client(client, ClientRole.ADMINISTRATOR)
    allowed = [
        books.admin,
        await books.member(Permission.MANAGE_CONNECTIONS),
        administrator,
    ]
    refused = [await books.member(Permission.SYNC), await books.of_client(client, ClientRole.READER)]

    for each in refused:
        sign_in_id = await reaching(books, other, person_id=each.person_id)
        with pytest.raises(Forbidden):
            await change_connection(each, before.id, sign_in_id, other)
    theirs = await reaching(other_books, await other_books.organisation("Elsewhere"))
    with pytest.raises(NotFound, match="connection"):
        await change_connection(other_books.admin, before.id, theirs, other)
    standing = before.id
    for number, each in enumerate(allowed):
        next_one = await books.organisation(f"Number {number}")
        sign_in_id = await reaching(books, next_one, person_id=each.person_id)
        standing = (await change_connection(each, standing, sign_in_id, next_one)).id

    assert await books.count("connection", "ended_at IS NOT NULL") == 3


async def test_a_connection_of_a_deleted_client_or_an_unknown_one_is_not_found(books: Books) -> None:
    before = await connected(books)
    other = await books.organisation("Acme Trading")
    sign_in_id = await reaching(books, other)
    await books.sql.execute("UPDATE client SET deleted_at = created_at WHERE id = $1", before.client_id)

    for each in (before.id, ConnectionId(new_id())):
        with pytest.raises(NotFound, match="connection"):
            await change_connection(books.admin, each, sign_in_id, other)


async def test_crossed_changes_at_once_leave_nobody_waiting(books: Books) -> None:
    """Each wants the organisation that the other one leaves: whoever comes first is refused, or both are."""
    for _ in range(10):
        one, two = [
            await books.connected(await books.client(name), await books.organisation(name))
            for name in ("One", "Two")
        ]
        sign_in_id = await reaching(books, one.organisation_id, two.organisation_id)

        results = await asyncio.gather(
            change_connection(books.admin, one.id, sign_in_id, two.organisation_id),
            change_connection(books.admin, two.id, sign_in_id, one.organisation_id),
            return_exceptions=True,
        )

        assert [type(each) for each in results] == [OrganisationInUse] * 2


async def test_it_waits_for_the_organisation_that_it_leaves_before_it_holds_the_connection(
    books: Books,
) -> None:
    """Organisation, credential, connection: whoever holds the organisation finds the connection free."""
    before = await connected(books)
    other = await books.organisation("Acme Trading")
    sign_in_id = await reaching(books, other)

    async def change() -> Connection:
        return await change_connection(books.admin, before.id, sign_in_id, other)

    async with unit_of_work(books.admin):
        await OrganisationRepository.of(books.practice_id).lock([before.organisation_id])
        changed = asyncio.create_task(change(), context=contextvars.Context())
        await until(books.somebody_waits, "the change waits for the organisation")

        assert await books.is_free("connection", before.id)

    assert (await changed).organisation_id == other
