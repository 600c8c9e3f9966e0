"""What plugins declare that a practice may settle about a connection: what values fit, and what declaration does."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from tests.plugins.readmes import table
from tieline.errors import StartRefused
from tieline.plugins import (
    ConnectionSetting,
    Product,
    Provider,
    Registry,
    SettingChoice,
    SettingKind,
    feeds_for,
    settings_for,
)
from tieline_abacus import INFO, Abacus
from tieline_quickbooks import QuickBooks
from tieline_xero import Xero

BOOKKEEPING, DATA_HEALTH = Product.BOOKKEEPING, Product.DATA_HEALTH
WORDS: dict[str, Any] = {"label": "Words", "meaning": "What it does.", "products": (BOOKKEEPING,)}
SWITCH: dict[str, Any] = WORDS | {
    "name": "lists",
    "kind": SettingKind.SWITCH,
    "default": "true",
    "feeds": ("tax_rates",),
}
CHOICE: dict[str, Any] = WORDS | {
    "name": "state",
    "kind": SettingKind.CHOICE,
    "default": "DRAFT",
    "choices": (SettingChoice(value="DRAFT", label="Draft"), SettingChoice(value="Done", label="Done")),
}
RECORD: dict[str, Any] = WORDS | {"name": "account", "kind": SettingKind.RECORD, "dataset": "accounts"}
INSTALLED: list[Provider] = [Xero(), QuickBooks()]


@pytest.mark.parametrize(
    ("declared", "said", "value"),
    [
        (SWITCH, "true", "true"),
        (SWITCH, " FALSE ", "false"),
        (SWITCH, "yes", None),
        (SWITCH, "", None),
        (CHOICE, "DRAFT", "DRAFT"),
        (CHOICE, " Done ", "Done"),
        (CHOICE, "done", None),
        (CHOICE, "", None),
        (RECORD, " 7 ", "7"),
        (RECORD, "x" * 200, "x" * 200),
        (RECORD, "x" * 201, None),
        (RECORD, "a\x00b", None),
        (RECORD, "  ", None),
    ],
)
def test_a_text_is_the_value_that_it_means_or_none(
    declared: dict[str, Any], said: str, value: str | None
) -> None:
    assert ConnectionSetting(**declared).read(said) == value


def test_what_is_not_stored_or_does_not_fit_any_more_is_the_default() -> None:
    setting = ConnectionSetting(**CHOICE)

    assert [setting.value_in(stored) for stored in ({}, {"state": "Done"}, {"state": "Gone"})] == [
        "DRAFT",
        "Done",
        "DRAFT",
    ]


@pytest.mark.parametrize(
    ("declared", "flaw"),
    [
        ([SWITCH, SWITCH], "two of its settings of a connection have the same name"),
        ([SWITCH | {"name": "No Word"}], "'No Word' needs a word as its name, a label and a meaning"),
        ([SWITCH | {"label": " "}], "'lists' needs a word as its name, a label and a meaning"),
        ([SWITCH | {"meaning": ""}], "'lists' needs a word as its name, a label and a meaning"),
        ([SWITCH | {"products": ()}], "'lists' has to be of a product that there is"),
        ([SWITCH | {"products": (DATA_HEALTH,)}], "'lists' has to be of a product that there is"),
        ([SWITCH | {"default": None}], "'lists' needs a default that fits, or none if it is a RECORD"),
        ([SWITCH | {"default": "True"}], "'lists' needs a default that fits"),
        ([CHOICE | {"default": "Gone"}], "'state' needs a default that fits"),
        ([RECORD | {"default": "7"}], "'account' needs a default that fits, or none if it is a RECORD"),
        ([CHOICE | {"choices": CHOICE["choices"] * 2}], "'state' needs choices with a word and a label each"),
        ([SWITCH | {"choices": CHOICE["choices"]}], "if it is a CHOICE, and only then"),
        ([RECORD | {"dataset": None}], "'account' needs a dataset if it is a RECORD, and only then"),
        ([SWITCH | {"dataset": "accounts"}], "'lists' needs a dataset if it is a RECORD, and only then"),
        (
            [RECORD | {"dataset": "elks"}],
            "'account' names records of elks, which no feed of BOOKKEEPING fills",
        ),
        ([SWITCH | {"feeds": ("elks",)}], "'lists' switches feeds that BOOKKEEPING does not have"),
        ([CHOICE | {"feeds": ("accounts",)}], "'state' switches feeds, and is no SWITCH"),
        ([SWITCH | {"feeds": ("accounts", "tax_rates")}], "can switch off all feeds of BOOKKEEPING"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused_at_the_start(
    declared: list[dict[str, Any]], flaw: str
) -> None:
    settings = tuple(ConnectionSetting(**each) for each in declared)

    with pytest.raises(StartRefused, match=re.escape(flaw)):
        Registry.of(Abacus(info=replace(INFO, connection_settings=settings)))


def test_its_twin_is_accepted() -> None:
    settings = tuple(ConnectionSetting(**each) for each in (SWITCH, CHOICE, RECORD))

    assert len(Registry.of(Abacus(info=replace(INFO, connection_settings=settings)))) == 1


@pytest.mark.parametrize(
    ("provider", "product", "off", "unread"),
    [
        (Xero(), BOOKKEEPING, "read_items", {"items"}),
        (Xero(), DATA_HEALTH, "read_items", {"items"}),
        (Xero(), BOOKKEEPING, "read_journals", set()),
        (Xero(), DATA_HEALTH, "read_journals", {"journals"}),
        (QuickBooks(), BOOKKEEPING, "read_tax_rates", {"tax_rates"}),
        (QuickBooks(), DATA_HEALTH, "read_tax_rates", {"tax_rates"}),
    ],
)
def test_what_is_switched_off_is_not_wanted_and_all_else_is(
    provider: Provider, product: Product, off: str, unread: set[str]
) -> None:
    everything = provider.info.feeds[product]

    wanted = feeds_for(provider.info, product, {off: "false"})

    assert feeds_for(provider.info, product, {}) == everything
    assert {feed.name for feed in everything} - {feed.name for feed in wanted} == unread
    assert feeds_for(provider.info, product, {off: "true"}) == everything


@pytest.mark.parametrize("provider", INSTALLED, ids=lambda each: each.info.slug)
def test_the_readme_says_what_each_setting_does_and_of_which_product(provider: Provider) -> None:
    _, *rows = table(provider.info.slug, "What can be settled", first="setting")

    both = tuple(each.value for each in provider.info.products)
    told = {row[0]: both if row[1] == "both" else (row[1].strip("`"),) for row in rows}
    assert told == {each.name: each.products for each in provider.info.connection_settings}
    for product in provider.info.products:
        assert settings_for(provider.info, product)
