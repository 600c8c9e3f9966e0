"""Every cell of the permission matrix is tried: somebody of each kind asks a running gateway for everything."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from tests.support.askers import COUNTED, refusal_in
from tests.support.casting import Theatre
from tests.support.catalog import practice_column, tenant_tables
from tests.support.deployment import Deployment, serving
from tests.support.issuer import AUDIENCE, running_issuer
from tests.support.rows import Filler
from tieline.ids import PracticeId
from tieline.permissions import RULES, Cell, Who, cell

_KINDS = ("Query", "Subscription", "Mutation")
_STRANGERS = (Who.NOBODY, Who.DEACTIVATED, Who.GUEST, Who.OUTSIDER)


@pytest.fixture(scope="module")
async def theatre(deployment: Deployment, sql: asyncpg.Connection) -> AsyncIterator[Theatre]:
    """What was written for it is taken away in the end: no worker can work with such credentials."""
    with running_issuer() as issuer:
        oidc = {"TIELINE_OIDC_ISSUER": issuer.url, "TIELINE_OIDC_AUDIENCE": AUDIENCE}
        with serving(deployment, **oidc) as gateway:
            async with httpx.AsyncClient(base_url=gateway.url, timeout=30) as http:
                made = Theatre(gateway=gateway, issuer=issuer, http=http, sql=sql)
                yield made
    await (await Filler.over(sql)).forget(*made.practices)


@pytest.mark.parametrize(
    ("error", "expected"), [(None, None), ({"code": "DISCONNECTED"}, "DISCONNECTED")], ids=["done", "refused"]
)
def test_a_row_is_done_where_it_tells_of_no_error(error: dict[str, str] | None, expected: str | None) -> None:
    payload = {
        "outcomes": [{"code": "CONNECTED", "error": None}, {"code": "X", "error": error}],
        "errors": [],
    }

    assert refusal_in({"data": {"bulkConnect": payload}}) == expected


@pytest.mark.parametrize("who", Who, ids=lambda who: who.name)
async def test_each_cell_of_the_matrix_is_what_a_gateway_answers(theatre: Theatre, who: Who) -> None:
    asking = await theatre.cast(who, await theatre.stage())

    answered = {operation: await asking.cell(operation) for operation in in_turn()}

    expected = {operation: cell(RULES[operation], who) for operation in answered}
    wrong = [
        f"{each}: {answered[each]} was answered, {expected[each]} is its cell"
        for each in answered
        if answered[each] != expected[each]
    ]
    assert not wrong, "\n".join([who.name, *wrong])


@pytest.mark.parametrize("who", _STRANGERS, ids=lambda who: who.name)
async def test_who_is_not_of_the_practice_changes_nothing_in_it(
    theatre: Theatre, sql: asyncpg.Connection, who: Who
) -> None:
    stage = await theatre.stage()
    asking = await theatre.cast(who, stage)
    before = await rows_of(sql, stage.firm.practice_id)

    for operation in in_turn("Mutation"):
        if cell(RULES[operation], who) is not Cell.YES:
            await asking.cell(operation)

    assert await rows_of(sql, stage.firm.practice_id) == before


def in_turn(*kinds: str) -> list[str]:
    """Operations of these kinds, or all: looks before changes, and last what makes another person of the caller.

    What counts all that there is comes before what makes more of it.
    """
    wanted = [each for each in RULES if each.partition(".")[0] in (kinds or _KINDS)]

    def turn(operation: str) -> tuple[bool, int, bool]:
        kind = _KINDS.index(operation.partition(".")[0])
        return RULES[operation].in_person, kind, operation not in COUNTED

    return sorted(wanted, key=turn)


async def rows_of(sql: asyncpg.Connection, practice_id: PracticeId) -> dict[str, list[str]]:
    """Every row of the practice in every table."""
    return {
        table: sorted(
            row["row"]
            for row in await sql.fetch(
                f"SELECT t::text AS row FROM {table} AS t WHERE {practice_column(table)} = $1", practice_id
            )
        )
        for table in tenant_tables()
    }
