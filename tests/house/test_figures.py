"""The page of figures has the rows that the stories count, no others, and those of one story together."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from tests.support.figures import PAGE
from tests.support.source import Module, under

_COUNTS = re.compile(r"figures\.(exactly|at_most|at_least|timed|share)")
_TABLE = re.compile(r"^\| figure \| bound \| seen \|\n\|[-|]+\|\n((?:\|.+\n)+)", re.MULTILINE)
_INVENTED = "tests/proofs/test_counting.py"
"""Its figures are of no story: it looks at how figures are counted."""
_ANYTHING = "\0"


@dataclass(frozen=True)
class Told:
    """What a story in the file `story` says of a figure; what only a run knows of it is `_ANYTHING`."""

    story: str
    words: str

    def is_of(self, row: str) -> bool:
        return re.fullmatch(re.escape(self.words).replace(re.escape(_ANYTHING), ".+"), row) is not None


def test_every_row_of_the_page_is_counted_by_a_story() -> None:
    stale = [row for row in rows() if not any(told.is_of(row) for told in figures())]

    assert stale == []


def test_every_figure_of_a_story_has_a_row() -> None:
    missing = [told for told in figures() if not any(told.is_of(row) for row in rows())]

    assert missing == []


def test_rows_of_one_story_stand_together() -> None:
    begun = [story for story, _ in groupby(rows(), key=story_of)]

    assert begun == list(dict.fromkeys(begun))


def rows() -> list[str]:
    tables = _TABLE.findall(PAGE.read_text(encoding="utf-8"))
    return [row.split("|")[1].strip() for table in tables for row in table.splitlines()]


def story_of(row: str) -> str:
    """The one that says most of it."""
    ours = [told for told in figures() if told.is_of(row)]
    return max(ours, key=lambda told: len(told.words), default=Told("none", "")).story


@cache
def figures() -> list[Told]:
    return [
        Told(module.name, words)
        for module in under("tests/proofs", "tests/chaos")
        if module.name != _INVENTED
        for called, name in module.calls()
        if _COUNTS.fullmatch(name)
        for words in said(called.args[0], module)
    ]


def said(what: ast.expr, module: Module) -> Iterator[str]:
    """Each text that this may be: names stand for what the module gives them, wherever that is."""
    match what:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else _filled(part, module) for part in parts
            )
        case ast.Name(id=name):
            for given in _given(name, module):
                yield from said(given, module)


def _filled(part: ast.expr, module: Module) -> str:
    """The module's own constants are known before a run."""
    assert isinstance(part, ast.FormattedValue)
    named = part.value.id if isinstance(part.value, ast.Name) and part.value.id.isupper() else ""
    known = [each.value for each in _given(named, module) if isinstance(each, ast.Constant)]
    return str(known[0]) if known else _ANYTHING


def _given(name: str, module: Module) -> Iterator[ast.expr]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Assign):
            yield from (
                value for target, value in _pairs(node) if isinstance(target, ast.Name) and target.id == name
            )


def _pairs(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    [target] = node.targets
    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
        yield from zip(target.elts, node.value.elts, strict=True)
    else:
        yield target, node.value
