"""What a practice can have bought."""

from __future__ import annotations

from enum import StrEnum


class Plan(StrEnum):
    """Teams can be assigned on ADVANCED only."""

    STANDARD = "STANDARD"
    ADVANCED = "ADVANCED"
