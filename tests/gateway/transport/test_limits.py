"""What a document amounts to, and that measuring it never takes more than reading it."""

from __future__ import annotations

import pytest
from graphql import DocumentNode, FieldNode, FragmentSpreadNode, GraphQLSchema, InlineFragmentNode, parse
from graphql.language import Visitor, visit

from tieline_gateway.transport.limits import Limits, Meter, Totals, excesses
from tieline_gateway.transport.rows import SATURATED

SMALL = Limits(max_depth=3, max_fields=6, max_aliases=2, max_directives=2, max_cost=30, max_page=20)


class Selections(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def enter(self, node: object, *_: object) -> None:
        self.count += isinstance(node, FieldNode | FragmentSpreadNode | InlineFragmentNode)


def nodes(document: DocumentNode) -> int:
    counter = Selections()
    visit(document, counter)
    return counter.count


def first_totals(schema: GraphQLSchema, text: str) -> Totals:
    return next(totals for _, totals in Meter(schema, parse(text), max_page=200))


@pytest.mark.parametrize(
    ("text", "depth", "fields", "cost"),
    [
        ("{hello}", 1, 1, 1),
        ("{item{parent{name}}}", 3, 3, 3),
        ("{...{...on Query{hello}}}", 1, 1, 1),
        ("{item{...F}} fragment F on Item{parent{...G}} fragment G on Item{name}", 3, 3, 3),
        ("{a:hello ...F ...F} fragment F on Query{hello}", 1, 3, 3),
        ("{item{pages(first:7){name}}}", 3, 3, 2 + 7),
        ("{item{children{name}}}", 3, 3, 2 + 10),
        ("query($n:Int!){item{pages(first:$n){name}}}", 3, 3, 2 + 200),
        ("query($n:Int!=1){item{pages(first:$n){name}}}", 3, 3, 2 + 200),
        ("{item{children(first:null){name}}}", 3, 3, 2 + 200),
        ("{item{children(first:-5){name}}}", 3, 3, 3),
        ("{item{pages(first:3){pages(first:4){name parent{name}}}}}", 5, 6, 2 + 3 + 12 * 3),
        ("{item{pages(first:3){...F}}} fragment F on Item{pages(first:4){name}}", 4, 4, 2 + 3 + 12),
        ("{item{pages(first:3){...{...F}}}} fragment F on Item{name}", 3, 3, 2 + 3),
        ("{__schema{types{name}}}", 3, 3, 3),
        ("{nothing{like{this}}}", 3, 3, 3),
        ("{item{...Missing}}", 1, 1, 1),
    ],
)
def test_depth_fields_and_cost_of_a_document(
    schema: GraphQLSchema, text: str, depth: int, fields: int, cost: int
) -> None:
    totals = first_totals(schema, text)

    assert (totals.depth, totals.fields, totals.cost) == (depth, fields, cost)


def test_aliases_and_directives_count_wherever_a_fragment_is_spread(schema: GraphQLSchema) -> None:
    totals = first_totals(
        schema,
        "query($n:Int @deprecated) @skip(if:false){...F ...F @include(if:true)}"
        "fragment F on Query @skip(if:false){a:hello b:hello @skip(if:false) ...@skip(if:false){c:hello}}",
    )

    assert totals.aliases == 6
    assert totals.directives == 2 + 1 + 2 * 3


@pytest.mark.parametrize(
    ("fits", "breaks", "code", "bound", "limit", "found"),
    [
        ("{item{parent{name}}}", "{item{parent{parent{name}}}}", "QUERY_TOO_DEEP", "depth", 3, 4),
        (
            "{item{...F}} fragment F on Item{parent{name}}",
            "{item{...F}} fragment F on Item{parent{...G}} fragment G on Item{parent{name}}",
            "QUERY_TOO_DEEP",
            "depth",
            3,
            4,
        ),
        ("{" + "hello " * 6 + "}", "{" + "hello " * 7 + "}", "QUERY_TOO_LARGE", "fields", 6, 7),
        (
            "{...F ...F} fragment F on Query{hello hello hello}",
            "{...F ...F ...F} fragment F on Query{hello hello hello}",
            "QUERY_TOO_LARGE",
            "fields",
            6,
            9,
        ),
        ("{a:hello b:hello}", "{a:hello b:hello c:hello}", "QUERY_TOO_LARGE", "aliases", 2, 3),
        (
            "{hello @skip(if:false) @include(if:true)}",
            "{hello @skip(if:false) @include(if:true) ...@skip(if:false){hello}}",
            "QUERY_TOO_LARGE",
            "directives",
            2,
            3,
        ),
        (
            "{item{pages(first:28){name}}}",
            "{item{pages(first:29){name}}}",
            "QUERY_TOO_COSTLY",
            "cost",
            30,
            31,
        ),
        (
            "query($n:Int!){item{pages(first:$n){name}}}",
            "query($n:Int!){item{pages(first:$n){name name}}}",
            "QUERY_TOO_COSTLY",
            "cost",
            30,
            42,
        ),
    ],
)
def test_a_document_at_the_limit_fits_and_one_step_more_is_told_so(
    schema: GraphQLSchema, fits: str, breaks: str, code: str, bound: str, limit: int, found: int
) -> None:
    assert excesses(schema, parse(fits), SMALL) == []

    (error,) = excesses(schema, parse(breaks), SMALL)

    assert error.extensions == {"code": code, "bound": bound, "limit": limit, "found": found}
    assert f"{found}" in error.message
    assert f"the limit is {limit}." in error.message


def test_each_broken_bound_is_one_error(schema: GraphQLSchema) -> None:
    text = "{a:item{b:pages(first:99){c:parent{d:name}}} hello hello hello}"

    errors = excesses(schema, parse(text), SMALL)

    assert [error.extensions["bound"] for error in errors if error.extensions] == [
        "depth",
        "fields",
        "aliases",
        "cost",
    ]


def test_every_operation_is_held_to_the_limits_by_itself_and_so_is_an_unused_fragment(
    schema: GraphQLSchema,
) -> None:
    two = "query A{" + "hello " * 6 + "} query B{" + "hello " * 6 + "}"
    unused = "{hello} fragment F on Query{" + "hello " * 7 + "}"

    assert excesses(schema, parse(two), SMALL) == []
    assert len(excesses(schema, parse(unused), SMALL)) == 1


def doubling(levels: int) -> str:
    chain = "".join(f"fragment F{n} on Query{{...F{n + 1} ...F{n + 1}}}" for n in range(levels))
    return f"{{...F0}} {chain} fragment F{levels} on Query{{a:hello @skip(if:false)}}"


def nested(levels: int) -> str:
    chain = "".join(f"fragment F{n} on Item{{pages(first:200){{...F{n + 1}}}}}" for n in range(levels))
    return f"{{item{{...F0}}}} {chain} fragment F{levels} on Item{{name}}"


def all_pairs(fragments: int) -> str:
    bodies = [
        f"fragment F{n} on Query{{hello " + "".join(f"...F{m} " for m in range(n)) + "}"
        for n in range(fragments)
    ]
    return f"{{...F{fragments - 1}}} {' '.join(bodies)}"


@pytest.mark.parametrize("text", [doubling(200), nested(200), all_pairs(60)])
def test_measuring_visits_each_selection_a_few_times_at_most_whatever_it_expands_to(
    schema: GraphQLSchema, text: str
) -> None:
    document = parse(text)

    meter = Meter(schema, document, max_page=200)

    assert meter.visited <= 3 * nodes(document)
    assert excesses(schema, document, Limits())


def test_counting_stops_at_a_ceiling(schema: GraphQLSchema) -> None:
    doubled = first_totals(schema, doubling(200))
    huge = first_totals(schema, "{item{pages(first:" + "9" * 5_000 + "){name}}}")

    assert (doubled.fields, doubled.aliases, doubled.directives) == (SATURATED, SATURATED, SATURATED)
    assert huge.cost == SATURATED
    assert first_totals(schema, nested(200)).cost == SATURATED


@pytest.mark.parametrize(
    "text",
    [
        "{...F} fragment F on Query{hello ...F}",
        "{...F} fragment F on Query{hello ...G} fragment G on Query{...H ...F} fragment H on Query{...G}",
        "{...F0}" + "".join(f"fragment F{n} on Query{{hello ...F{(n + 1) % 150}}}" for n in range(150)),
    ],
)
def test_cycles_of_fragments_end(schema: GraphQLSchema, text: str) -> None:
    document = parse(text)

    meter = Meter(schema, document, max_page=200)

    assert meter.visited <= 3 * nodes(document)


def test_fields_nested_as_deep_as_the_parser_allows_are_measured_without_recursion(
    schema: GraphQLSchema,
) -> None:
    text = "{item" + "{parent" * 190 + "{name}" + "}" * 191

    (error, *_) = excesses(schema, parse(text), Limits())

    assert error.extensions == {"code": "QUERY_TOO_DEEP", "bound": "depth", "limit": 12, "found": 192}
