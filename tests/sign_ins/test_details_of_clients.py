"""Clients that were added before their organisations' details were read get them when they are."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

from tests.sign_ins.desk import Desk
from tests.support.locks import until_blocked
from tests.support.sandbox import Person
from tieline.clients.adding.decisions import Wanted
from tieline.clients.adding.service import AddOutcome, add_clients
from tieline.clients.repository import ClientRepository
from tieline.clients.service import NewClient, create_client
from tieline.connections.service import connect
from tieline.ids import ClientId, OrganisationId, SignInId, new_id
from tieline.plugins import Product
from tieline.sign_ins.details import read_details
from tieline.work import unit_of_work

DETAILS = ("legal_name", "country", "currency", "tax_number", "registration_number")


async def add(desk: Desk, sign_in_id: SignInId, *organisation_ids: OrganisationId) -> list[AddOutcome]:
    rows = [
        Wanted(client_id=ClientId(new_id()), organisation_id=each, even_if_duplicate=True)
        for each in organisation_ids
    ]
    return await add_clients(desk.admin, sign_in_id, Product.BOOKKEEPING, rows)


async def details(desk: Desk, table: str, condition: str = "true") -> list[tuple[Any, ...]]:
    rows = await desk.above.fetch(
        f"SELECT {', '.join(DETAILS)} FROM {table} AS t WHERE practice_id = $1 AND {condition} ORDER BY t.name",
        desk.practice_id,
    )
    return [tuple(row) for row in rows]


async def test_what_was_added_before_is_filled_in(desk: Desk, kim: Person) -> None:
    ready = await desk.ready(kim)
    found = await desk.found(ready.id)
    await add(desk, ready.id, *(organisation_id for organisation_id, _, _ in found.values()))
    before = await details(desk, "client")

    assert await read_details(desk.practice_id, ready.id) is None

    read = await details(desk, "organisation")
    assert before == [(None,) * len(DETAILS)] * 3
    assert all(country and currency for _, country, currency, _, _ in read)
    assert await details(desk, "client") == read


async def test_a_client_that_a_person_created_keeps_what_the_person_said(desk: Desk, kim: Person) -> None:
    ready = await desk.ready(kim)
    organisation_id, _, _ = (await desk.found(ready.id))["Ashford Bakery Ltd"]
    client = await create_client(desk.admin, NewClient(name="Ashford Bakery", country="FR"))
    await connect(
        desk.admin,
        ready.id,
        client_id=client.id,
        product=Product.BOOKKEEPING,
        organisation_id=organisation_id,
    )

    await read_details(desk.practice_id, ready.id)

    assert await details(desk, "client") == [(None, "FR", None, None, None)]


async def test_added_while_the_details_are_read_they_have_them_all_the_same(desk: Desk) -> None:
    many = await desk.sandbox.populate(organisations=12)
    ready = await desk.ready(many)
    found = [organisation_id for organisation_id, _, _ in (await desk.found(ready.id)).values()]

    async def one_by_one() -> None:
        for organisation_id in found:
            await add(desk, ready.id, organisation_id)

    await asyncio.gather(read_details(desk.practice_id, ready.id), one_by_one())
    await read_details(desk.practice_id, ready.id)

    filled = await details(desk, "client")
    assert len(filled) == 12
    assert filled == await details(desk, "organisation")


async def test_the_reading_waits_for_the_client_before_it_holds_the_organisation(desk: Desk) -> None:
    """Client, organisation: whoever holds the client finds the organisation free."""
    one = await desk.sandbox.populate(organisations=1)
    ready = await desk.ready(one)
    [(organisation_id, _, _)] = (await desk.found(ready.id)).values()
    [added] = await add(desk, ready.id, organisation_id)
    assert added.client is not None

    async with unit_of_work(desk.admin):
        await ClientRepository.visible_to(desk.admin).get(added.client.id, lock=True)
        reading = asyncio.create_task(read_details(desk.practice_id, ready.id), context=contextvars.Context())
        await until_blocked(desk.above, "the reading waits for the client")

        free = "SELECT id FROM organisation WHERE id = $1 FOR UPDATE SKIP LOCKED"
        assert await desk.above.fetchval(free, organisation_id) == organisation_id

    await reading
    assert await details(desk, "client") == await details(desk, "organisation")
