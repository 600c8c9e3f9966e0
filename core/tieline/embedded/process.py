"""Starts a server as our child, tells whether it lives, what it last said, and stops it in bounded time.

On Linux the tie is to the *thread* that starts a server, so from any thread but the main one the
guard stays between us and the server.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from tieline.embedded import guard
from tieline.embedded.folder import Account, Passwords
from tieline.errors import StartRefused

MAX_LOG_BYTES = 10 * 1024 * 1024
READY_SECONDS = 30.0
TRIES = 5
LAST_LINES = 3
GUARD_SECONDS = 5.0
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
FOR_PYTHON = ("LD_LIBRARY_PATH",)


class EndedEarly(StartRefused):
    """The server ended before it could be used."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """What each server needs to know about this start."""

    data: Path
    lock: int  # a descriptor that servers keep open as long as any process of theirs lives
    account: Account | None
    passwords: Passwords
    durable: bool
    progress: Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Server:
    name: str
    process: subprocess.Popen[bytes]
    log: Path
    log_start: int
    steps: Sequence[guard.Step]

    def alive(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        """Ask politely, wait, insist; the last step cannot be refused."""
        if self.process.stdin is None:
            guard.stop(self.process.send_signal, lambda: not self.alive(), self.steps)
        else:
            self.process.stdin.close()  # the guard takes the steps
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(sum(seconds for _, seconds in self.steps) + GUARD_SECONDS)
        if self.alive():
            self.process.kill()
        self.process.wait()

    def last_words(self) -> str:
        """The last lines of the log since this start, as part of a sentence."""
        with self.log.open("rb") as log:
            log.seek(self.log_start)
            lines = log.read(MAX_LOG_BYTES).decode(errors="replace").splitlines()
        said = [line.strip() for line in lines if line.strip()][-LAST_LINES:]
        return f"its last words were: {' / '.join(said)}" if said else "it said nothing"

    def refused(self, what: str) -> StartRefused:
        return StartRefused(f"{what}; {self.last_words()} (more in {self.log}).")

    def wait_until(self, ready: Callable[[], bool], seconds: float = READY_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.alive() and not ready():
                raise EndedEarly(str(self.refused(f"{self.name} ended while it started")))
            if time.monotonic() > deadline:
                raise self.refused(f"{self.name} was not ready after {seconds:.0f} seconds")
            time.sleep(0.01)


def launch(
    name: str,
    command: Sequence[str | Path],
    *,
    start: Start,
    log: Path,
    steps: Sequence[guard.Step],
    account: Account | None = None,
) -> Server:
    on_main_thread = threading.current_thread() is threading.main_thread()
    order: guard.Order = {
        "command": [str(part) for part in command],
        "parent": os.getpid(),
        "stay": os.uname().sysname != "Linux" or not on_main_thread,
        "account": (account.uid, account.gid) if account else None,
        "steps": list(steps),
    }
    with open_log(log) as output:
        process = subprocess.Popen(  # noqa: S603 - our own script and a program we looked up
            [sys.executable, "-I", "-S", guard.__file__, json.dumps(order)],
            stdin=subprocess.PIPE if order["stay"] else subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env={name: os.environ[name] for name in FOR_PYTHON if name in os.environ} | ENVIRONMENT,
            pass_fds=(start.lock,),
            start_new_session=True,
        )
        return Server(name=name, process=process, log=log, log_start=output.tell(), steps=steps)


def open_log(log: Path) -> BinaryIO:
    """For appending, readable by its owner only; one that has grown too long begins anew."""
    too_long = log.exists() and log.stat().st_size > MAX_LOG_BYTES
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | (os.O_TRUNC if too_long else 0)
    output = os.fdopen(os.open(log, flags, 0o600), "ab")
    output.seek(0, os.SEEK_END)
    return output


def on_free_port(begin: Callable[[int], Server], ready: Callable[[int], bool]) -> tuple[Server, int]:
    """Begin on a free loopback port, and again on another when somebody took it in between."""
    tries = TRIES
    while True:
        tries -= 1
        port = free_port()
        server = begin(port)
        try:
            server.wait_until(partial(ready, port))
        except EndedEarly:
            server.stop()
            if not (tries and is_taken(port)):
                raise
        except BaseException:
            server.stop()
            raise
        else:
            return server, port


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_taken(port: int) -> bool:
    """Whether somebody listens on this loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
