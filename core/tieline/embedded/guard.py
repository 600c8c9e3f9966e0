"""Ties one server to the process that started it, so that it ends when its starter does, however that ends.

It runs as a script between the two (`python -I -S guard.py <order as JSON>`), with the standard library
alone. Where the kernel can signal a child at its parent's death (Linux, started from a main thread) the
script becomes the server. Elsewhere it stays, as a small process that holds a pipe from the starter and
stops the server when that pipe ends.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import NoReturn, TypedDict

PR_SET_PDEATHSIG = 1  # linux/prctl.h

Step = tuple[int, float]


class Order(TypedDict):
    command: list[str]
    parent: int
    stay: bool
    account: tuple[int, int] | None
    steps: list[Step]


def stop(send: Callable[[int], object], ended: Callable[[], bool], steps: Sequence[Step]) -> None:
    """Send each signal in turn and wait its seconds, until the process has ended."""
    for number, seconds in steps:
        send(number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if ended():
                return
            time.sleep(0.01)


def become(order: Order, parent: int) -> NoReturn:
    """Turn into the server, under its account and tied to `parent`."""
    import ctypes  # while we may still read the library: the account perhaps cannot

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    if account := order["account"]:
        os.setgroups([])
        os.setgid(account[1])
        os.setuid(account[0])
    os.umask(0o077)
    if os.uname().sysname == "Linux":  # asked for after the change of user, which would undo it
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, order["steps"][0][0], 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        sys.exit("The process that wanted this server ended before it began.")
    os.environ.pop("LD_LIBRARY_PATH", None)  # perhaps this Python needed it; the server does not
    os.execv(order["command"][0], order["command"])  # noqa: S606 - the whole point: no shell, this very process


def watch(order: Order) -> int:
    """Stay until the server ends, or stop it when the starter is gone. Answers its exit code."""
    asked: list[int] = []
    me = os.getpid()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        become(order, me)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: asked.append(received))
    codes: list[int] = []

    def ended() -> bool:
        if not codes:
            pid, status = os.waitpid(child, os.WNOHANG)
            codes.extend([os.waitstatus_to_exitcode(status)] if pid else [])
        return bool(codes)

    while not ended():
        told, _, _ = select.select([0], [], [], 0.05)
        if told or asked or os.getppid() != order["parent"]:
            stop(lambda number: os.kill(child, number), ended, order["steps"])
            break
    return abs(codes[0]) if codes else 1


def main() -> int:
    order: Order = json.loads(sys.argv[1])
    if order["stay"]:
        return watch(order)
    become(order, order["parent"])


if __name__ == "__main__":
    sys.exit(main())
