"""A plugin of a third party, written from docs/plugin-authors.md alone: installed from its folder, listed, tested."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.deployment import Deployment
from tests.support.source import ROOT

SOURCE = ROOT / "tests" / "providers" / "abacus"


def run(*command: str | Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=os.environ | more,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it is installed, beside nothing else."""
    folder = shutil.copytree(
        SOURCE, tmp_path_factory.mktemp("author") / "abacus", ignore=shutil.ignore_patterns("__pycache__")
    )
    place = tmp_path_factory.mktemp("installed")
    uv = Path(sys.executable).with_name("uv")
    how = ("--no-deps", "--no-build-isolation", "--offline", "--python", sys.executable, "--target", place)
    done = run(uv, "pip", "install", *how, folder, cwd=place)
    assert done.returncode == 0, done.stderr
    return place


def test_it_is_listed_among_the_plugins(deployment: Deployment, installed: Path) -> None:
    environment = deployment.environment | {"PYTHONPATH": str(installed)}
    listed = run(sys.executable, "-m", "tieline", "plugins", cwd=installed, **environment)

    assert (listed.returncode, listed.stderr) == (0, "")
    assert "abacus  Abacus  tieline-abacus 0.1.0  contract 1" in listed.stdout.splitlines()


def test_its_own_tests_hold_it_to_the_whole_contract(installed: Path, tmp_path: Path) -> None:
    for name in ("pretended_abacus.py", "test_abacus.py"):
        shutil.copy(SOURCE / name, tmp_path)

    alone = ("-p", "no:cacheprovider", "-p", "no:asyncio", "-W", "error", "--rootdir", tmp_path)
    tested = run(sys.executable, "-m", "pytest", "-q", *alone, cwd=tmp_path, PYTHONPATH=str(installed))

    assert tested.returncode == 0, tested.stdout
    assert " passed" in tested.stdout
    assert "skipped" not in tested.stdout
