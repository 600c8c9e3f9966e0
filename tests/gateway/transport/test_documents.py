"""Documents are read once, the limits come before the costly rules, and nothing valid is refused."""

from __future__ import annotations

import pytest
from graphql import GraphQLSchema, ValidationRule, get_introspection_query, parse

from tieline_gateway.transport import rules
from tieline_gateway.transport.documents import (
    MAX_KEPT,
    MAX_KEPT_CHARS,
    MAX_KEPT_TOGETHER,
    Documents,
    choose,
)
from tieline_gateway.transport.errors import RequestRefused
from tieline_gateway.transport.limits import Limits


def codes(refused: pytest.ExceptionInfo[RequestRefused]) -> set[str]:
    return {error["extensions"]["code"] for error in refused.value.errors}


def test_the_same_text_is_read_once(schema: GraphQLSchema) -> None:
    documents = Documents(schema, Limits(), development=False)

    first = documents.read("{hello}")
    again = documents.read("{hello}")

    assert again is first


def test_the_least_recently_used_document_leaves_a_full_cache(schema: GraphQLSchema) -> None:
    documents = Documents(schema, Limits(), development=False)
    oldest = documents.read("{hello}")
    second = documents.read("{item{name}}")
    documents.read("{hello}")

    for number in range(MAX_KEPT - 1):
        documents.read(f"query Q{number} {{hello}}")

    assert len(documents) == MAX_KEPT
    assert documents.read("{hello}") is oldest
    assert documents.read("{item{name}}") is not second


def test_kept_documents_hold_so_many_characters_together(schema: GraphQLSchema) -> None:
    documents = Documents(schema, Limits(), development=False)
    size = MAX_KEPT_TOGETHER // 20

    for number in range(25):
        documents.read(f"query Q{number} {{hello}}".ljust(size))

    assert len(documents) == 20


def test_who_brings_many_documents_drives_out_its_own_and_nobody_elses(schema: GraphQLSchema) -> None:
    documents = Documents(schema, Limits(), development=False)
    of_others = [f"query Q{number} {{hello}}" for number in range(20)]
    for text in of_others:
        documents.read(text, "others")

    for number in range(40):
        documents.read(f"query L{number} {{hello}}".ljust(MAX_KEPT_CHARS), "one with many")
    for number in range(2 * MAX_KEPT):
        documents.read(f"query S{number} {{hello}}", "one with many")

    assert [text for text in of_others if not documents.knows(text)] == []


def test_a_kept_document_holds_places_and_none_of_the_words(schema: GraphQLSchema) -> None:
    documents = Documents(schema, Limits(), development=False)

    text = "query Q {\n  item { name @skip(if: false) }\n}"

    (operation,) = documents.read(text).document.definitions

    assert operation.loc is not None
    assert (operation.loc.start, operation.loc.end) == (0, len(text))
    assert operation.loc.start_token.next is None


def test_long_documents_and_refused_ones_are_not_kept(schema: GraphQLSchema) -> None:
    documents = Documents(schema, Limits(), development=False)
    long = "{hello}" + " " * MAX_KEPT_CHARS

    documents.read(long)
    for refused in ("{", "{nothing}"):
        with pytest.raises(RequestRefused):
            documents.read(refused)

    assert len(documents) == 0


class Exploding(ValidationRule):
    def enter_field(self, *_: object) -> None:
        raise AssertionError("a standard rule ran")


def test_what_breaks_the_limits_never_reaches_the_standard_rules(
    schema: GraphQLSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "specified_rules", (Exploding,))
    documents = Documents(schema, Limits(max_depth=1), development=True)

    with pytest.raises(RequestRefused) as refused:
        documents.read("{item" + "{parent" * 30 + "{name}" + "}" * 31)

    assert codes(refused) == {"QUERY_TOO_DEEP"}
    with pytest.raises(AssertionError):
        documents.read("{hello}")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ('{hello(name:"\\u0000")}', "GRAPHQL_PARSE_FAILED"),
        ('{hello(name:"\\u{0}")}', "GRAPHQL_PARSE_FAILED"),
        ('{hello(name:"\\ud800")}', "GRAPHQL_PARSE_FAILED"),
        ('{hello(name:"' + "x" * 100_000 + '" "Parsing aborted.")}', "GRAPHQL_PARSE_FAILED"),
        ("{nothing}", "GRAPHQL_VALIDATION_FAILED"),
        ("{__schema{types{name}}}", "GRAPHQL_VALIDATION_FAILED"),
        ('{__type(name:"Query"){name}}', "GRAPHQL_VALIDATION_FAILED"),
        ("{...F} fragment F on Query{hello ...F}", "GRAPHQL_VALIDATION_FAILED"),
        ("type Query{hello:String}", "GRAPHQL_VALIDATION_FAILED"),
        ("{a}" * 20, "GRAPHQL_VALIDATION_FAILED"),
        ("{" + " ".join(f"field{n}" for n in range(240)) + "}", "GRAPHQL_VALIDATION_FAILED"),
        ("{item" + "{parent" * 500 + "}" * 500 + "}", "QUERY_TOO_DEEP"),
        ("{echo(value:" + "[" * 500 + "]" * 500 + ")}", "QUERY_TOO_DEEP"),
        ("{" + "hello " * 1_999 + "}", "QUERY_TOO_LARGE"),
        ("{" + "#\n" * 2_001 + "hello}", "QUERY_TOO_LARGE"),
    ],
)
def test_a_refused_document_says_why_in_a_few_short_errors(
    schema: GraphQLSchema, text: str, code: str
) -> None:
    documents = Documents(schema, Limits(), development=False)

    with pytest.raises(RequestRefused) as refused:
        documents.read(text)

    assert codes(refused) == {code}
    assert len(refused.value.errors) <= 21
    assert all(len(error["message"]) <= 500 for error in refused.value.errors)


def test_the_last_token_that_is_allowed_is_allowed(schema: GraphQLSchema) -> None:
    documents = Documents(schema, Limits(max_tokens=20), development=False)

    documents.read("{" + "hello " * 18 + "}")
    with pytest.raises(RequestRefused) as refused:
        documents.read("{" + "hello " * 19 + "}")

    assert codes(refused) == {"QUERY_TOO_LARGE"}


@pytest.mark.parametrize(
    "text",
    [
        "{hello}",
        'query Hello($name:String="you"){hello(name:$name)}',
        "mutation {write(seconds:0)}",
        "subscription {count(to:3)}",
        "{item{...Names ...on Item{children(first:3){...Names __typename}}}} fragment Names on Item{name}",
        "query A{hello} query B{item{name}}",
        '{echo(value:{a:[1,2.5,true,null,"x",ENUM]})}',
        '"""What it does."""\nquery Q{hello @include(if:true)} # and a comment',
        "{hello hello item{name} item{name}}",
    ],
)
def test_valid_documents_are_read(schema: GraphQLSchema, text: str) -> None:
    documents = Documents(schema, Limits(), development=False)

    assert documents.read(text) is documents.read(text)


@pytest.mark.parametrize("everything", [False, True])
def test_the_introspection_query_of_tools_is_valid_in_development(
    schema: GraphQLSchema, *, everything: bool
) -> None:
    text = get_introspection_query(
        specified_by_url=everything,
        directive_is_repeatable=everything,
        schema_description=everything,
        input_value_deprecation=everything,
    )

    assert Documents(schema, Limits(), development=True).read(text).costs


def test_suggestions_are_for_development(schema: GraphQLSchema) -> None:
    texts = ["{helo}", "{hello(nam:1)}", "{...on Itm{name}}", "{...on Query{itm{name}}}"]

    for development in (False, True):
        documents = Documents(schema, Limits(), development=development)
        for text in texts:
            with pytest.raises(RequestRefused) as refused:
                documents.read(text)
            assert any("Did you mean" in error["message"] for error in refused.value.errors) is development


@pytest.mark.parametrize(
    ("text", "name", "chosen"),
    [
        ("{hello}", None, None),
        ("query A{hello} query B{hello}", "B", "B"),
        ("query A{hello}", None, "A"),
        ("query A{hello}", "A", "A"),
    ],
)
def test_the_operation_meant_is_chosen(text: str, name: str | None, chosen: str | None) -> None:
    operation = choose(parse(text), name)

    assert (operation.name.value if operation.name else None) == chosen


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{hello}", "A"),
        ("query A{hello}", ""),
        ("query A{hello} query B{hello}", None),
        ("fragment F on Query{hello}", None),
    ],
)
def test_an_operation_that_is_not_clear_is_refused(text: str, name: str | None) -> None:
    with pytest.raises(RequestRefused) as refused:
        choose(parse(text), name)

    assert codes(refused) == {"OPERATION_RESOLUTION_FAILURE"}
