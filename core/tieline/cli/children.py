"""Our own processes as children: tied to us, waited for, started again when they die, stopped in bounded time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tieline.embedded import guard
from tieline.embedded.process import open_log
from tieline.errors import StartRefused

READY_SECONDS = 45.0

_STEPS: tuple[guard.Step, ...] = ((int(signal.SIGTERM), 15.0), (int(signal.SIGKILL), 5.0))
STEADY_SECONDS = 10.0
_LAST_BYTES = 8_192


@dataclass(kw_only=True)
class Child:
    """One command of `tieline`, its output in a file."""

    arguments: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    log: Path
    process: subprocess.Popen[bytes] | None = None
    began: float = 0.0

    @property
    def name(self) -> str:
        return " ".join(self.arguments)

    def start(self) -> None:
        order: guard.Order = {
            "command": [sys.executable, "-m", "tieline", *self.arguments],
            "parent": os.getpid(),
            "stay": os.uname().sysname != "Linux",
            "account": None,
            "steps": list(_STEPS),
        }
        self.began = time.monotonic()
        with open_log(self.log) as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own script and our own program
                [sys.executable, "-I", "-S", guard.__file__, json.dumps(order)],
                stdin=subprocess.PIPE if order["stay"] else subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**self.environment},
                start_new_session=True,
            )

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def last_words(self) -> str:
        """The last line of its log."""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - _LAST_BYTES))
            lines = log.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


@dataclass
class Family:
    """The processes of one machine. Leaving the block stops them all."""

    children: list[Child] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        running = [child.process for child in self.children if child.process is not None]
        for number, seconds in _STEPS:
            for process in running:
                if process.poll() is None:
                    process.send_signal(number)
            deadline = time.monotonic() + seconds
            while any(process.poll() is None for process in running) and time.monotonic() < deadline:
                time.sleep(0.02)

    def start(self, *children: Child) -> None:
        for child in children:
            self.children.append(child)
            child.start()

    def wait_for(self, address: str) -> None:
        """Wait until this answers 200. Raises StartRefused, with a child's last words when one of them ended."""
        deadline = time.monotonic() + READY_SECONDS
        while not _answers(address):
            for sentence in self.ended():
                raise StartRefused(sentence)
            if time.monotonic() > deadline:
                raise StartRefused(f"{address} was not ready after {READY_SECONDS:.0f} seconds.")
            time.sleep(0.05)

    def ended(self) -> list[str]:
        """A sentence for each that has ended although nobody stopped it."""
        return [
            f"'tieline {child.name}' ended: {child.last_words()} (see {child.log})."
            for child in self.children
            if not child.alive()
        ]

    def tend(self) -> list[Child]:
        """Start again what has died since the last look, at most once in ten seconds each; who had died."""
        dead = [
            child
            for child in self.children
            if not child.alive() and time.monotonic() - child.began > STEADY_SECONDS
        ]
        for child in dead:
            child.start()
        return dead


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as response:  # noqa: S310 - a process of our own
            return bool(response.status == 200)  # noqa: PLR2004 - HTTP's word for fine
    except (urllib.error.URLError, OSError):
        return False
