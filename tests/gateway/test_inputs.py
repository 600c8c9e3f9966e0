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


@strawberry.type
class Query:
    @strawberry.field
    def told(self, rows: list[Plain]) -> str:
        return repr([(row.client_id, row.team_name, row.is_new) for row in rows])


def test_what_is_left_out_has_its_default_and_null_is_none() -> None:
    rows = '[{clientId: "a"}, {clientId: "b", teamName: null, isNew: true}, {teamName: "T", clientId: "c"}]'

    told = strawberry.Schema(Query).execute_sync(f"{{ told(rows: {rows}) }}")

    assert told.data == {"told": "[('a', None, False), ('b', None, True), ('c', 'T', False)]"}


def test_an_input_with_a_part_to_be_converted_is_not_made_so() -> None:
    @strawberry.input
    class Coloured:
        colour: Colour

    with pytest.raises(TypeError, match=r"Coloured\.colour"):
        made_at_once(Coloured)
