"""The environment as far as it can be used: what is wrong with it, and settings in which something stands in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from tieline.diagnosis.finding import Finding, as_sentence, counted, fine, mend, unfit
from tieline.errors import StartRefused
from tieline.settings import Settings, fields_of, refusal_of
from tieline.vault import Vault


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """`unread` names the fields of `settings` that are not what the environment says."""

    settings: Settings
    faults: tuple[StartRefused, ...]
    unread: frozenset[str]


def read_environment() -> Environment:
    """Where a setting is missing or cannot be used, its default stands in; an empty text where it has none."""
    standing_in: dict[str, Any] = {}
    faults: list[StartRefused] = []
    while True:
        try:
            settings = Settings(**standing_in)
        except ValidationError as invalid:
            found = invalid.errors()
        else:
            return Environment(settings=settings, faults=tuple(faults), unread=frozenset(standing_in))
        faults += [refusal_of(fault) for fault in found]
        for fault in found:
            standing_in |= {name: _stand_in(name) for name in fields_of(fault)}


def _stand_in(name: str) -> object:
    field = Settings.model_fields[name]
    return "" if field.is_required() else field.default


def look_at_environment(environment: Environment) -> Finding:
    faults = environment.faults
    if not faults:
        return fine("settings", "all that is needed is set")
    said = "; ".join(fault.wrong for fault in faults)
    first, *others = dict.fromkeys(as_sentence(fault.remedy) for fault in faults)
    return mend("settings", said, first, *others)


def look_at_keys(settings: Settings) -> tuple[Finding, Vault | None]:
    """With the ring, where it can be read."""
    try:
        vault = settings.vault
    except StartRefused as refused:
        return unfit("encryption keys", refused), None
    return fine("encryption keys", f"{counted(len(vault.keys), 'key')} in the ring"), vault
