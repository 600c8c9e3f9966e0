"""What a dataset is to the shelf: how its records are made, found by id, and stamped when somebody edits them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from tieline_sandbox.books.ledger import Ledger
from tieline_sandbox.books.values import Record

L = TypeVar("L", bound=Ledger)


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What became of one record: `fields` (as JSON) stand over those that the seed gives for its number.

    `version` counts the changes since the record was made; `created_at` is set for those that no seed gave.
    """

    id: str
    number: int
    fields: str
    updated_at: datetime
    version: int = 0
    created_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Kind(ABC, Generic[L]):
    """`head` gives the fields `head_fields` of a record cheaply, for filters."""

    dataset: str
    id_field: str
    make: Callable[[L, int], Record]
    head: Callable[[L, int], Record] | None = None
    head_fields: frozenset[str] = frozenset()
    updated_field: str

    def spelling(self, id_: str) -> str:
        """The id as records have it."""
        return id_

    def is_there(self, record: Record) -> bool:  # noqa: ARG002 - by default all are
        """Whether a record of the seed is in use: neither archived nor deleted."""
        return True

    @abstractmethod
    def number_of(self, ledger: L, id_: str) -> int | None:
        """The number of a record that the seed gives."""

    @abstractmethod
    def stamped(self, record: Record, edit: Edit) -> Record:
        """The edited record with its new time and version."""

    @abstractmethod
    def sort_key(self, record: Record, field: str) -> tuple[bool, Any]:
        """By which records are put in order; those without a value come first."""
