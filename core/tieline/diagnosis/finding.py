"""What the doctor finds: one thing, how it is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tieline.errors import StartRefused

_NOT_SAID = "mend that, then call 'tieline doctor' again"


class Grade(StrEnum):
    """`LOOK` may be as it should be; `MEND` is not."""

    FINE = "ok"
    LOOK = "LOOK"
    MEND = "MEND"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """`remedy` is lines of what to do; there is none where all is fine."""

    what: str
    grade: Grade
    said: str
    remedy: tuple[str, ...] = ()

    @property
    def fine(self) -> bool:
        return self.grade is Grade.FINE


def fine(what: str, said: str) -> Finding:
    return Finding(what=what, grade=Grade.FINE, said=said)


def look(what: str, said: str, remedy: str, *more: str) -> Finding:
    return Finding(what=what, grade=Grade.LOOK, said=said, remedy=(remedy, *more))


def mend(what: str, said: str, remedy: str, *more: str) -> Finding:
    return Finding(what=what, grade=Grade.MEND, said=said, remedy=(remedy, *more))


def unfit(what: str, refused: StartRefused, *more: str) -> Finding:
    """What would stop a start, and what to do about it, told apart."""
    return mend(what, refused.wrong, as_sentence(refused.remedy or _NOT_SAID), *more)


def as_sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 job`, `3 jobs`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
