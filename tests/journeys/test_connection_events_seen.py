"""Who is told what: by the clients that a caller may see, at the moment of sending, and from a cursor that is good."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.deployment import Deployment, Gateway
from tests.support.events import Listener, cursor_of, listening, rename
from tests.support.firm import Caller, Firm
from tieline.events.repository import EventCursor
from tieline.ids import PersonId, new_id
from tieline.pages import pack
from tieline.practices.keys import issue_key, revoke_key
from tieline.principal import ClientAccess

_LISTED = "INSERT INTO member_client (practice_id, person_id, client_id) VALUES ($1, $2, $3)"
_UNLISTED = "DELETE FROM member_client WHERE practice_id = $1 AND person_id = $2 AND client_id = $3"
_PERSON = """INSERT INTO person (id, practice_id, name, name_key, email, created_at)
             VALUES ($2, $1, 'Client''s Own', 'client''s own', $2::uuid || '@client.invalid', '2031-05-04')"""
_ADMINISTRATES = """INSERT INTO client_member (practice_id, person_id, client_id, role, created_at)
                    VALUES ($1, $2, $3, 'ADMINISTRATOR', '2031-05-04')"""


async def run(opened: Deployment, firm: Firm, sql: str, *arguments: object) -> None:
    above = await opened.connect()
    await above.execute(sql, firm.practice_id, *arguments)
    await above.close()


async def member_of(opened: Deployment, firm: Firm, client_id: str) -> Caller:
    """A member for whom this client is listed and no other."""
    member = await firm.member(clients=ClientAccess.LISTED)
    await run(opened, firm, _LISTED, member.person_id, UUID(client_id))
    return member


async def administrator_of(opened: Deployment, firm: Firm, client_id: str) -> Caller:
    """Somebody of the client's own, who is no member of the practice."""
    person_id = PersonId(new_id())
    await run(opened, firm, _PERSON, person_id)
    await run(opened, firm, _ADMINISTRATES, person_id, UUID(client_id))
    return await firm.caller(person_id)


@pytest.mark.parametrize("of", [member_of, administrator_of])
async def test_callers_are_told_of_the_clients_that_they_may_see_also_when_it_is_replayed(
    firm: Firm, gateway: Gateway, opened: Deployment, of: Callable[..., Awaitable[Caller]]
) -> None:
    start = await cursor_of(firm.admin)
    acorn, birch = [await firm.admin.create_client(name) for name in ("Acorn", "Birch")]
    caller = await of(opened, firm, birch)

    async with listening(gateway, caller, start) as listener:
        created = await listener.next()
        await rename(firm.admin, acorn, "Acorn Two")
        await rename(firm.admin, birch, "Birch Two")
        renamed = await listener.next()

    assert [(event["kind"], event["client"]["id"]) for event in (created, renamed)] == [
        ("CLIENT_CREATED", birch),
        ("CLIENT_RENAMED", birch),
    ]


async def test_practices_hear_nothing_of_each_other(firm: Firm, other_firm: Firm, gateway: Gateway) -> None:
    start = await cursor_of(other_firm.admin)
    async with listening(gateway, other_firm.admin, start) as listener:
        await firm.admin.create_client("Ours")
        theirs = await other_firm.admin.create_client("Theirs")

        assert (await listener.next())["clientId"] == theirs


async def test_a_list_that_changes_counts_from_the_next_event_on(
    firm: Firm, gateway: Gateway, opened: Deployment
) -> None:
    acorn, birch = [await firm.admin.create_client(name) for name in ("Acorn", "Birch")]
    member, start = await member_of(opened, firm, birch), await cursor_of(firm.admin)

    async with listening(gateway, member, start) as listener:
        await rename(firm.admin, birch, "Seen")
        first = await listener.next()
        await run(opened, firm, _UNLISTED, member.person_id, UUID(birch))
        await rename(firm.admin, birch, "Not seen")
        await run(opened, firm, _LISTED, member.person_id, UUID(acorn))
        await rename(firm.admin, acorn, "Seen too")
        second = await listener.next()

    assert [event["client"]["name"] for event in (first, second)] == ["Seen", "Seen too"]


async def test_a_revoked_key_ends_it_with_4403(firm: Firm, gateway: Gateway) -> None:
    client_id, start = await firm.admin.create_client("Acorn"), await cursor_of(firm.admin)
    issued = await issue_key(firm.practice_id, name="short-lived", person_id=firm.admin.person_id)
    caller = Caller(http=firm.http, key=issued.secret.reveal(), practice_id=firm.practice_id, person_id=None)

    async with listening(gateway, caller, start) as listener:
        await rename(firm.admin, client_id, "Before")
        assert (await listener.next())["client"]["name"] == "Before"
        await revoke_key(str(issued.id))
        closed = await _closed(listener)

    assert closed.rcvd is not None
    assert closed.rcvd.code == 4403


async def _closed(listener: Listener) -> ConnectionClosed:
    """How the socket ends; what still comes before is passed over."""
    while True:
        try:
            await listener.message()
        except ConnectionClosed as end:
            return end


@pytest.mark.parametrize("which", ["broken", "empty", "of another feed", "of a page", "pruned"])
async def test_a_cursor_that_cannot_be_gone_on_from_has_expired_and_the_socket_stays(
    firm: Firm, gateway: Gateway, opened: Deployment, which: str
) -> None:
    await firm.admin.create_client("Acorn")
    current = EventCursor.decode(await cursor_of(firm.admin))
    page = "{ clients(first: 1) { pageInfo { endCursor } } }"
    after = {
        "broken": "nonsense",
        "empty": "",
        "of another feed": EventCursor(epoch=new_id(), xid=current.xid, position=0).encode(),
        "of a page": (await firm.admin.ask(page))["clients"]["pageInfo"]["endCursor"],
        "pruned": pack(str(current.epoch), 3, 0),
    }[which]
    above = await opened.connect()
    before = await above.fetchval("SELECT pruned_below::text FROM feed")
    await above.execute("UPDATE feed SET pruned_below = '4'")

    try:
        async with listening(gateway, firm.admin, after) as listener:
            refusal = await listener.refusal()
            answer = await listener.socket.ask("{ viewer { practice { id } } }")
    finally:
        await above.execute("UPDATE feed SET pruned_below = $1::text::xid8", before)
        await above.close()

    assert refusal == ["CURSOR_EXPIRED"]
    assert answer["data"]["viewer"]["practice"]["id"] == str(firm.practice_id)
