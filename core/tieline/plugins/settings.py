"""What an operator may settle about a provider where its documentation leaves it open: `TIELINE_<SLUG>_<NAME>`.

A plugin declares its settings as data in `ProviderInfo.settings`, each with the safer default. It reads no environment
of its own: `settled` gives it the values when it is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tieline.errors import StartRefused

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_NUMBER = re.compile(r"[0-9]{1,12}")
_SWITCH = {"true": True, "false": False}


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """A switch, where `default` is one, else a number of `least` to `most`. `meaning` is a sentence for operators."""

    name: str
    default: bool | int
    meaning: str
    least: int = 0
    most: int = 0

    def variable(self, slug: str) -> str:
        return f"TIELINE_{slug}_{self.name}".upper()

    @property
    def values(self) -> str:
        """What it may be, for people."""
        if isinstance(self.default, bool):
            return "`true`, `false`"
        return f"{self.least} to {self.most}"

    def read(self, text: str) -> bool | int | None:
        """The value that is meant; None where the text is none."""
        if isinstance(self.default, bool):
            return _SWITCH.get(text.strip().lower())
        number = int(text) if _NUMBER.fullmatch(text.strip()) else -1
        return number if self.least <= number <= self.most else None


def values_of(
    settings: Iterable[Setting], slug: str, environment: Mapping[str, str]
) -> dict[str, bool | int]:
    """The value of each setting by its name. Raises StartRefused."""
    values: dict[str, bool | int] = {}
    for setting in settings:
        said = environment.get(setting.variable(slug))
        value = setting.default if said is None else setting.read(said)
        if value is None:
            raise StartRefused(
                f"{setting.variable(slug)} cannot be used (it may be {setting.values.replace('`', '')})",
                "see docs/settings.md",
            )
        values[setting.name] = value
    return values


def flaws_of_settings(settings: tuple[Setting, ...]) -> Iterator[str]:
    """What is wrong with them, as words."""
    if len({setting.name for setting in settings}) < len(settings):
        yield "two of its settings have the same name"
    for setting in settings:
        fits = setting.read(str(setting.default)) is not None
        if not _NAME.fullmatch(setting.name) or not fits or not setting.meaning:
            yield f"its setting {setting.name!r} needs a word as its name, a default that fits, and a meaning"
