"""What is published: wheels that start the gateway on their own, and packages whose import does nothing but import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.deployment import (
    Deployment,
    Gateway,
    Process,
    make_database,
    wait_until_ready,
    with_path,
)
from tests.support.firm import Firm
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
MEMBERS = ("core", "gateway")
IMPORTS = """
import importlib, json, os, pkgutil, sys, threading

done = []
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
ACTS = ("socket.connect", "socket.bind", "subprocess.Popen", "os.fork", "os.posix_spawn", "os.mkdir",
        "os.remove", "os.rename", "_thread.start_new_thread", "signal.signal")

def watch(event, args):
    if event in ACTS or (event == "open" and isinstance(args[2], int) and args[2] & WRITES):
        done.append(f"{event} {args[0]!r}")

before = dict(os.environ)
sys.addaudithook(watch)
names = []
for package in ("tieline", "tieline_gateway"):
    module = importlib.import_module(package)
    for found in pkgutil.walk_packages(module.__path__, package + "."):
        if not found.name.endswith(".__main__"):
            names.append(importlib.import_module(found.name).__name__)
if threading.active_count() != 1 or dict(os.environ) != before:
    done.append("threads or environment")
print(json.dumps({"done": done, "names": names}))
"""


def run(*command: str | Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}
    }
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment | more,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment far from the repository, with the built wheels and what they say they need."""
    folder = tmp_path_factory.mktemp("apart")
    for member in MEMBERS:
        built = run(
            sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT / member
        )
        assert built.returncode == 0, built.stderr
    wheels = sorted(folder.glob("*.whl"))
    assert [wheel.name.partition("-")[0] for wheel in wheels] == ["tieline", "tieline_gateway"]
    uv = Path(sys.executable).with_name("uv")
    environment = folder / "environment"
    run(uv, "venv", "--python", sys.executable, environment, cwd=folder)
    install: list[str | Path] = [
        uv,
        "pip",
        "install",
        "--python",
        environment,
        "--constraint",
        ROOT / "requirements.lock",
        *wheels,
    ]
    if run(*install, "--offline", cwd=folder).returncode != 0:  # what `make` fetched is in the cache
        fetched = run(*install, cwd=folder)
        assert fetched.returncode == 0, fetched.stderr
    return environment


def test_the_wheels_hold_whole_packages_and_nothing_else(apart: Path) -> None:
    for member, package in zip(MEMBERS, ("tieline", "tieline_gateway"), strict=True):
        (installed,) = (apart / "lib").glob(f"python*/site-packages/{package}")

        def files(folder: Path) -> set[str]:
            kept = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
            return {str(path.relative_to(folder)) for path in kept}

        assert files(installed) == files(ROOT / member / package)
        assert "py.typed" in files(installed)


def test_the_wheels_alone_serve_the_api(
    apart: Path, deployment: Deployment, firm: Firm, tmp_path: Path
) -> None:
    port = free_port()
    log = tmp_path / "serve.log"
    bare = {name: value for name, value in deployment.environment.items() if name != "PYTHONPATH"}
    with log.open("wb") as output:
        popen = subprocess.Popen(
            [apart / "bin" / "tieline", "serve"],
            cwd=tmp_path,
            env=bare | {"TIELINE_PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    alone = Gateway(url=f"http://127.0.0.1:{port}", process=Process(popen=popen, log=log))
    try:
        wait_until_ready(alone.url, alone.process)
        answer = httpx.post(
            alone.graphql,
            json={"query": "{ viewer { practice { id } } }"},
            headers={"authorization": f"Bearer {firm.admin.key}"},
            timeout=30,
        )
        assert alone.process.stop() == 0
    finally:
        alone.process.kill()

    assert answer.json() == {"data": {"viewer": {"practice": {"id": str(firm.practice_id)}}}}


async def test_without_the_sandbox_up_starts_and_says_that_there_is_no_story(
    apart: Path, deployment: Deployment, tmp_path: Path
) -> None:
    database = urlsplit(await make_database(deployment.admin_url, f"without_sandbox_{os.getpid()}")).path[1:]
    ours = {name: value for name, value in deployment.environment.items() if name.startswith("TIELINE_")}
    ours["TIELINE_DATABASE_URL"] = with_path(ours["TIELINE_DATABASE_URL"], database)

    ended = run(apart / "bin" / "tieline", "up", "--once", "--data", tmp_path / "data", cwd=tmp_path, **ours)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "No story: the distribution tieline-sandbox is not installed." in ended.stdout
    assert "Demo Practice: 40 clients   0 connected" in ended.stdout


def test_without_the_embedded_servers_up_says_what_to_install(apart: Path, tmp_path: Path) -> None:
    ended = run(apart / "bin" / "tieline", "up", "--once", "--data", tmp_path / "data", cwd=tmp_path)

    assert (ended.returncode, len(ended.stderr.strip().splitlines())) == (1, 1), ended.stderr
    assert "embedded" in ended.stderr


def test_importing_every_module_does_nothing_but_import(tmp_path: Path) -> None:
    imported = run(sys.executable, "-B", "-c", IMPORTS, cwd=tmp_path)

    assert imported.returncode == 0, imported.stderr
    report = json.loads(imported.stdout)
    assert report["done"] == []
    assert {"tieline.worker.process", "tieline_gateway.serve"} <= set(report["names"])
