"""An id of another practice, an unknown and a broken one are all the same to the API: NOT_FOUND, and nothing happens.

Each argument of the schema that takes an id has its case here; a new one without a case fails.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.catalog import practice_column, tenant_tables
from tests.support.deployment import Deployment
from tests.support.firm import Firm, unknown_id
from tests.support.id_arguments import id_arguments

Snapshot = dict[str, list[str]]


async def a_client(firm: Firm) -> str:
    return await firm.admin.create_client("Of this firm")


async def a_team(firm: Firm) -> str:
    return str(await firm.team("Of this firm"))


@dataclass(frozen=True, kw_only=True)
class Case:
    """`document` takes the id as `$id`, everything else in it is fine; `make` makes what the id may name."""

    document: str
    make: Callable[[Firm], Awaitable[str]]


CASES = {
    "Query.client.id": Case(document="query($id: ID!) { client(id: $id) { id name } }", make=a_client),
    "Mutation.createClient.input.teamId": Case(
        document="""mutation($id: ID) {
          createClient(input: {name: "New", teamId: $id}) { client { id } errors { code field } }
        }""",
        make=a_team,
    ),
    "Mutation.renameClient.input.id": Case(
        document="""mutation($id: ID!) {
          renameClient(input: {id: $id, name: "Renamed"}) { client { id } errors { code field } }
        }""",
        make=a_client,
    ),
}

every_id_argument = pytest.mark.parametrize("path", sorted(CASES))


def test_every_argument_that_takes_an_id_has_its_case_and_every_case_its_argument() -> None:
    arguments = set(id_arguments())

    missing, stale = sorted(arguments - set(CASES)), sorted(set(CASES) - arguments)

    assert not missing, f"Say in CASES what another practice's id does in {', '.join(missing)}."
    assert not stale, f"CASES speaks of what the schema no longer has: {', '.join(stale)}."


@every_id_argument
async def test_the_callers_own_id_is_accepted(firm: Firm, path: str) -> None:
    own = await CASES[path].make(firm)

    assert await refusals(firm, path, own) == []


@every_id_argument
async def test_an_id_of_another_practice_is_not_found_and_nothing_changes(
    firm: Firm, other_firm: Firm, opened: Deployment, path: str
) -> None:
    theirs = await CASES[path].make(other_firm)
    before = await snapshot(opened, firm, other_firm)

    refused = await refusals(firm, path, theirs)

    assert refused == [("NOT_FOUND", path.split(".", 2)[2])]
    assert await snapshot(opened, firm, other_firm) == before


@every_id_argument
async def test_unknown_and_broken_ids_are_answered_like_another_practices(
    firm: Firm, opened: Deployment, path: str
) -> None:
    own = await CASES[path].make(firm)
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

    answers = [await refusals(firm, path, each) for each in sent]

    assert answers == [[("NOT_FOUND", path.split(".", 2)[2])]] * len(sent)
    assert await snapshot(opened, firm) == before


async def refusals(firm: Firm, path: str, id: str | int) -> list[tuple[str, str | None]]:
    """Code and field of each refusal, whether it came as an error of the operation or as data of the mutation."""
    answer: dict[str, Any] = (await firm.admin.post(CASES[path].document, id=id)).json()
    errors = [error["extensions"] for error in answer.get("errors", [])]
    payload = (answer.get("data") or {}).get(path.split(".")[1]) or {}
    return [(error["code"], error.get("field")) for error in [*errors, *payload.get("errors", [])]]


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
