"""docs/permissions.md as the code has it: what stands between its marks is printed from `tieline.permissions`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tieline.permissions import CELLS, RULES, WHO, Cell, Rule, Who, cell

PAGE = Path(__file__).parents[2] / "docs" / "permissions.md"
_MARKED = re.compile(r"(<!-- printed: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_KINDS = {"Query": "query", "Subscription": "subscription", "Mutation": "mutation"}


def printed(page: str) -> str:
    """The page with what is printed as it ought to be."""
    return _MARKED.sub(lambda found: f"{found[1]}\n{_part(found[2])}\n{found[3]}", page)


def _part(name: str) -> str:
    if name == "cells":
        return table(["cell", "what it means"], [[f"**{each}**", CELLS[each]] for each in Cell])
    if name == "askers":
        return table(
            ["column", "who it is"], [[f"**{each}**", WHO[each]] for group in columns() for each in group]
        )
    if name == "strangers":
        return _strangers()
    return _matrix(name)


def columns() -> list[list[Who]]:
    """Everybody who is of the practice; for whom all is the same, share one."""
    groups: dict[tuple[Cell, ...], list[Who]] = {}
    for who in Who:
        if not _is_stranger(who):
            groups.setdefault(tuple(cell(rule, who) for rule in RULES.values()), []).append(who)
    return list(groups.values())


def _is_stranger(who: Who) -> bool:
    """Gets the same of everything but what is asked in person."""
    return len({cell(rule, who) for rule in RULES.values() if not rule.in_person}) == 1


def _strangers() -> str:
    in_person = [operation for operation, rule in RULES.items() if rule.in_person]
    any_other = next(rule for rule in RULES.values() if not rule.in_person)
    rows = [
        [f"**{who}**", WHO[who], cell(any_other, who), *(cell(RULES[each], who) for each in in_person)]
        for who in Who
        if _is_stranger(who)
    ]
    names = [f"`{operation.partition('.')[2]}`" for operation in in_person]
    return table(["", "who it is", "everything", *(f"but {name}" for name in names)], rows)


def _matrix(kind: str) -> str:
    asked = {name: rule for name, rule in RULES.items() if name.startswith(f"{kind}.")}
    heads = [", ".join(group) for group in columns()]
    return table(
        [_KINDS[kind], *heads, "in words"],
        [[f"`{name.partition('.')[2]}`", *_row(rule)] for name, rule in asked.items()],
    )


def _row(rule: Rule) -> list[str]:
    return [*(cell(rule, group[0]) for group in columns()), rule.sentence]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
