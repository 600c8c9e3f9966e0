"""The embedded Redis-compatible server: one, on loopback, with a password that no argument list shows."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tieline.embedded.folder import write_private
from tieline.embedded.process import Server, Start, launch, on_free_port

STEPS = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))
ANSWER_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Redis:
    server: Server
    redis_url: str = field(repr=False)


@contextmanager
def running(program: Path, start: Start) -> Iterator[Redis]:
    """The server, ready, until the block ends."""
    start.progress("Starting Redis")
    (start.data / "redis").mkdir(mode=0o700, exist_ok=True)
    server, port = on_free_port(
        lambda port: _begin(program, port, start), lambda port: _answers(port, start.passwords.redis)
    )
    try:
        yield Redis(server=server, redis_url=f"redis://:{start.passwords.redis}@127.0.0.1:{port}/0")
    finally:
        server.stop()


def _begin(program: Path, port: int, start: Start) -> Server:
    config = start.data / "redis.conf"
    write_private(config, _config(port, start))
    return launch("Redis", [program, config], start=start, log=start.data / "redis.log", steps=STEPS)


def _config(port: int, start: Start) -> str:
    folder = str(start.data / "redis").replace("\\", "\\\\").replace('"', '\\"')
    settings = {
        "bind": "127.0.0.1",
        "port": port,
        "requirepass": start.passwords.redis,
        "databases": 64,
        "dir": f'"{folder}"',
        "appendonly": "yes" if start.durable else "no",
        "save": '""',
        "daemonize": "no",
    }
    return "".join(f"{name} {value}\n" for name, value in settings.items())


def _answers(port: int, password: str) -> bool:
    """Whether it takes our password and has read its data."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\nQUIT\r\n".encode())
            with connection.makefile("rb") as answers:
                return answers.read().split() == [b"+OK", b"+PONG", b"+OK"]
    except OSError:
        return False
