"""The page for authors of plugins holds a provider that works, file by file, and every rule of the conformance kit."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.source import ROOT, packages
from tieline.testing import RULES

ABACUS = ROOT / "tests" / "providers" / "abacus"
FILES = sorted(path for path in ABACUS.iterdir() if path.is_file())


def page() -> str:
    return (ROOT / "docs" / "plugin-authors.md").read_text()


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_every_file_of_the_provider_stands_in_the_page_as_it_is(file: Path) -> None:
    before, _, after = page().partition(f"\n{file.read_text()}```")

    assert after, f"docs/plugin-authors.md should hold {file.name} as it is."
    assert f"`{file.name}`" in before


def test_every_rule_of_the_kit_stands_in_the_page_and_no_other() -> None:
    section = page().partition("\n## The conformance kit\n")[2].partition("\n## ")[0]
    table = section.partition("|---|---|---|\n")[2].partition("\n\n")[0]

    expected = "\n".join(f"| `{one.id}` | {one.says} | {one.mend} |" for one in RULES)
    assert table == expected, f"docs/plugin-authors.md should hold:\n{expected}"


def test_only_the_kits_suite_needs_pytest() -> None:
    needing = [module.name for module in packages() if "import pytest" in module.text]

    assert needing == ["core/tieline/testing/suite.py"]
