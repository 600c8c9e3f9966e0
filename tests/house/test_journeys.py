"""The table in CONTRIBUTING of which journey stands for which row names journeys that there are."""

from __future__ import annotations

import re

from tests.support.source import ROOT

_ROW = re.compile(r"^\| (?P<row>[^|]+) \| `(?P<file>test_\w+\.py)::(?P<test>test_\w+)` \|$", re.MULTILINE)
ROWS = [*(f"M{number}" for number in range(1, 14)), "M26", "delete"]


def test_each_row_has_its_journey_with_a_worker() -> None:
    table = list(_ROW.finditer((ROOT / "CONTRIBUTING.md").read_text()))

    named = {row for each in table for row in re.findall(r"M\d+|delete", each["row"])}
    sources = {each["file"]: (ROOT / "tests/journeys" / each["file"]).read_text() for each in table}

    assert sorted(named) == sorted(ROWS)
    assert [each["test"] for each in table if f"def {each['test']}(" not in sources[each["file"]]] == []
    assert [file for file, source in sources.items() if '"worker"' not in source] == []
