"""The tables that the plugins' READMEs promise something in."""

from __future__ import annotations

from pathlib import Path

_PLUGINS = Path(__file__).parents[2] / "plugins"


def table(plugin: str, heading: str, *, first: str) -> list[list[str]]:
    """The rows of the table under the heading whose first cell says `first`."""
    text = (_PLUGINS / plugin / "README.md").read_text()
    section = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = section[section.index(f"| {first} |") :].partition("\n\n")[0].splitlines()
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in rows if set("".join(row)) != {"-"}]
