"""Reading an input as a whole: everything that does not fit is told at once, so that a form can show it at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tieline.errors import Invalid, SeveralInvalid

T = TypeVar("T")


def read_all(*readers: Callable[[], T]) -> list[T]:
    """What each of them reads, in their order. Raises Invalid where one refuses, SeveralInvalid where more do."""
    read: list[T] = []
    wrong: list[Invalid] = []
    for reader in readers:
        try:
            read.append(reader())
        except Invalid as invalid:
            wrong.append(invalid)
    if wrong:
        raise wrong[0] if len(wrong) == 1 else SeveralInvalid(wrong)
    return read
