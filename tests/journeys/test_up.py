"""`tieline up`: everything on one machine from nothing; and nothing is left of it, however it ends, but its data."""

from __future__ import annotations

import os
import shutil
import signal
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.support.deployment import Deployment, Process, wait_until_ready
from tests.support.firm import CREATE
from tests.support.polling import wait_until
from tests.support.processes import alive, descendants, mentioning
from tieline.embedded import default_data_folder
from tieline.embedded.process import free_port

NAMES = "query($search: String) { clients(search: $search, first: 200) { totalCount nodes { name } } }"
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)


@pytest.fixture(scope="module")
def machine(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A machine on which nothing of Tieline is set; `logs` is also where the data may go."""
    folder = tmp_path_factory.mktemp("machine")
    data = default_data_folder(folder)
    bare = {name: value for name, value in deployment.environment.items() if not name.startswith("TIELINE_")}
    yield replace(deployment, environment=bare | {"TIELINE_DATA": str(data)}, logs=folder)
    shutil.rmtree(data, ignore_errors=True)


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


def test_once_tells_its_story_and_leaves_nothing_running(machine: Deployment, data: Path) -> None:
    ended = machine.run("up", "--once")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Demo Practice: 40 clients" in ended.stdout
    assert "Ashford Bakery Ltd" in ended.stdout
    assert mentioning(str(data)) == []
    assert not (data / "environment").exists(), "its addresses are no good any more"
    secrets = [data / name for name in ("demo-key", "encryption-key", "passwords.json")]
    assert [stat.S_IMODE(file.stat().st_mode) for file in secrets] == [0o600] * len(secrets)


def test_whatever_ends_it_nothing_is_left_running_and_the_next_start_goes_on_with_its_data(
    machine: Deployment, data: Path
) -> None:
    made: list[str] = []
    for number in SIGNALS:
        port = free_port()
        up = machine.start("up", "--port", str(port))
        pids: set[int] = set()
        try:
            up.wait_for("Ctrl-C stops everything")
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
        assert len(pids) > 8, "two servers and four processes of ours, with what they started"
        assert code == (-signal.SIGKILL if number is signal.SIGKILL else 0)
        assert_quiet(up)
        made.append(f"Kept until {number.name}")


def assert_quiet(up: Process) -> None:
    assert "Traceback" not in up.logged(), up.logged()
    assert "had ended" not in up.logged(), up.logged()
