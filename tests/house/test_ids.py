"""An id of another practice, an unknown and a broken one are all the same to the API: NOT_FOUND, and nothing happens.

Each argument of the schema that takes an id has its case here; a new one without a case fails.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

import asyncpg
import httpx
import pytest

from tests.support.catalog import practice_column, tenant_tables
from tests.support.deployment import Deployment, Gateway
from tests.support.firm import Firm, open_firm, unknown_id
from tests.support.id_arguments import id_arguments
from tests.support.id_cases import CASES
from tests.support.sandbox import Sandbox
from tests.support.sockets import caller_at
from tests.support.worlds import World, world_of

Snapshot = list[tuple[str, str]]
_ROW = re.compile(r"\.(rows|connectionIds|(?<=syncClients\.input\.)clientIds)\b")

every_id_argument = pytest.mark.parametrize("path", sorted(CASES))


def test_every_argument_that_takes_an_id_has_its_case_and_every_case_its_argument() -> None:
    arguments = set(id_arguments())

    missing, stale = sorted(arguments - set(CASES)), sorted(set(CASES) - arguments)

    assert not missing, f"Say in CASES what another practice's id does in {', '.join(missing)}."
    assert not stale, f"CASES speaks of what the schema no longer has: {', '.join(stale)}."


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Two practices that stay as they are: what is refused, or only read, changes nothing in them."""

    firm: Firm
    world: World
    other_firm: Firm
    other: World


@pytest.fixture(scope="module")
async def standing(
    http: httpx.AsyncClient,
    opened: Deployment,  # noqa: ARG001 - must be open
    sandbox_url: str,
) -> Standing:
    firm, other_firm = await open_firm(http), await open_firm(http)
    async with httpx.AsyncClient(timeout=30) as client:
        sandbox = Sandbox(url=sandbox_url, http=client)
        async with world_of(firm, sandbox) as world, world_of(other_firm, sandbox) as other:
            return Standing(firm=firm, world=world, other_firm=other_firm, other=other)


@pytest.mark.parametrize("path", [path for path in sorted(CASES) if not path.startswith("Mutation.")])
async def test_the_callers_own_id_is_accepted_by_what_reads(
    standing: Standing, gateway: Gateway, path: str
) -> None:
    own = getattr(standing.world, CASES[path].names)

    assert await refusals(gateway, standing.firm, standing.world, path, own) == []


@pytest.mark.parametrize("path", [path for path in sorted(CASES) if path.startswith("Mutation.")])
async def test_the_callers_own_id_is_accepted_by_what_changes(
    firm: Firm, sandbox: Sandbox, gateway: Gateway, path: str
) -> None:
    async with world_of(firm, sandbox) as world:
        own = getattr(world, CASES[path].names)

        assert await refusals(gateway, firm, world, path, own) == []


@every_id_argument
async def test_an_id_of_another_practice_is_not_found_and_nothing_changes(
    standing: Standing, gateway: Gateway, sql: asyncpg.Connection, path: str
) -> None:
    theirs = getattr(standing.other, CASES[path].names)
    before = await snapshot(sql, standing)

    refused = await refusals(gateway, standing.firm, standing.world, path, theirs)

    assert refused == [("NOT_FOUND", field_of(path))]
    assert await snapshot(sql, standing) == before


@every_id_argument
async def test_unknown_and_broken_ids_are_answered_like_another_practices(
    standing: Standing, gateway: Gateway, sql: asyncpg.Connection, path: str
) -> None:
    own = getattr(standing.world, CASES[path].names)
    before = await snapshot(sql, standing)
    sent: list[str | int] = [
        unknown_id(),
        "not an id",
        "",
        own.replace("-", ""),
        f"{{{own}}}",
        f"urn:uuid:{own}",
        f" {own}",
        str(standing.firm.practice_id),
        "x" * 10_000,
        0,
    ]

    answers = [await refusals(gateway, standing.firm, standing.world, path, each) for each in sent]

    assert answers == [[("NOT_FOUND", field_of(path))]] * len(sent)
    assert await snapshot(sql, standing) == before


def field_of(path: str) -> str:
    """What a refusal names as its field; the row of a bulk mutation by where it stands."""
    return _ROW.sub(r".\1.0", path).split(".", 2)[2]


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


async def snapshot(sql: asyncpg.Connection, standing: Standing) -> Snapshot:
    """Every row of both practices in every table."""
    parts = [
        f"SELECT '{table}' AS of, to_jsonb(t)::text AS row FROM {table} AS t"
        f" WHERE {practice_column(table)} = ANY($1::uuid[])"
        for table in tenant_tables()
    ]
    practices = [standing.firm.practice_id, standing.other_firm.practice_id]
    found = await sql.fetch(" UNION ALL ".join(parts), practices)
    return sorted((each["of"], each["row"]) for each in found)
