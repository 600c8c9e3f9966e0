"""`tieline up`: everything on one machine from nothing; and nothing is left of it, however it ends, but its data."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.support.deployment import Deployment, Process, wait_until_ready
from tests.support.firm import CREATE
from tests.support.polling import wait_until
from tests.support.ports import free_port
from tests.support.processes import alive, command_line, descendants, mentioning
from tieline.embedded import default_data_folder

STORY_SECONDS = 180.0
BOARD = "Demo Practice: {clients} clients   30 connected (1 mismatch), 2 expired, {others} not connected"
SEEN = (
    "Morgan Ellis at Xero, played by the sandbox: one consent, 27 organisations",
    "25 clients by suggested names, in one call: 25 CONNECTED",
    "24 names the same, 1 only alike, 2 nobody's",
    "round 3: Demo Practice LLP, the firm's own books, picked by mistake",
    "round 4: Évian Bicycles Ltd",
    "3 clients by suggested names, in one call: 3 CONNECTED",
    "Demo Practice LLP bears no client's name, and is connected to nobody",
    "31 equal the providers' books",
    "Brecon Bookshop Ltd is paused by the provider's day limit",
    "Dunmore Joinery Ltd and 2 more are expired (REVOKED_AT_PROVIDER)",
    "3 to mend at Xero; 1 disconnected by hand stays so",
    "RECONNECTED: Dunmore Bicycles Ltd and Dunmore Bookshop Ltd",
    "NOT_IN_THIS_LOGIN: Dunmore Joinery Ltd",
    "Ashford Bakery Ltd   Demo Admin (morgan.ellis@demo.invalid) → Robin Hale (robin.hale@demo.invalid)",
    BOARD.format(clients=40, others=8),
)


@contextmanager
def bare_machine(deployment: Deployment, folder: Path) -> Iterator[Deployment]:
    """A machine on which nothing of Tieline is set; its data goes to where it would go in this folder."""
    data = default_data_folder(folder)
    bare = {name: value for name, value in deployment.environment.items() if not name.startswith("TIELINE_")}
    yield replace(deployment, environment=bare | {"TIELINE_DATA": str(data)}, logs=folder)
    shutil.rmtree(data, ignore_errors=True)


@pytest.fixture
def machine(deployment: Deployment, tmp_path: Path) -> Iterator[Deployment]:
    with bare_machine(deployment, tmp_path) as machine:
        yield machine


@pytest.fixture
def data(machine: Deployment) -> Path:
    return Path(machine.environment["TIELINE_DATA"])


def ask(url: str, data: Path, query: str, **variables: object) -> dict[str, dict[str, object]]:
    key = (data / "demo-key").read_text().strip()
    answer = httpx.post(
        f"{url}/graphql",
        json={"query": query, "variables": variables},
        headers={"authorization": f"Bearer {key}"},
        timeout=30,
    ).json()
    assert "errors" not in answer, answer
    asked: dict[str, dict[str, object]] = answer["data"]
    return asked


def wait_until_nothing_is_left(pids: set[int], data: Path) -> None:
    wait_until(lambda: not any(alive(pid) for pid in pids), "all that was started has ended")
    assert mentioning(str(data)) == []


def story(machine: Deployment) -> str:
    """What `tieline up --once` says, if all went well."""
    ended = machine.run("up", "--once")
    assert (ended.returncode, ended.stderr) == (0, ""), ended
    return ended.stdout


def test_its_story_is_told_once_and_whatever_ends_it_the_next_start_goes_on_with_its_data(
    machine: Deployment, data: Path
) -> None:
    first = stayed(machine, data, client="Kept Ltd", signal_=signal.SIGINT)
    later = stayed(machine, data, client="Another Ltd", signal_=signal.SIGKILL)

    told = first.logged()
    for sentence in SEEN:
        assert sentence in told
    assert re.search(r"^The story took \d+ seconds\.$", told, re.MULTILINE)
    assert (first.popen.returncode, later.popen.returncode) == (0, -signal.SIGKILL)
    assert BOARD.format(clients=41, others=9) in later.logged()
    assert "First syncs" not in later.logged(), "the story was told at an earlier start"
    for up in (first, later):
        assert "Not seen" not in up.logged()
        assert "had ended" not in up.logged()


def test_a_story_that_is_cut_off_is_told_to_its_end_by_later_starts(machine: Deployment, data: Path) -> None:
    stopped = cut_off(machine, "First syncs", lambda up: up.send_signal(signal.SIGTERM))
    broken = cut_off(
        machine, "to mend at Xero", lambda up: os.kill(the_child(up.pid, "serve"), signal.SIGKILL)
    )
    told = story(machine)

    assert [up.popen.returncode for up in (stopped, broken)] == [1, 1]
    assert "Stopped; the data is kept" in stopped.logged()
    assert "25 clients were connected at an earlier start" in broken.logged()
    assert "3 companies were connected at an earlier start" in broken.logged()
    assert "Not seen: 'tieline serve' ended: " in broken.logged()
    assert "Dunmore Joinery Ltd was found expired at an earlier start" in told
    assert BOARD.format(clients=40, others=8) in told
    assert "Not seen" not in told
    shown = stopped.logged() + told
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= 120
    assert mentioning(str(data)) == []
    assert not (data / "environment").exists(), "its addresses are no good any more"
    secrets = [data / name for name in ("demo-key", "colleague-key", "encryption-key", "passwords.json")]
    assert [stat.S_IMODE(file.stat().st_mode) for file in secrets] == [0o600] * len(secrets)


def cut_off(machine: Deployment, moment: str, strike: Callable[[subprocess.Popen[bytes]], None]) -> Process:
    """A start that is struck at this moment of its story, and left nothing behind."""
    up = machine.start("up", "--once")
    with ended_by(up, machine, strike):
        up.wait_for(moment, seconds=STORY_SECONDS)
    return up


def stayed(machine: Deployment, data: Path, *, client: str, signal_: signal.Signals) -> Process:
    """A start that stayed until somebody had added a client and sent it this signal."""
    port = free_port()
    up = machine.start("up", "--port", str(port))
    with ended_by(up, machine, lambda popen: popen.send_signal(signal_)):
        up.wait_for("Ctrl-C stops everything", seconds=STORY_SECONDS)
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url, up)
        ask(url, data, CREATE, input={"name": client})
        assert len(descendants(up.popen.pid)) > 9, "two servers and five processes, with what they started"
    return up


@contextmanager
def ended_by(
    up: Process, machine: Deployment, strike: Callable[[subprocess.Popen[bytes]], None]
) -> Iterator[None]:
    """Struck when the block is left; nothing stays behind."""
    try:
        yield
        pids = descendants(up.popen.pid)
        strike(up.popen)
        up.popen.wait(timeout=45)
        wait_until_nothing_is_left(pids, Path(machine.environment["TIELINE_DATA"]))
    finally:
        up.kill()
    up.assert_unbroken()


def the_child(pid: int, command: str) -> int:
    """The process of ours that runs this command."""
    (found,) = (child for child in descendants(pid) if command_line(child).endswith(f" -m tieline {command}"))
    return found
