"""Whether the story was told of a practice: kept in the data folder, so that a second start goes on instead."""

from __future__ import annotations

from pathlib import Path

from tieline.embedded import write_private
from tieline.ids import PracticeId

_FILE = "story-told"


def was_told(data: Path, practice_id: PracticeId) -> bool:
    file = data / _FILE
    return file.exists() and file.read_text().strip() == str(practice_id)


def mark_told(data: Path, practice_id: PracticeId) -> None:
    write_private(data / _FILE, f"{practice_id}\n")
