"""What callers asked for, against what a plugin declares: values to store, and everything that does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tieline.errors import Invalid
from tieline.plugins import ConnectionSetting


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedSetting:
    """A setting by its name; no value is to have the default again."""

    name: str
    value: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadSetting:
    """A value that fits its setting; None for the default. `field` is where the caller gave it."""

    setting: ConnectionSetting
    value: str | None
    field: str


def read_settings(
    declared: Iterable[ConnectionSetting], asked: Sequence[AskedSetting]
) -> tuple[list[ReadSetting], list[Invalid]]:
    """What was read, and what does not fit, each in the order in which it was asked for."""
    known = {setting.name: setting for setting in declared}
    read: dict[str, ReadSetting] = {}
    wrong: list[Invalid] = []
    for number, each in enumerate(asked):
        field = f"settings.{number}"
        setting = known.get(each.name)
        if setting is None:
            names = ", ".join(known) or "none"
            wrong.append(Invalid(f"This connection has these settings: {names}.", field=f"{field}.name"))
        elif each.name in read:
            wrong.append(Invalid(f"The setting {each.name} is there twice.", field=f"{field}.name"))
        else:
            given = (each.value or "").strip() or None  # an empty text is no value, as forms send it
            value = None if given is None else setting.read(given)
            if given is not None and value is None:
                wrong.append(Invalid(f"{setting.label} is {setting.values}.", field=f"{field}.value"))
            read[each.name] = ReadSetting(setting=setting, value=value, field=f"{field}.value")
    return list(read.values()), wrong


def stored_with(stored: Mapping[str, str], changes: Iterable[ReadSetting]) -> dict[str, str]:
    """What is to be stored then. Defaults are not, and what no plugin knows any more is kept."""
    after = dict(stored)
    for each in changes:
        if each.value is None or each.value == each.setting.default:
            after.pop(each.setting.name, None)
        else:
            after[each.setting.name] = each.value
    return after
