"""What answers to the rows of an input is judged by how many there may be, and charged by how many there are."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLError, GraphQLList, GraphQLNonNull, GraphQLObjectType, parse

from tieline_gateway.graphql.schema import build_schema
from tieline_gateway.transport.documents import Documents, choose, graphql_schema
from tieline_gateway.transport.errors import RequestRefused
from tieline_gateway.transport.limits import Limits, excesses
from tieline_gateway.transport.rows import declared_of

BULK = "mutation($input: BulkConnectInput!) { bulkConnect(input: $input) { outcomes { code } } }"
ROW = '{clientId: "c", organisationId: "o"}'
TWO = f"""mutation {{ bulkConnect(input: {{signInId: "s", product: BOOKKEEPING, rows: [{ROW}, {ROW}]}}) {{
  outcomes {{ code clientId }} }} }}"""
LEFT_OPEN = """mutation($rows: [BulkConnectRow!]!) {
  bulkConnect(input: {signInId: "s", product: BOOKKEEPING, rows: $rows}) { outcomes { code } } }"""
SPREAD = """mutation($input: BulkConnectInput!) { bulkConnect(input: $input) { ...Told } }
  fragment Told on BulkConnectPayload { outcomes { code } }"""
INLINE = (
    """mutation($input: BulkConnectInput!) { bulkConnect(input: $input) { ... { outcomes { code } } } }"""
)
REASSIGN = (
    '{ reassignPreview(input: {signInId: "s", connectionIds: ["a", "b", "c"]}) { outcomes { code note } } }'
)
MENDING = '{ reconnectAllPreview(input: {signInId: "s"}) { outcomes { code } remaining } }'
SHARING = '{ disconnectPreview(input: {connectionId: "c"}) { sharing { clients { name } total } } }'
CODES = "mutation($input: SetPracticeCodesInput!) { setPracticeCodes(input: $input) { outcomes { code } } }"
SHEET = """query($input: PracticeCodesInput!) { practiceCodesPreview(input: $input) {
  matched { line by } unmatched { line } wrong { line } } }"""
ENDED = 'mutation { revokeApiKey(input: {id: "k"}) { alsoRevoked { id name } alsoRevokedCount } }'
LEFT = 'mutation { deactivatePerson(input: {personId: "p"}) { revokedKeys { id } keysToReplace { id } } }'
LITERAL = '{ practiceCodesPreview(input: {csv: "Name,Code\\nOne,1\\nTwo,2"}) { unmatched { line } } }'


def cost(document: str) -> int:
    """What it costs, as the refusal of the least budget tells."""
    [error] = excesses(graphql_schema(build_schema()), parse(document), Limits(max_cost=0))
    return int(told(error)["found"])


def told(error: GraphQLError) -> dict[str, int]:
    assert error.extensions is not None
    return error.extensions


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(TWO, 2 + 2 * 2, id="as-many-as-the-document-shows"),
        pytest.param(BULK, 2 + 1_000, id="the-most-where-a-variable-holds-them"),
        pytest.param(LEFT_OPEN, 2 + 1_000, id="the-most-where-a-variable-holds-a-part"),
        pytest.param(SPREAD, 2 + 1_000, id="the-most-in-a-fragment"),
        pytest.param(INLINE, 2 + 1_000, id="the-same-in-an-inline-fragment"),
        pytest.param(REASSIGN, 2 + 3 * 2, id="as-many-as-there-are-ids"),
        pytest.param(MENDING, 3 + 1_000, id="the-most-where-no-input-says"),
        pytest.param(SHARING, 4 + 50, id="as-many-names-as-are-shown"),
        pytest.param(CODES, 2 + 5_000, id="as-many-as-codes-may-be"),
        pytest.param(SHEET, 4 + 2 * 5_000 + 2, id="lines-stand-in-one-list-each"),
        pytest.param(ENDED, 3 + 1_000 * 2, id="the-most-of-what-ends-with-a-key"),
        pytest.param(LEFT, 3 + 1_000 + 101, id="the-most-of-what-ends-with-a-person"),
        pytest.param(LITERAL, 2 + 3, id="as-many-as-there-are-lines"),
    ],
)
def test_a_list_that_answers_to_an_input_costs_its_rows(document: str, expected: int) -> None:
    assert cost(document) == expected


GIVEN = {"clientId": "c", "organisationId": "o"}
CSV = {"csv": "Name,Code\nOne,1\nTwo,2"}
PAGE = "query($first: Int = 20) { clients(first: $first) { nodes { name } } }"


def bulk(rows: int) -> dict[str, Any]:
    return {"input": {"signInId": "s", "product": "BOOKKEEPING", "rows": [GIVEN] * rows}}


@pytest.mark.parametrize(
    ("document", "variables", "expected"),
    [
        pytest.param(BULK, bulk(1), 2 + 1, id="one-row"),
        pytest.param(BULK, bulk(300), 2 + 300, id="many-rows"),
        pytest.param(BULK, bulk(0), 2 + 1, id="no-row"),
        pytest.param(BULK, bulk(1_500), 2 + 1_000, id="never-more-than-it-was-judged-by"),
        pytest.param(LEFT_OPEN, {"rows": [GIVEN] * 3}, 2 + 3, id="a-part-in-a-variable"),
        pytest.param(LEFT_OPEN, {"rows": GIVEN}, 2 + 1, id="a-single-row-that-is-no-list"),
        pytest.param(SPREAD, bulk(1), 2 + 1_000, id="the-most-in-a-fragment"),
        pytest.param(SHEET, {"input": CSV}, 4 + 2 * 3 + 2, id="as-many-as-there-are-lines"),
        pytest.param(PAGE, {"first": 7}, 1 + 2 * 7, id="the-page-asked-for"),
        pytest.param(PAGE, {}, 1 + 2 * 20, id="the-page-when-not-said"),
        pytest.param(PAGE, {"first": 10**9}, 1 + 2 * 200, id="no-page-is-larger"),
    ],
)
def test_rows_in_a_variable_are_charged_as_many_as_there_are(
    document: str, variables: dict[str, Any], expected: int
) -> None:
    documents = Documents(graphql_schema(build_schema()), Limits(), development=False)
    read = documents.read(document)
    operation = choose(read.document, None)

    assert documents.cost(read, operation, documents.check(operation, variables).coerced) == expected


def test_a_selection_that_is_too_much_for_all_rows_is_refused_before_it_runs() -> None:
    documents = Documents(graphql_schema(build_schema()), Limits(), development=False)
    deeper = "connection { client { connections { id product statuses reason explanation remedy } } } " * 8
    costly = BULK.replace("{ code }", f"{{ code {deeper} }}")

    documents.read(BULK)
    with pytest.raises(RequestRefused) as refused:
        documents.read(costly)

    [error] = refused.value.errors
    assert error["extensions"]["code"] == "QUERY_TOO_COSTLY"


def test_to_begin_a_sign_in_costs_as_much_as_a_large_page() -> None:
    begin = "mutation {{ {}(input: {{}}) {{ errors {{ code }} }} }}"

    assert [cost(begin.format(name)) for name in ("startSignIn", "continueSignIn", "acceptInvitation")] == [
        5_002
    ] * 3
    assert cost(begin.format("createClient")) == 3


def test_every_list_of_rows_beneath_an_input_says_how_many_there_may_be() -> None:
    schema = graphql_schema(build_schema())
    silent = [
        f"{payload.name}.{name}"
        for root in (schema.query_type, schema.mutation_type)
        if root is not None
        for field in root.fields.values()
        if "input" in field.args and isinstance(payload := bare(field.type), GraphQLObjectType)
        for name, part in payload.fields.items()
        if is_list(part.type) and name != "errors" and declared_of(part) is None
    ]

    # A client has as many connections as there are products.
    assert silent == ["DisconnectPreview.otherProducts"]


def bare(type_: object) -> object:
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_


def is_list(type_: object) -> bool:
    return isinstance(bare(type_), GraphQLList)
