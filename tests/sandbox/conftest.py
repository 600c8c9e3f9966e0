"""The sandbox as a process of its own, once for the session, and clients to talk to it with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.sandbox.books import Books
from tests.sandbox.xero import Person, Xero
from tests.support.ports import free_port
from tests.support.processes import assert_unbroken

WAIT_SECONDS = 30.0
_SOME = ("items", "credit_notes", "prepayments", "overpayments", "bank_transfers", "manual_journals")


@dataclass(frozen=True, kw_only=True)
class Running:
    """A sandbox that listens; `url` without a slash at the end."""

    url: str
    popen: subprocess.Popen[bytes]
    log: Path

    def logged(self) -> str:
        return self.log.read_text(errors="replace")

    def wait(self) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while "sandbox.ready" not in self.logged():
            if self.popen.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the sandbox did not come up: {self.logged()}")
            time.sleep(0.02)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        try:
            return self.popen.wait(timeout=30)
        finally:
            self.popen.kill()


Start = Callable[..., Running]


@contextmanager
def started(log: Path, *options: str, port: int = 0) -> Iterator[Running]:
    """A sandbox until the block ends; a traceback in its log fails the test."""
    port = port or free_port()
    with log.open("wb") as output:
        popen = subprocess.Popen(
            [sys.executable, "-m", "tieline_sandbox", "--port", str(port), *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
    running = Running(url=f"http://localhost:{port}", popen=popen, log=log)
    try:
        running.wait()
        yield running
        assert running.popen.returncode == -signal.SIGKILL or running.stop() == 0, running.logged()
        assert_unbroken(running.logged())
        assert "ERROR" not in running.logged(), running.logged()
    finally:
        popen.kill()
        popen.wait()


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The session's sandbox."""
    with started(tmp_path_factory.mktemp("sandbox") / "log") as running:
        yield running


@pytest.fixture
async def xero(sandbox: Running) -> AsyncIterator[Xero]:
    """The sandbox as it is at its beginning, with an app that has an address to return to."""
    async with httpx.AsyncClient(base_url=sandbox.url, timeout=30) as http:
        made = Xero(http=http)
        await made.control("POST", "/reset")
        await made.configure()
        yield made


@pytest.fixture
async def person(xero: Xero) -> Person:
    """Somebody with three organisations."""
    return await xero.populate(organisations=3)


@pytest.fixture
async def books(xero: Xero) -> Books:
    """Books of 230 invoices, without a limit on calls."""
    records = {"invoices": 230, "contacts": 110, **dict.fromkeys(_SOME, 40)}
    await xero.control("PUT", "/limits", {"minute": None, "day": None})
    person = await xero.populate(organisations=1, seed="books", records=records)
    pair = await xero.connect(person, person.tenants[0])
    return Books(xero=xero, tenant=person.tenants[0], access_token=pair["access_token"])
