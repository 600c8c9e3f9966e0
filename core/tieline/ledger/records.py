"""Records on their way into the tables: checked, each with its key to sort by and its hash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

Key: TypeAlias = tuple[str, str]
"""A dataset, and a record's id at the provider."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """`data` is JSON text. Rows of one key and the same hash are the same in every column."""

    dataset: str
    external_id: str
    name: str | None
    code: str | None
    sort_key: str
    active: bool
    data: str
    updated_at: datetime | None
    hash: bytes

    @property
    def key(self) -> Key:
        return self.dataset, self.external_id
