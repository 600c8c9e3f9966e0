"""What processes keep of connections whose other side is gone, as the system's own tables say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_CLOSE_WAIT = "08"
_STATE, _INODE = 3, 9


def half_closed(pid: int) -> int:
    """How many TCP connections the other side has closed, and this process has not."""
    theirs = set(_sockets(pid))
    tables = ("/proc/net/tcp", "/proc/net/tcp6")
    rows = (line.split() for table in tables for line in Path(table).read_text().splitlines()[1:])
    return sum(row[_STATE] == _CLOSE_WAIT and row[_INODE] in theirs for row in rows)


def _sockets(pid: int) -> Iterator[str]:
    """Their inodes."""
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            target = str(each.readlink())
            if target.startswith("socket:"):
                yield target.removeprefix("socket:[").removesuffix("]")
