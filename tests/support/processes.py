"""Processes as /proc shows them: who descends from whom, and who still lives."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

_BEFORE, _AFTER = 1_000, 6_000
"""Characters of a log worth reading around a traceback."""

_BROKEN = re.compile("Traceback|was never awaited")


def descendants(pid: int) -> set[int]:
    """Children, their children and so on, at this moment."""
    children = defaultdict(set)
    for entry in Path("/proc").glob("[0-9]*"):
        parent = _field(int(entry.name), 1)
        if parent is not None:
            children[int(parent)].add(int(entry.name))
    found: set[int] = set()
    pending = [pid]
    while pending:
        fresh = children[pending.pop()] - found
        found |= fresh
        pending += fresh
    return found


def alive(pid: int) -> bool:
    """A process that ended and waits for its parent to look is not."""
    return _field(pid, 0) not in {None, "Z", "X"}


def mentioning(text: str) -> list[str]:
    """The command lines of living processes that have this in them, this test's own left out."""
    lines = []
    for entry in Path("/proc").glob("[0-9]*"):
        line = command_line(int(entry.name))
        if text in line and "pytest" not in line and alive(int(entry.name)):
            lines.append(line)
    return lines


def command_line(pid: int) -> str:
    """Empty when there is no such process."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return words.replace(b"\0", b" ").decode(errors="replace").strip()


def assert_unbroken(log: str) -> None:
    """No code of ours broke off or was dropped; fails with the first sign of it in this log, and what is around it."""
    broken = _BROKEN.search(log)
    assert not broken, log[max(broken.start() - _BEFORE, 0) : broken.start() + _AFTER]


def _field(pid: int, number: int) -> str | None:
    """Of /proc/<pid>/stat, counted from the state; None when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[number]
    except OSError:
        return None
