"""Reading a document keeps nobody else waiting, whatever it says: its work is counted, and never timed."""

from __future__ import annotations

import gc
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import pytest
from graphql import (
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
    is_required_argument,
    parse,
)

from tieline_gateway.graphql.schema import build_schema
from tieline_gateway.transport.documents import Documents, graphql_schema
from tieline_gateway.transport.errors import RequestRefused
from tieline_gateway.transport.limits import Limits, Meter

LONGEST = 10_000
MOST_CALLS = 150_000
"""Functions entered while one document is read: what 10 kB of plain ones need, which is 15 to 20 ms of a free core."""

MOST_LEFT = 4_500
"""Objects that hold each other once a document is read: a few milliseconds of a core, in which nobody has a turn."""

HARDLY_ANY = 400
"""Objects of the rules themselves."""
FIELDS, OF_ONE_FIELD = 65, 2
"""Objects of one that is kept: itself, where it is, and what it shares with others."""


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return graphql_schema(build_schema())


@contextmanager
def counted() -> Iterator[list[int]]:
    """How many functions are entered inside of the block."""
    entered = [0]

    def seen(_frame: FrameType, event: str, _more: object) -> None:
        if event == "call":
            entered[0] += 1

    sys.setprofile(seen)
    try:
        yield entered
    finally:
        sys.setprofile(None)


def calls(schema: GraphQLSchema, text: str) -> tuple[int, set[object]]:
    """The work of reading, and the bounds that the document broke."""
    documents = Documents(schema, Limits(), development=False)
    documents.read("{viewer{role}}")
    broken: set[object] = set()
    with counted() as entered:
        try:
            documents.read(text)
        except RequestRefused as refused:
            broken = {error["extensions"].get("bound") for error in refused.errors}
    return entered[0], broken


def leavings(schema: GraphQLSchema, text: str) -> int:
    """What reading leaves that only a collection of garbage finds, in objects."""
    documents = Documents(schema, Limits(), development=False)
    documents.read("{viewer{role}}")
    gc.collect()
    with suppress(RequestRefused):
        documents.read(text)
    return gc.collect()


def fragments(count: int, on: str, body: str) -> str:
    return "".join(f" fragment F{n} on {on}{{{body.format(next=n + 1)}}}" for n in range(count))


def spread(count: int) -> str:
    return "".join(f"...F{n} " for n in range(count))


def followed(operations: int, count: int, body: str) -> str:
    heads = " ".join(f"query Q{n}($v:Int){{...F0}}" for n in range(operations))
    return (
        heads
        + fragments(count, "Query", body + " ...F{next}")
        + f" fragment F{count} on Query{{viewer{{role}}}}"
    )


COMPARED = {
    "fields of one name": "{viewer{" + "role " * 240 + "}}",
    "fields of one name with others below": "{" + "viewer{role}" * 120 + "}",
    "the same, three levels": "{" + "viewer{practice{id name}}" * 60 + "}",
    "fields of one name that differ": "{" + "".join(f'client(id:"{n}"){{id}} ' for n in range(120)) + "}",
    "selections without a name": "{" + "...{viewer{...{role}}}" * 120 + "}",
    "fragments of one field": f"{{viewer{{{spread(215)}}}}}" + fragments(215, "Viewer", "role"),
    "fragments with others below": f"{{{spread(110)}}}" + fragments(110, "Query", "viewer{{role}}"),
    "fragments that spread the next": "{viewer{...F0}}"
    + fragments(180, "Viewer", "role ...F{next}")
    + " fragment F180 on Viewer{role}",
}
OTHERWISE = {
    "operations": (" ".join(f"query Q{n}{{viewer{{role}}}}" for n in range(150)), "operations"),
    "fragments of each operation": (followed(70, 100, ""), "operations"),
    "variables of each operation": (followed(60, 60, "clients(first:$v){{totalCount}}"), "operations"),
    "variables of as many operations as may be": (
        " ".join(f"query Q{n}($v:ID!){{...F}}" for n in range(20))
        + f" fragment F on Query{{connections(teamIds:[{'$v ' * 450}]){{totalCount}}}}",
        "uses",
    ),
    "fragments of as many operations as may be": (followed(20, 120, "viewer{{role}}"), "comparisons"),
    "fragments 180 deep that double": (
        "{...F0}"
        + fragments(180, "Query", "...F{next} ...F{next}")
        + " fragment F180 on Query{viewer{role}}",
        "fields",
    ),
    "values": ("{connections(teamIds:[" + "1 " * 1_900 + "]){totalCount}}", "values"),
    "values of objects": (
        "mutation{addClients(input:{rows:[" + "{a:1}" * 350 + "]}){errors{code}}}",
        "values",
    ),
    "as many values as may be": (
        "{connections(teamIds:[" + '"0123456789abcdef" ' * 500 + "]){totalCount}}",
        None,
    ),
    "fragments 200 deep": (
        "{...F0}" + fragments(200, "Query", "...F{next}") + " fragment F200 on Query{viewer{role}}",
        None,
    ),
    "fields that are not there": ("{" + " ".join(f"f{n}" for n in range(240)) + "}", None),
    "a value that each error quotes": (
        "mutation{addClients(input:{" + " ".join(f"a:{n}" for n in range(600)) + "}){errors{code}}}",
        None,
    ),
    "an argument often": ("{clients(" + " ".join(f"first:{n}" for n in range(600)) + "){totalCount}}", None),
    "comments": ("#\n" * 1_999 + "{viewer{role}}", None),
}


NO_DOCUMENTS = {
    "no end": "{viewer{" + "role " * 1_900,
    "too many words": "{viewer{" + "role " * 2_000 + "}}",
}


@pytest.mark.parametrize("text", COMPARED.values(), ids=COMPARED.keys())
def test_what_takes_too_many_comparisons_is_refused_before_they_are_made(
    schema: GraphQLSchema, text: str
) -> None:
    assert len(text) <= LONGEST

    work, broken = calls(schema, text)

    assert broken == {"comparisons"}
    assert work <= MOST_CALLS


@pytest.mark.parametrize(("text", "bound"), OTHERWISE.values(), ids=OTHERWISE.keys())
def test_nothing_else_of_a_document_takes_more_work(
    schema: GraphQLSchema, text: str, bound: str | None
) -> None:
    assert len(text) <= LONGEST

    work, broken = calls(schema, text)

    assert bound is None or bound in broken
    assert work <= MOST_CALLS


@pytest.mark.parametrize(
    "text",
    [*COMPARED.values(), *(text for text, _ in OTHERWISE.values()), *NO_DOCUMENTS.values()],
    ids=[*COMPARED.keys(), *OTHERWISE.keys(), *NO_DOCUMENTS.keys()],
)
def test_reading_leaves_little_garbage_to_be_looked_for(schema: GraphQLSchema, text: str) -> None:
    assert leavings(schema, text) <= MOST_LEFT


@pytest.mark.parametrize("what", [what for what in COMPARED if "fragments" not in what])
def test_what_a_refused_document_says_is_gone_with_its_last_user(schema: GraphQLSchema, what: str) -> None:
    assert leavings(schema, COMPARED[what]) <= HARDLY_ANY


def test_a_document_that_is_kept_holds_what_runs_and_what_errors_tell(schema: GraphQLSchema) -> None:
    text = "{viewer{" + "role " * FIELDS + "}}"
    documents = Documents(schema, Limits(), development=False)
    gc.collect()
    before = len(gc.get_objects())

    documents.read(text)

    gc.collect()
    assert len(gc.get_objects()) - before <= FIELDS * OF_ONE_FIELD + HARDLY_ANY // 4


def test_what_people_write_is_far_from_the_bound(schema: GraphQLSchema) -> None:
    """Eight components' fragments in one place, each with all of a client's own fields and the same below."""
    body = "id name practiceCode team{{id name}} createdAt"
    text = f"{{clients(first:1){{nodes{{id name {spread(8)}}}}}}}" + fragments(8, "Client", body)

    _, broken = calls(schema, text)

    assert broken == set()


class Drawing:
    """One document, drawn: what it selects is there mostly, repeats itself, and nests and spreads at will."""

    def __init__(self, schema: GraphQLSchema, chance: random.Random) -> None:
        self._chance = chance
        self._types = [t for t in schema.type_map.values() if isinstance(t, GraphQLObjectType)]
        self._schema = schema
        self._fragments = [chance.choice(self._types) for _ in range(chance.choice((0, 3, 40, 200)))]
        self._width = chance.choice((1, 3, 12, 60))
        self._dull = chance.random()
        self._room = chance.randint(20, 600)

    def text(self) -> str:
        """It has up to 10,000 characters, in whole definitions."""
        query = self._schema.query_type
        assert query is not None
        definitions = [
            f"query Q{n}{self._selected(query, 0)}" for n in range(self._chance.choice((1, 1, 4, 30)))
        ]
        definitions += [
            f"fragment F{n} on {on.name}{self._selected(on, 0)}" for n, on in enumerate(self._fragments)
        ]
        while len(" ".join(definitions)) > LONGEST:
            definitions.pop(self._chance.randrange(len(definitions)))
        return " ".join(definitions)

    def _selected(self, on: GraphQLObjectType, depth: int) -> str:
        count = self._chance.randint(1, self._width if depth < 2 else 2) if self._room > 0 else 1
        self._room -= count
        return "{" + " ".join(self._selection(on, depth) for _ in range(count)) + "}"

    def _selection(self, on: GraphQLObjectType, depth: int) -> str:
        kind = self._chance.random()
        if kind < 0.2 and self._fragments:
            return f"...F{self._chance.randrange(len(self._fragments))}"
        if kind < 0.3 and depth < 6:
            return f"...on {on.name}{self._selected(on, depth + 1)}"
        names = sorted(on.fields)
        name: str = names[0] if self._chance.random() < self._dull else self._chance.choice(names)
        field = on.fields[name]
        needed = [f"{key}:null" for key, argument in field.args.items() if is_required_argument(argument)]
        return name + (f"({' '.join(needed)})" if needed else "") + self._below(field.type, depth)

    def _below(self, kind: GraphQLOutputType, depth: int) -> str:
        named = get_named_type(kind)
        if not is_composite_type(named):
            return ""
        if depth < 8 and self._room > 0 and isinstance(named, GraphQLObjectType):
            return self._selected(named, depth + 1)
        return "{__typename}"


@pytest.mark.parametrize("seed", range(3))
def test_no_drawn_document_takes_more_work_to_read_or_more_visits_to_measure(
    schema: GraphQLSchema, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same documents each time

    for _ in range(20):
        text = Drawing(schema, chance).text()
        work, _ = calls(schema, text)
        visited = Meter(schema, parse(text), max_page=200).visited

        assert work <= MOST_CALLS, text
        assert visited <= len(text), text
