"""Every query that a page of the documentation shows could be sent as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import graphql
import pytest

from tieline_gateway.graphql.schema import build_schema, print_schema
from tieline_gateway.transport.documents import graphql_schema
from tieline_gateway.transport.limits import Limits, excesses

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
_QUERY = re.compile(r"^```graphql\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHOWN = [
    pytest.param(query, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, query in enumerate(_QUERY.findall(page.read_text()), 1)
]


@pytest.fixture(scope="module")
def schema() -> graphql.GraphQLSchema:
    return graphql.build_schema(print_schema())


def test_the_page_for_front_ends_shows_queries() -> None:
    assert len(SHOWN) >= 15


@pytest.mark.parametrize("query", SHOWN)
def test_a_query_that_is_shown_fits_the_schema(schema: graphql.GraphQLSchema, query: str) -> None:
    assert graphql.validate(schema, graphql.parse(query)) == []


@pytest.mark.parametrize("query", SHOWN)
def test_a_query_that_is_shown_is_not_too_much(query: str) -> None:
    assert excesses(graphql_schema(build_schema()), graphql.parse(query), Limits()) == []
