"""People with a login, whichever provider they log in to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol, TypedDict, TypeVar

from tieline_sandbox.names import FAMILY_NAMES, GIVEN_NAMES
from tieline_sandbox.seeds import Dice

Details = dict[Literal["id", "email", "given_name", "family_name"], str]


class Identity(TypedDict):
    """Everything about a person that no provider adds to."""

    id: str
    email: str
    given_name: str
    family_name: str


class Someone(Protocol):
    """What every provider's user has."""

    @property
    def id(self) -> str: ...

    @property
    def email(self) -> str: ...

    @property
    def given_name(self) -> str: ...

    @property
    def family_name(self) -> str: ...


S = TypeVar("S", bound=Someone)


def by_id_or_email(users: Mapping[str, S], name: str) -> S | None:
    found = users.get(name.lower())
    return found or next((user for user in users.values() if user.email.lower() == name.lower()), None)


def full_name(user: Someone) -> str:
    return f"{user.given_name} {user.family_name}"


def details(id_: str, dice: Dice, given: Details | None = None) -> Identity:
    """Everything about a new person; what is not given follows from the dice."""
    known = given or {}
    first, last = dice.pick(GIVEN_NAMES), dice.pick(FAMILY_NAMES)
    return {
        "id": known.get("id", id_).lower(),
        "email": known.get("email", f"{first}.{last}.{id_[:8]}@example.invalid".lower()),
        "given_name": known.get("given_name", first),
        "family_name": known.get("family_name", last),
    }
