"""An id of another practice, an unknown and a broken one are all the same to the API: NOT_FOUND, and nothing happens.

Each argument of the schema that takes an id has its case here; a new one without a case fails.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

import pytest

from tests.support.catalog import practice_column, tenant_tables
from tests.support.deployment import Deployment, Gateway
from tests.support.firm import Firm, unknown_id
from tests.support.id_arguments import id_arguments
from tests.support.id_cases import CASES
from tests.support.sandbox import Sandbox
from tests.support.sockets import caller_at
from tests.support.worlds import World, world_of

Snapshot = dict[str, list[str]]
_ROW = re.compile(r"\.(rows|connectionIds)\b")

every_id_argument = pytest.mark.parametrize("path", sorted(CASES))


def test_every_argument_that_takes_an_id_has_its_case_and_every_case_its_argument() -> None:
    arguments = set(id_arguments())

    missing, stale = sorted(arguments - set(CASES)), sorted(set(CASES) - arguments)

    assert not missing, f"Say in CASES what another practice's id does in {', '.join(missing)}."
    assert not stale, f"CASES speaks of what the schema no longer has: {', '.join(stale)}."


@pytest.fixture
async def world(firm: Firm, sandbox: Sandbox) -> AsyncIterator[World]:
    async with world_of(firm, sandbox) as made:
        yield made


@every_id_argument
async def test_the_callers_own_id_is_accepted(firm: Firm, world: World, gateway: Gateway, path: str) -> None:
    own = getattr(world, CASES[path].names)

    assert await refusals(gateway, firm, world, path, own) == []


@every_id_argument
async def test_an_id_of_another_practice_is_not_found_and_nothing_changes(
    firm: Firm,
    other_firm: Firm,
    world: World,
    sandbox: Sandbox,
    gateway: Gateway,
    opened: Deployment,
    path: str,
) -> None:
    async with world_of(other_firm, sandbox) as other:
        theirs = getattr(other, CASES[path].names)
    before = await snapshot(opened, firm, other_firm)

    refused = await refusals(gateway, firm, world, path, theirs)

    assert refused == [("NOT_FOUND", field_of(path))]
    assert await snapshot(opened, firm, other_firm) == before


@every_id_argument
async def test_unknown_and_broken_ids_are_answered_like_another_practices(
    firm: Firm, world: World, gateway: Gateway, opened: Deployment, path: str
) -> None:
    own = getattr(world, CASES[path].names)
    before = await snapshot(opened, firm)
    sent: list[str | int] = [
        unknown_id(),
        "not an id",
        "",
        own.replace("-", ""),
        f"{{{own}}}",
        f"urn:uuid:{own}",
        f" {own}",
        str(firm.practice_id),
        "x" * 10_000,
        0,
    ]

    answers = [await refusals(gateway, firm, world, path, each) for each in sent]

    assert answers == [[("NOT_FOUND", field_of(path))]] * len(sent)
    assert await snapshot(opened, firm) == before


def field_of(path: str) -> str:
    """What a refusal names as its field; the row of a bulk mutation by where it stands."""
    return _ROW.sub(r".\1.0", path.split(".", 2)[2])


async def refusals(
    gateway: Gateway, firm: Firm, world: World, path: str, id: str | int
) -> list[tuple[str, str | None]]:
    """Code and field of each refusal: errors of the operation, data of the mutation, or outcomes of its rows."""
    variables = {"id": id} | {
        name: value for name, value in asdict(world).items() if f"${name}" in CASES[path].document
    }
    answer = await _answer(gateway, firm, path, variables)
    errors = [error["extensions"] for error in answer.get("errors", [])]
    payload = (answer.get("data") or {}).get(path.split(".")[1]) or {}
    rows = [row["error"] for row in payload.get("outcomes") or () if row["error"] is not None]
    told = [*errors, *payload.get("errors", []), *rows]
    return [(error["code"], error.get("field")) for error in told]


async def _answer(gateway: Gateway, firm: Firm, path: str, variables: dict[str, Any]) -> dict[str, Any]:
    document = CASES[path].document
    if not path.startswith("Subscription."):
        answer: dict[str, Any] = (await firm.admin.post(document, **variables)).json()
        return answer
    async with caller_at(gateway.socket, firm.admin.key) as socket:
        await socket.subscribe("s", document, **variables)
        return dict((await socket.receive())["payload"])


async def snapshot(opened: Deployment, *firms: Firm) -> Snapshot:
    """Every row of these practices in every table."""
    connection = await opened.connect()
    practices = [firm.practice_id for firm in firms]
    rows: Snapshot = {}
    for table in tenant_tables():
        found = await connection.fetch(
            f"SELECT to_jsonb(t)::text AS row FROM {table} AS t WHERE {practice_column(table)} = ANY($1::uuid[])",
            practices,
        )
        rows[table] = sorted(json.dumps(row["row"]) for row in found)
    await connection.close()
    return rows
