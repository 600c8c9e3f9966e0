"""How much of a story is played: all of it by `make chaos`, a small share by `make test`."""

from __future__ import annotations

from tests.support.figures import is_full

IS_FULL = is_full("chaos")


def size(full: int, small: int) -> int:
    return full if IS_FULL else small
