"""Folders that PostgreSQL's account can reach, a session's cluster, and small clients to look in with."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tieline.embedded import embedded_servers
from tieline.embedded.binaries import postgres_install

SCRIPT = Path(__file__).with_name("run_servers.py")


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A folder that is not there yet. As root, pytest's own folders are closed to PostgreSQL's account."""
    if os.geteuid() != 0:
        yield tmp_path / "data"
        return
    folder = Path("/var/tmp").resolve() / f"tieline-test-{secrets.token_hex(6)}"  # noqa: S108
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder whose cluster is made already, for tests that leave it as it was."""
    folder = tmp_path_factory.mktemp("kept") / "data"
    if os.geteuid() == 0:
        folder = Path("/var/tmp").resolve() / f"tieline-test-{secrets.token_hex(6)}"  # noqa: S108
    with embedded_servers(folder, durable=False):
        pass
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def psql() -> Callable[[str | None, str], str]:
    """Runs one statement as a person would, and answers its rows as lines."""

    def run(url: str | None, statement: str) -> str:
        assert url
        program = str(postgres_install() / "bin" / "psql")
        command = [program, "-X", "-A", "-t", "-q", url, "-c", statement]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        return (done.stdout + done.stderr).strip()

    return run


@pytest.fixture
def script() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `run_servers.py` with the given wishes, as the leader of its own process group."""
    started: list[subprocess.Popen[str]] = []

    def start(data: Path, **wishes: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, SCRIPT, json.dumps({"data": str(data), **wishes})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
