"""Our own source, read as text and as syntax, for the rules of the house."""

from __future__ import annotations

import ast
import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
_MEMBERS = ("core", "gateway", "plugins", "sandbox", "benchmarks")
_SQL = re.compile(
    r"^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|TRUNCATE|WITH)\s"
    r"|\bSELECT\b.*\bFROM\b|\bINSERT INTO\b|\bDELETE FROM\b|\bUPDATE\b.*\bSET\b",
    re.DOTALL,
)
# The ORM's ways to the database from a model, and from a row that is in hand.
_OF_MODELS = frozenset(
    {"all", "annotate", "bulk_create", "bulk_update", "create", "exclude", "exists", "filter", "first"}
)
_OF_MODELS |= {
    "get",
    "get_or_create",
    "get_or_none",
    "in_bulk",
    "raw",
    "select_for_update",
    "update_or_create",
}
_OF_ROWS = frozenset({"save", "refresh_from_db", "fetch_related"})


@dataclass(frozen=True, kw_only=True)
class Module:
    """One file of ours; `name` is its path from the root, as the committed lists write it."""

    name: str
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def strings(self) -> Iterator[ast.Constant]:
        """String literals, the constant parts of f-strings too, without docstrings."""
        said = {id(docstring) for docstring in _docstrings(self.tree)}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
                yield node

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Each call with the dotted name of what is called, as it is written."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield node, ast.unparse(node.func)

    def sql(self) -> list[int]:
        """The lines that hold SQL, whether as text or as a query of the ORM's."""
        return sorted({*self._written(), *self._queried()})

    def _written(self) -> Iterator[int]:
        for node in self.strings():
            if _SQL.search(str(node.value)):
                yield node.lineno

    def _queried(self) -> Iterator[int]:
        for node, called in self.calls():
            owner, _, method = called.rpartition(".")
            if method in _OF_ROWS or (method in _OF_MODELS and re.match(r"\w+Row\b", owner)):
                yield node.lineno


@cache
def packages() -> tuple[Module, ...]:
    """What ships: every module of the members."""
    return under(*_MEMBERS)


@cache
def everything() -> tuple[Module, ...]:
    """What ships and its tests."""
    return (*packages(), *under("tests"))


def under(*folders: str) -> tuple[Module, ...]:
    """Their modules, named from the root."""
    with _nothing_collected():
        return tuple(_read(path) for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))


def forget() -> None:
    """Let go of all modules, so that no later collection of garbage looks through their trees."""
    everything.cache_clear()
    packages.cache_clear()


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many lines a function's body has, from its first statement to its last, its docstring left out."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def _read(path: Path) -> Module:
    text = path.read_text()
    return Module(name=path.relative_to(ROOT).as_posix(), text=text, tree=ast.parse(text))


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Trees are no garbage: looking for some again and again while they are made takes four times as long."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _docstrings(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                yield first.value
