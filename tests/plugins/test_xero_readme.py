"""What the README of Xero's plugin says of limits and answers is what holds."""

from __future__ import annotations

import re

from tests.plugins.test_xero_pull import README
from tieline_xero import Xero

XERO = Xero()


def rows(heading: str) -> list[list[str]]:
    section = README.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    table = section[section.index("|") :].partition("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return [row for row in cells if set("".join(row)) != {"-"}]


def test_the_limits_are_those_that_hold_each_with_the_page_that_says_so() -> None:
    header, *limits = rows("Limits")

    small, large = (re.findall(r"`(\w+)`", cell) for cell in header[2:4])
    assert (*small, *large) == XERO.info.tiers
    for tier in XERO.info.tiers:
        column = 2 if tier in small else 3
        told = {row[0].split("`")[1]: int(row[column].replace(",", "")) for row in limits}
        assert told == {limit.name: limit.most for limit in XERO.limits(tier)}
        links = {row[0].split("`")[1]: row[4] for row in limits}
        assert all(f"({limit.source})" in links[limit.name] for limit in XERO.limits(tier))


def test_every_setting_that_is_in_doubt_stands_in_its_table() -> None:
    variables = [row[0].strip("`") for row in rows("Where the provider's documentation is in doubt")]

    assert {setting.variable("xero") for setting in XERO.info.settings} <= set(variables)
