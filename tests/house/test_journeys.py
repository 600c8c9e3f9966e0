"""The table in CONTRIBUTING of which journey stands for which row names journeys that are one: worker and answers."""

from __future__ import annotations

import ast
import re

from tests.support.source import ROOT

_ROW = re.compile(r"^\| (?P<row>[^|]+) \| `(?P<file>test_\w+\.py)::(?P<test>test_\w+)` \|$", re.MULTILINE)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
ROWS = [*(f"M{number}" for number in range(1, 18)), "M26", "delete"]


def test_each_row_has_its_journey_with_a_worker() -> None:
    table = list(_ROW.finditer((ROOT / "CONTRIBUTING.md").read_text()))

    named = {row for each in table for row in re.findall(r"M\d+|delete", each["row"])}
    lacking = {f"{each['file']}::{each['test']}": missing_of(each["file"], each["test"]) for each in table}

    assert sorted(named) == sorted(ROWS)
    assert {test: missing for test, missing in lacking.items() if missing} == {}


def missing_of(file: str, test: str) -> set[str]:
    """What a journey has that this test has not: a worker beside it, something it waits for, and a look at that."""
    tree = ast.parse((ROOT / "tests/journeys" / file).read_text())
    made: dict[str, ast.stmt] = {each.name: each for each in tree.body if isinstance(each, _FUNCTIONS)}
    for each in tree.body:
        if isinstance(each, ast.Assign):
            made |= {target.id: each for target in each.targets if isinstance(target, ast.Name)}
    beside = [node for name in reached(made, test) for node in ast.walk(made[name])]
    own = [type(node) for node in ast.walk(made[test])] if test in made else []
    has = {
        "a worker": any(isinstance(node, ast.Constant) and node.value == "worker" for node in beside),
        "what it waits for": ast.Await in own,
        "what is asserted": ast.Assert in own,
    }
    return {what for what, there in has.items() if not there}


def reached(made: dict[str, ast.stmt], name: str) -> set[str]:
    """The file's own functions, fixtures and constants that this one comes to, itself among them."""
    found, ahead = set[str](), [name]
    while ahead:
        one = ahead.pop()
        if one in found or one not in made:
            continue
        found.add(one)
        nodes = list(ast.walk(made[one]))
        ahead += [node.id for node in nodes if isinstance(node, ast.Name)]
        ahead += [node.arg for node in nodes if isinstance(node, ast.arg)]
    return found
