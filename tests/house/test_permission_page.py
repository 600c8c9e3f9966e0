"""The page of permissions says of every query, mutation and subscription, and of everybody, what the code says."""

from __future__ import annotations

import os
import re
from difflib import unified_diff

import graphql

from tests.support.permission_cases import TRIES
from tests.support.permission_page import PAGE, columns, printed
from tieline.permissions import CELLS, RULES, WHO, Cell, Who
from tieline_gateway.graphql.schema import print_schema

_REFRESH = "TIELINE_REFRESH_PERMISSIONS"


def operations() -> set[str]:
    """Of the schema, such as `Query.clients`."""
    schema = graphql.build_schema(print_schema())
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    return {f"{root.name}.{field}" for root in roots if root is not None for field in root.fields}


def test_every_operation_of_the_schema_has_its_rule_and_every_rule_its_operation() -> None:
    missing, stale = sorted(operations() - set(RULES)), sorted(set(RULES) - operations())

    assert not missing, (
        f"Say in RULES (core/tieline/permissions/operations.py) who may ask {', '.join(missing)}."
    )
    assert not stale, f"RULES speaks of what the schema no longer has: {', '.join(stale)}."


def test_every_rule_is_tried_by_a_document_that_fits_the_schema() -> None:
    schema = graphql.build_schema(print_schema())

    missing = sorted(set(RULES) - set(TRIES))
    misfits = {
        operation: errors[0].message
        for operation, tried in TRIES.items()
        if (errors := graphql.validate(schema, graphql.parse(tried.document)))
    }

    assert not missing, f"Say in TRIES (tests/support/permission_cases.py) how to try {', '.join(missing)}."
    assert misfits == {}
    assert set(TRIES) == set(RULES)


def test_a_document_tries_the_operation_that_it_stands_for() -> None:
    schema = graphql.build_schema(print_schema())
    roots = {
        "query": schema.query_type,
        "mutation": schema.mutation_type,
        "subscription": schema.subscription_type,
    }

    for operation, tried in TRIES.items():
        (definition,) = graphql.parse(tried.document).definitions
        assert isinstance(definition, graphql.OperationDefinitionNode)
        (field,) = definition.selection_set.selections
        assert isinstance(field, graphql.FieldNode)
        root = roots[definition.operation.value]
        assert root is not None
        assert f"{root.name}.{field.name.value}" == operation


def test_the_page_of_permissions_is_what_the_rules_come_to() -> None:
    if os.environ.get(_REFRESH):
        PAGE.write_text(printed(PAGE.read_text()))

    page = PAGE.read_text()

    change = "\n".join(unified_diff(page.splitlines(), printed(page).splitlines(), "page", "code", "", "", 1))
    assert not change, (
        f"docs/{PAGE.name} says something else than the code. If that is meant, refresh it with\n"
        f"  {_REFRESH}=1 make test ARGS=tests/house/test_permission_page.py\nand commit it.\n\n{change}"
    )


def test_the_page_names_each_operation_once_and_everybody_and_each_kind_of_cell() -> None:
    page = PAGE.read_text()
    first = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    bold = set(re.findall(r"^\| \*\*([\w ]+)\*\* \|", page, re.MULTILINE))

    assert sorted(first) == sorted(operation.partition(".")[2] for operation in RULES)
    assert bold == {*Who, *Cell}
    assert set(WHO) == set(Who)
    assert set(CELLS) == set(Cell)


def test_who_shares_a_column_asks_for_nothing_that_tells_them_apart() -> None:
    assert [Who.MEMBER, Who.PUBLISHER, Who.RULE_MAKER] in columns()
