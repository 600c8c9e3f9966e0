"""Chance that can be repeated: each row of the figures has its own, from one seed that a run prints."""

from __future__ import annotations

import os
import random

SEED = int(os.environ.get("CHAOS_SEED", "20261122"))


def chance(row: str) -> random.Random:
    """The same draws for the same seed and row, whatever other rows draw."""
    return random.Random(f"{SEED}/{row}")  # noqa: S311 - faults, not secrets
