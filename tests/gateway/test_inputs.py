"""Rows that come by the thousand are made from what came, which is right only where nothing is to be converted."""

from __future__ import annotations

from enum import Enum

import pytest
import strawberry

from tieline_gateway.graphql.inputs import made_at_once


@strawberry.enum
class Colour(Enum):
    RED = "red"


@made_at_once
@strawberry.input
class Plain:
    client_id: strawberry.ID
    team_name: str | None = None
    is_new: bool = False
    told_by: str = strawberry.field(name="who", default="nobody")


@strawberry.type
class Query:
    @strawberry.field
    def told(self, rows: list[Plain]) -> str:
        return repr([(row.client_id, row.team_name, row.is_new, row.told_by) for row in rows])


def test_what_is_left_out_has_its_default_and_null_is_none() -> None:
    rows = '[{clientId: "a"}, {clientId: "b", teamName: null, isNew: true}, {teamName: "T", clientId: "c"}]'

    told = strawberry.Schema(Query).execute_sync(f"{{ told(rows: {rows}) }}")

    expected = [("a", None, False, "nobody"), ("b", None, True, "nobody"), ("c", "T", False, "nobody")]
    assert told.data == {"told": repr(expected)}


def test_a_part_with_a_name_of_its_own_is_found_by_that() -> None:
    told = strawberry.Schema(Query).execute_sync('{ told(rows: [{clientId: "a", who: "Ann"}]) }')

    assert told.data == {"told": repr([("a", None, False, "Ann")])}


def test_an_input_with_a_part_to_be_converted_is_not_made_so() -> None:
    @strawberry.input
    class Coloured:
        colour: Colour

    with pytest.raises(TypeError, match=r"Coloured\.colour"):
        made_at_once(Coloured)
