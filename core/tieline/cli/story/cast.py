"""Who is who in the story: clients of the demo by their codes, people with a login at a provider, their books."""

from __future__ import annotations

from dataclasses import dataclass

from tieline.cli.demo import COLLEAGUE_NAME, PRACTICE, client_names
from tieline.cli.story.played import QUICKBOOKS, XERO, Played

_NAMES = client_names()


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Somebody with a login at a provider, and the names of the organisations there.

    `guest_of` are other people's, which this person may open too.
    """

    seed: str
    name: str
    at: Played = XERO
    organisations: tuple[str, ...] = ()
    guest_of: tuple[str, ...] = ()

    @property
    def given_name(self) -> str:
        return self.name.partition(" ")[0]

    @property
    def family_name(self) -> str:
        return self.name.partition(" ")[2]

    @property
    def email(self) -> str:
        return f"{self.name.replace(' ', '.')}@demo.invalid".lower()


def _named(first: int, last: int) -> tuple[str, ...]:
    return tuple(_NAMES[f"D{number:03}"] for number in range(first, last + 1))


LARGE = _NAMES["D012"]
"""Its books are large, and its day at the provider is nearly spent."""

MISTAKEN = _NAMES["D025"]
"""The client whose organisation bears another name."""

OF_DIRECTOR = _named(26, 29)
"""Their own director signs in for them, and takes the consent back."""

LOST, *_INVITED, LEFT_ALONE = OF_DIRECTOR
INVITED = tuple(_INVITED)
"""Their books are opened to the accountant later, so that one sign-in mends them; those of LOST are not.

LEFT_ALONE is disconnected by a person, so nobody mends it.
"""

BY_ROUNDS = _named(33, 35)
"""Their books are at QuickBooks Online, where one consent is for one company."""

OWN_BOOKS = f"{PRACTICE} LLP"
"""The firm's own company there, which is picked by mistake."""

HANDED_OVER = (*_named(1, 2), BY_ROUNDS[0])
"""The clients that a colleague takes over."""

COLLEAGUE = COLLEAGUE_NAME
"""The member with a key and logins of their own."""

ACCOUNTANT = Person(
    seed="story-accountant",
    name="Morgan Ellis",
    organisations=(
        *_named(1, 24),
        "Dunmore Bread & Bakery Ltd",
        "Kestrel Holdings Ltd",
        "Mill Lane Properties Ltd",
    ),
)
BOOKKEEPER = Person(
    seed="story-bookkeeper",
    name=ACCOUNTANT.name,
    at=QUICKBOOKS,
    organisations=(*BY_ROUNDS, OWN_BOOKS),
)
DIRECTOR = Person(seed="story-director", name="Jun Tanaka", organisations=OF_DIRECTOR)
SUCCESSORS = (
    Person(seed="story-successor", name=COLLEAGUE, guest_of=HANDED_OVER[:2]),
    Person(seed="story-successor", name=COLLEAGUE, at=QUICKBOOKS, guest_of=HANDED_OVER[2:]),
)
YOU = (
    Person(seed="story-you", name="Ines Byrne", organisations=_named(30, 32)),
    Person(seed="story-you", name="Ines Byrne", at=QUICKBOOKS, organisations=_named(36, 38)),
)
"""For whoever wants to sign in by hand: clients that are not connected yet."""

EVERYBODY = (ACCOUNTANT, BOOKKEEPER, DIRECTOR, *SUCCESSORS, *YOU)

AT_ONCE = frozenset({*_named(1, 24), MISTAKEN})
"""The clients that are connected through the accountant's one sign-in."""
