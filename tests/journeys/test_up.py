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
from tests.support.processes import alive, command_line, descendants, mentioning
from tieline.embedded import default_data_folder
from tieline.embedded.process import free_port

NAMES = "query($search: String) { clients(search: $search, first: 200) { totalCount nodes { name } } }"
STORY_SECONDS = 180.0
BOARD = "Demo Practice: 40 clients   25 connected (1 mismatch), 1 expired, 14 not connected"
SEEN = (
    "Morgan Ellis at Xero, played by the sandbox: 27 organisations",
    "25 clients by suggested names, in one call: 25 CONNECTED",
    "24 names the same, 1 only alike, 2 nobody's",
    "equal the provider's books",
    "Brecon Bookshop Ltd is paused by the provider's day limit",
    "Dunmore Joinery Ltd is expired (REVOKED_AT_PROVIDER)",
    BOARD,
)
SIGNALS = (signal.SIGKILL, signal.SIGINT)


@contextmanager
def bare_machine(deployment: Deployment, folder: Path) -> Iterator[Deployment]:
    """A machine on which nothing of Tieline is set; its data goes to where it would go in this folder."""
    data = default_data_folder(folder)
    bare = {name: value for name, value in deployment.environment.items() if not name.startswith("TIELINE_")}
    yield replace(deployment, environment=bare | {"TIELINE_DATA": str(data)}, logs=folder)
    shutil.rmtree(data, ignore_errors=True)


@pytest.fixture(scope="module")
def machine(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with bare_machine(deployment, tmp_path_factory.mktemp("machine")) as machine:
        yield machine


@pytest.fixture
def another(deployment: Deployment, tmp_path: Path) -> Iterator[Deployment]:
    """A machine of this test's own."""
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


def test_once_tells_its_story_and_leaves_nothing_running(machine: Deployment, data: Path) -> None:
    told = story(machine)

    for sentence in SEEN:
        assert sentence in told
    assert "Not seen" not in told
    assert re.search(r"^The story took \d+ seconds\.$", told, re.MULTILINE)
    assert "\x1b" not in told
    assert max(map(len, told.splitlines())) <= 120
    assert mentioning(str(data)) == []
    assert not (data / "environment").exists(), "its addresses are no good any more"
    secrets = [data / name for name in ("demo-key", "encryption-key", "passwords.json")]
    assert [stat.S_IMODE(file.stat().st_mode) for file in secrets] == [0o600] * len(secrets)


def test_a_story_that_is_cut_off_is_told_to_its_end_by_later_starts(another: Deployment) -> None:
    stopped = cut_off(another, "demo practice with 40 clients", lambda up: up.send_signal(signal.SIGTERM))
    killed = cut_off(another, "25 CONNECTED", lambda up: up.send_signal(signal.SIGKILL))
    broken = cut_off(another, "First syncs", lambda up: os.kill(the_child(up.pid, "serve"), signal.SIGKILL))

    told = story(another)

    assert [up.popen.returncode for up in (stopped, killed, broken)] == [1, -signal.SIGKILL, 1]
    assert "Stopped; the data is kept" in stopped.logged()
    assert "Not seen: 'tieline serve' ended: " in broken.logged()
    assert "25 clients were connected at an earlier start" in told
    assert BOARD in told


def cut_off(machine: Deployment, moment: str, strike: Callable[[subprocess.Popen[bytes]], None]) -> Process:
    """A start that is struck at this moment of its story, and left nothing behind."""
    up = machine.start("up", "--once")
    try:
        up.wait_for(moment, seconds=STORY_SECONDS)
        pids = descendants(up.popen.pid)
        strike(up.popen)
        up.popen.wait(timeout=45)
        wait_until_nothing_is_left(pids, Path(machine.environment["TIELINE_DATA"]))
    finally:
        up.kill()
    up.assert_unbroken()
    return up


def the_child(pid: int, command: str) -> int:
    """The process of ours that runs this command."""
    (found,) = (child for child in descendants(pid) if command_line(child).endswith(f" -m tieline {command}"))
    return found


def test_whatever_ends_it_nothing_is_left_running_and_the_next_start_goes_on_with_its_data(
    machine: Deployment, data: Path
) -> None:
    if not (data / "story-told").exists():
        story(machine)
    made: list[str] = []
    for number in SIGNALS:
        port = free_port()
        up = machine.start("up", "--port", str(port))
        pids: set[int] = set()
        try:
            up.wait_for("Ctrl-C stops everything", seconds=STORY_SECONDS)
            url = f"http://127.0.0.1:{port}"
            wait_until_ready(url, up)
            kept = ask(url, data, NAMES, search="kept")["clients"]["nodes"]
            ask(url, data, CREATE, input={"name": f"Kept until {number.name}"})
            pids = descendants(up.popen.pid)

            up.popen.send_signal(number)
            code = up.popen.wait(timeout=45)
            wait_until_nothing_is_left(pids, data)
        finally:
            for pid in {pid for pid in pids if alive(pid)}:
                os.kill(pid, signal.SIGKILL)
            up.kill()

        assert kept == [{"name": name} for name in sorted(made)]
        assert len(pids) > 9, "two servers and five processes of ours, with what they started"
        assert code == (-signal.SIGKILL if number is signal.SIGKILL else 0)
        assert_quiet(up)
        assert "Sign in  " not in up.logged(), "the story was told at an earlier start"
        assert (BOARD in up.logged()) == (made == [])
        made.append(f"Kept until {number.name}")


def assert_quiet(up: Process) -> None:
    up.assert_unbroken()
    assert "had ended" not in up.logged(), up.logged()
