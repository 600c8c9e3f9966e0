"""What becomes of somebody who asks."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Cell(StrEnum):
    """What an asker gets, by what the page calls it; `CELLS` says more."""

    YES = "yes"
    OWN = "own"
    NONE = "none"
    FORBIDDEN = "no"
    NOT_FOUND = "hidden"
    NOTHING = "nothing"
    UNAUTHENTICATED = "out"


CELLS: Mapping[Cell, str] = {
    Cell.YES: "It is done, or answered: for all that is there.",
    Cell.OWN: "The same for what is the caller's own, and for clients that it sees. All else is `NOT_FOUND`, or "
    "`FORBIDDEN` where it asks for other people's API keys.",
    Cell.NONE: "The answer is an empty list.",
    Cell.FORBIDDEN: "`FORBIDDEN`, or `NOT_FOUND` for a client that the caller does not see.",
    Cell.NOT_FOUND: "`NOT_FOUND`, as if it were not there: the caller cannot have such a thing.",
    Cell.NOTHING: "What it names is `NOT_FOUND`; what names nothing is about its own practice, and holds nothing "
    "of this one.",
    Cell.UNAUTHENTICATED: "`UNAUTHENTICATED`; a socket is closed with 4403.",
}
