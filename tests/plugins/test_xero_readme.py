"""What the README of Xero's plugin says of limits and answers is what holds."""

from __future__ import annotations

import re

from tests.plugins.readmes import table
from tieline_xero import Xero

XERO = Xero()


def test_the_limits_are_those_that_hold_each_with_the_page_that_says_so() -> None:
    header, *limits = table("xero", "Limits", first="limit")

    small, large = (re.findall(r"\w+", cell) for cell in header[2:4])
    assert (*small, *large) == XERO.info.tiers
    for tier in XERO.info.tiers:
        column = 2 if tier in small else 3
        told = {row[0].partition("`")[0]: int(row[column].replace(",", "")) for row in limits}
        assert told == {limit.name: limit.most for limit in XERO.limits(tier)}
        links = {row[0].partition("`")[0]: row[4] for row in limits}
        assert all(f"({limit.source})" in links[limit.name] for limit in XERO.limits(tier))


def test_every_setting_that_is_in_doubt_stands_in_its_table() -> None:
    variables = [
        row[0] for row in table("xero", "Where the provider's documentation is in doubt", first="Setting")
    ]

    assert {setting.variable("xero") for setting in XERO.info.settings} <= set(variables)
