"""`make bench`: each benchmark in turn, and where it was measured."""

from __future__ import annotations

import argparse
import asyncio
import sys

from benchmarks import idle_sockets
from tests.support.figures import machine
from tieline import log


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--sockets", type=int, default=5_000, help="sockets that are open and idle")
    parser.add_argument("--seconds", type=int, default=60, help="how long idleness is measured")
    asked = parser.parse_args()
    log.configure(format="console", level="WARNING")
    for line in asyncio.run(idle_sockets.measured(sockets=asked.sockets, seconds=asked.seconds)):
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"\n{machine()}\n")


if __name__ == "__main__":
    main()
