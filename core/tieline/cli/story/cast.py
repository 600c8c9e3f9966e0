"""Who is who in the story: clients of the demo by their codes, people with a login at the provider, their books."""

from __future__ import annotations

from dataclasses import dataclass

from tieline.cli.demo import client_names

_NAMES = client_names()


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Somebody with a login at the provider, and the names of the organisations there."""

    seed: str
    given_name: str
    family_name: str
    organisations: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"

    @property
    def email(self) -> str:
        return f"{self.given_name}.{self.family_name}@demo.invalid".lower()


def _named(first: int, last: int) -> tuple[str, ...]:
    return tuple(_NAMES[f"D{number:03}"] for number in range(first, last + 1))


LARGE = _NAMES["D012"]
"""Its books are large, and its day at the provider is nearly spent."""

MISTAKEN = _NAMES["D025"]
"""The client whose organisation bears another name."""

LOST = _NAMES["D026"]
"""Its own director signs in for it, and takes the consent back."""

ACCOUNTANT = Person(
    seed="story-accountant",
    given_name="Morgan",
    family_name="Ellis",
    organisations=(
        *_named(1, 24),
        "Dunmore Bread & Bakery Ltd",
        "Kestrel Holdings Ltd",
        "Mill Lane Properties Ltd",
    ),
)
DIRECTOR = Person(seed="story-director", given_name="Jun", family_name="Tanaka", organisations=(LOST,))
YOU = Person(seed="story-you", given_name="Ines", family_name="Byrne", organisations=_named(27, 32))
"""For whoever wants to sign in by hand: clients that are not connected yet."""

EVERYBODY = (ACCOUNTANT, DIRECTOR, YOU)

AT_ONCE = frozenset({*_named(1, 24), MISTAKEN})
"""The clients that are connected through the accountant's sign-in."""
