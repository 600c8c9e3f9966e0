"""The snapshot on disk: one JSON file, replaced as a whole, written before an answer that promises something."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tieline_sandbox.codec import Malformed, decode, encode
from tieline_sandbox.state import State


class Unreadable(Exception):
    """The file holds something else than a snapshot of this version."""

    def __init__(self, file: Path, problem: str) -> None:
        super().__init__(f"{file} is not a state of the sandbox ({problem}): name another file or remove it.")


class Store:
    """Writes `current()` when it changed; callers that come together share one write. Without a file, nothing."""

    def __init__(self, file: Path | None, current: Callable[[], State]) -> None:
        self._file = file
        self._current = current
        self._version = 0
        self._written = 0
        self._lock = asyncio.Lock()

    def changed(self) -> None:
        self._version += 1

    async def settle(self) -> None:
        """Return when every change so far stands in the file."""
        wanted = self._version
        if self._file is None or self._written >= wanted:
            return
        async with self._lock:
            if self._written >= wanted:
                return
            version, snapshot = self._version, json.dumps(encode(self._current()))
            await asyncio.to_thread(_replace, self._file, snapshot)
            self._written = version


def load(file: Path) -> State | None:
    """What the file holds; None if there is no such file."""
    try:
        found: Any = json.loads(file.read_text())
        state: State = decode(State, found)
    except FileNotFoundError:
        return None
    except (ValueError, Malformed) as error:
        raise Unreadable(file, str(error)) from error
    return state


def _replace(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as output:
        output.write(text)
    beside.replace(file)
