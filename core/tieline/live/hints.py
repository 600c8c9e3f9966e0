"""Hints as they go over the wire: one small message a commit, however much it changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from tieline.ids import PracticeId, parse_id

CHANNEL = "tieline:live"
MAX_IDS = 50
_MAX_BYTES = 64 * 1024

Topics: TypeAlias = Mapping[str, frozenset[UUID] | None]
"""What to look at again by topic; None stands for everything of the topic."""


@dataclass(frozen=True, slots=True)
class Hint:
    """Something of this topic and id may have changed."""

    topic: str
    id: UUID


def encode(practice_id: PracticeId, hints: Iterable[Hint]) -> bytes:
    """One message; a topic of more than 50 ids is told without them."""
    topics: dict[str, set[str]] = {}
    for hint in hints:
        topics.setdefault(hint.topic, set()).add(str(hint.id))
    told = {topic: sorted(ids) if len(ids) <= MAX_IDS else None for topic, ids in topics.items()}
    return json.dumps({"practice": str(practice_id), "topics": told}, separators=(",", ":")).encode()


def decode(message: object) -> tuple[PracticeId, Topics] | None:
    """The practice and its topics; None for what `encode` did not make."""
    if not isinstance(message, bytes) or len(message) > _MAX_BYTES:
        return None
    try:
        told = json.loads(message)
        practice_id = parse_id(told["practice"])
        topics = {topic: _ids(listed) for topic, listed in told["topics"].items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return None if practice_id is None else (PracticeId(practice_id), topics)


def _ids(listed: list[str] | None) -> frozenset[UUID] | None:
    return None if listed is None else frozenset(map(UUID, listed))
