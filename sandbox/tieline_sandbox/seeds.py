"""Numbers and ids that follow from a seed alone, so that two runs hold the same organisations and records."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from struct import Struct
from typing import TypeVar
from uuid import UUID

T = TypeVar("T")
_EIGHT = Struct(">8Q")


class Dice:
    """Throws that depend on the words they were made of, and on their own order."""

    def __init__(self, *words: object) -> None:
        self._seed = "\x1f".join(map(str, words)).encode()
        self._throws: list[int] = []
        self._blocks = 0

    def below(self, bound: int) -> int:
        """A whole number from 0 up to, and without, `bound` (at most 2^32)."""
        if not self._throws:
            digest = blake2b(self._seed, salt=self._blocks.to_bytes(16, "big")).digest()
            self._throws, self._blocks = list(_EIGHT.unpack(digest)), self._blocks + 1
        return self._throws.pop() % bound

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def chance(self, percent: int) -> bool:
        return self.below(100) < percent


def uuid_of(*words: object) -> str:
    """A UUID (of version 4 by its looks) that these words always give."""
    digest = blake2b("\x1f".join(map(str, words)).encode(), digest_size=16).digest()
    return str(UUID(bytes=digest, version=4))
