"""What processes keep of connections whose other side is gone, as the system's own tables say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_ESTABLISHED, _CLOSE_WAIT = "01", "08"
_LOCAL, _STATE, _INODE = 1, 3, 9


def half_closed(pid: int) -> int:
    """How many TCP connections the other side has closed, and this process has not."""
    return sum(row[_STATE] == _CLOSE_WAIT for row in _connections(pid))


def taken_in(pid: int, port: int) -> int:
    """How many TCP connections to its own port this process has not closed."""
    return sum(
        row[_STATE] in {_ESTABLISHED, _CLOSE_WAIT} and row[_LOCAL].endswith(f":{port:04X}")
        for row in _connections(pid)
    )


def _connections(pid: int) -> Iterator[list[str]]:
    """The rows of the system's tables that are this process's."""
    theirs = set(_sockets(pid))
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        rows = (line.split() for line in Path(table).read_text().splitlines()[1:])
        yield from (row for row in rows if row[_INODE] in theirs)


def _sockets(pid: int) -> Iterator[str]:
    """Their inodes."""
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            target = str(each.readlink())
            if target.startswith("socket:"):
                yield target.removeprefix("socket:[").removesuffix("]")
