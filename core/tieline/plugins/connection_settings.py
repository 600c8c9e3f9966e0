"""What a practice may settle about one connection: declared by a plugin as data, read and refused by the core.

Values are text, as they are stored and as callers give them: `true` or `false`, a choice's word, a record's id. A
setting that nobody has touched has its default, which is not stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tieline.plugins.contract import Feed, Product, ProviderInfo

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_SWITCH = ("true", "false")
_ID_LENGTH = 200


class SettingKind(StrEnum):
    """A SWITCH is `true` or `false`, a CHOICE one of a few words, a RECORD the id of a record of the books."""

    SWITCH = "SWITCH"
    CHOICE = "CHOICE"
    RECORD = "RECORD"


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingChoice:
    """One of the words that a CHOICE takes, and what people read for it."""

    value: str
    label: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionSetting:
    """`label` names it for people, `meaning` is a sentence for them. `products` are those that have it.

    `default` is None for a RECORD, which names none until somebody chooses one; it is one of `dataset`. `feeds` are
    those that are read only where a SWITCH is on.
    """

    name: str
    kind: SettingKind
    label: str
    meaning: str
    products: tuple[Product, ...]
    default: str | None = None
    choices: tuple[SettingChoice, ...] = ()
    dataset: str | None = None
    feeds: tuple[str, ...] = ()

    def read(self, text: str) -> str | None:
        """The value that is meant; None where the text is none. Whether a record is there is not looked at."""
        said = text.strip()
        match self.kind:
            case SettingKind.SWITCH:
                return said.lower() if said.lower() in _SWITCH else None
            case SettingKind.CHOICE:
                return next((each.value for each in self.choices if each.value == said), None)
            case SettingKind.RECORD:
                return said if 0 < len(said) <= _ID_LENGTH and said.isprintable() else None

    def value_in(self, stored: Mapping[str, str]) -> str | None:
        """Its value among those that are stored; the default, where there is none or one that it takes no more."""
        kept = stored.get(self.name)
        value = None if kept is None else self.read(kept)
        return self.default if value is None else value

    @property
    def values(self) -> str:
        """What it may be, for people."""
        match self.kind:
            case SettingKind.SWITCH:
                return "true or false"
            case SettingKind.CHOICE:
                return f"one of {', '.join(each.value for each in self.choices)}"
            case SettingKind.RECORD:
                return f"the id of a record of {self.dataset}"


def settings_for(info: ProviderInfo, product: Product) -> tuple[ConnectionSetting, ...]:
    """What can be settled about a connection of this product."""
    return tuple(setting for setting in info.connection_settings if product in setting.products)


def feeds_for(info: ProviderInfo, product: Product, stored: Mapping[str, str]) -> tuple[Feed, ...]:
    """Of the product's feeds those that a connection with these settings wants, in their order."""
    settings = settings_for(info, product)
    off = {feed for setting in settings if setting.value_in(stored) == _SWITCH[1] for feed in setting.feeds}
    return tuple(feed for feed in info.feeds.get(product, ()) if feed.name not in off)


def flaws_of_connection_settings(info: ProviderInfo) -> Iterator[str]:
    """What is wrong with them, as words."""
    settings = info.connection_settings
    if len({setting.name for setting in settings}) < len(settings):
        yield "two of its settings of a connection have the same name"
    for setting in settings:
        called = f"its setting of a connection {setting.name!r}"
        if not _NAME.fullmatch(setting.name) or not setting.label.strip() or not setting.meaning.strip():
            yield f"{called} needs a word as its name, a label and a meaning"
        if not setting.products or not set(setting.products) <= set(info.products):
            yield f"{called} has to be of a product that there is"
        yield from (f"{called} {flaw}" for flaw in _flaws_of_kind(setting, info))
    for product in info.products:
        everything_off = {setting.name: _SWITCH[1] for setting in settings if setting.feeds}
        if info.feeds.get(product) and not feeds_for(info, product, everything_off):
            yield f"its settings of a connection can switch off all feeds of {product}"


def _flaws_of_kind(setting: ConnectionSetting, info: ProviderInfo) -> Iterator[str]:
    words = [each.value for each in setting.choices]
    is_choice, is_record = setting.kind is SettingKind.CHOICE, setting.kind is SettingKind.RECORD
    if is_record != (setting.default is None) or (
        setting.default is not None and setting.read(setting.default) != setting.default
    ):
        yield "needs a default that fits, or none if it is a RECORD"
    if is_choice != bool(words) or len(set(words)) < len(words) or not all(map(_is_whole, setting.choices)):
        yield "needs choices with a word and a label each, and no two the same, if it is a CHOICE, and only then"
    if is_record != (setting.dataset is not None):
        yield "needs a dataset if it is a RECORD, and only then"
    for product in setting.products:
        feeds = info.feeds.get(product, ())
        if setting.dataset is not None and not any(setting.dataset in feed.datasets for feed in feeds):
            yield f"names records of {setting.dataset}, which no feed of {product} fills"
        if not set(setting.feeds) <= {feed.name for feed in feeds}:
            yield f"switches feeds that {product} does not have"
    if setting.feeds and setting.kind is not SettingKind.SWITCH:
        yield "switches feeds, and is no SWITCH"


def _is_whole(choice: SettingChoice) -> bool:
    return bool(choice.value) and choice.value == choice.value.strip() and bool(choice.label.strip())
