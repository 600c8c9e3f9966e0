"""The embedded PostgreSQL: its cluster made once and whole, started, given its login and database."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tieline.embedded.binaries import usable_install
from tieline.embedded.folder import write_private
from tieline.embedded.process import READY_SECONDS, Server, Start, launch, on_free_port
from tieline.errors import StartRefused

ADMIN, LOGIN, DATABASE = "postgres", "tieline", "tieline"
FIRST_BUILTIN_LOCALE = 17
INITDB_SECONDS = 120.0
STEPS = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 7.0), (signal.SIGKILL, 5.0))  # fast, immediate, none
INITDB_STEPS = ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))

ALWAYS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "log_min_messages": "log",  # errors go to whoever caused them; here they would carry rows into a file
    "log_checkpoints": "off",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

# Statement by statement, each harmless when it has been done.
SETUP = f"""
\\getenv password TIELINE_PASSWORD
SELECT format('CREATE ROLE {LOGIN} LOGIN NOSUPERUSER NOBYPASSRLS CREATEROLE PASSWORD %L', :'password')
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{LOGIN}') \\gexec
SELECT 'CREATE DATABASE {DATABASE} OWNER {LOGIN}'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec
"""  # noqa: S608 - our own two names


@dataclass(frozen=True, kw_only=True)
class Postgres:
    server: Server
    database_url: str = field(repr=False)
    admin_url: str = field(repr=False)


def cluster(data: Path) -> Path:
    return data / "postgres"


@contextmanager
def running(install: Path, start: Start) -> Iterator[Postgres]:
    """PostgreSQL, ready and set up, until the block ends."""
    programs = usable_install(install, start.data, start.account) / "bin"
    _make_cluster(programs, start)
    (cluster(start.data) / "postmaster.pid").unlink(missing_ok=True)  # our lock says that nobody lives
    server, port = on_free_port(
        lambda port: _begin(programs / "postgres", port, start), lambda port: _is_ready(start.data, port)
    )
    try:
        _set_up(install / "bin" / "psql", port, start, server)
        address = f"127.0.0.1:{port}"
        yield Postgres(
            server=server,
            database_url=f"postgres://{LOGIN}:{start.passwords.tieline}@{address}/{DATABASE}",
            admin_url=f"postgres://{ADMIN}:{start.passwords.admin}@{address}/{ADMIN}",
        )
    finally:
        server.stop()


def check_version(install: Path, data: Path) -> None:
    """Refuse a cluster of another major version before anything is touched."""
    if not cluster(data).exists():
        return
    theirs, ours = made_by(data), major(install)
    if theirs != ours:
        raise StartRefused(
            f"The data in {cluster(data)} was made by PostgreSQL {theirs} and the installed one is {ours}: "
            f"dump it with the version that made it, or delete the folder."
        )


def made_by(data: Path) -> int:
    try:
        return int((cluster(data) / "PG_VERSION").read_text())
    except (OSError, ValueError) as error:
        raise StartRefused(f"{cluster(data)} is not a PostgreSQL cluster; move it away.") from error


def major(install: Path) -> int:
    command = [str(install / "bin" / "postgres"), "--version"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True, env={}, cwd="/")  # noqa: S603
    except subprocess.CalledProcessError as error:
        raise StartRefused(
            f"The embedded PostgreSQL does not run on this machine ({error.stderr.strip()}): "
            f"set TIELINE_DATABASE_URL to one that does."
        ) from error
    return int(said.stdout.split()[-1].split(".")[0])


def _make_cluster(programs: Path, start: Start) -> None:
    """Only a finished cluster gets the name that later starts look for."""
    draft = start.data / "postgres.new"
    shutil.rmtree(draft, ignore_errors=True)
    password_file = start.data / "initdb.password"
    password_file.unlink(missing_ok=True)
    if cluster(start.data).exists():
        return
    start.progress("Making a PostgreSQL cluster (first start only)")
    draft.mkdir(mode=0o700)
    if start.account:
        os.chown(draft, start.account.uid, start.account.gid)
    write_private(password_file, start.passwords.admin, start.account)
    try:
        _initdb(programs, draft, password_file, start)
    finally:
        password_file.unlink()
    draft.rename(cluster(start.data))


def _initdb(programs: Path, draft: Path, password_file: Path, start: Start) -> None:
    builtin = major(programs.parent) >= FIRST_BUILTIN_LOCALE
    server = launch(
        "initdb",
        [
            programs / "initdb",
            f"--pgdata={draft}",
            f"--username={ADMIN}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            *(("--locale-provider=builtin", "--locale=C.UTF-8") if builtin else ("--locale=C",)),
            "--no-instructions",
            *(() if start.durable else ("--no-sync",)),
        ],
        start=start,
        log=start.data / "postgres.log",
        steps=INITDB_STEPS,
        account=start.account,
    )
    try:
        server.wait_until(lambda: server.process.poll() == 0, INITDB_SECONDS)
    finally:
        server.stop()


def _begin(program: Path, port: int, start: Start) -> Server:
    start.progress("Starting PostgreSQL")
    settings = {**ALWAYS, **({} if start.durable else NOT_DURABLE), "port": str(port)}
    return launch(
        "PostgreSQL",
        [program, "-D", cluster(start.data), *(f"--{name}={value}" for name, value in settings.items())],
        start=start,
        log=start.data / "postgres.log",
        steps=STEPS,
        account=start.account,
    )


def _is_ready(data: Path, port: int) -> bool:
    """What the server itself says, as `pg_ctl` reads it: line 4 is the port, line 8 the state."""
    try:
        lines = (cluster(data) / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[3] == str(port) and lines[7].strip() == "ready"  # noqa: PLR2004


def _set_up(psql: Path, port: int, start: Start, server: Server) -> None:
    """Connect as a person would, and make what is missing."""
    command = [str(psql), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=terse", "-h", "127.0.0.1"]
    environment = {
        "PGPASSWORD": start.passwords.admin,
        "TIELINE_PASSWORD": start.passwords.tieline,
        "PGSSLMODE": "disable",
        "PGGSSENCMODE": "disable",
        "LC_ALL": "C",
    }
    try:
        subprocess.run(  # noqa: S603 - the wheel's own psql
            [*command, "-p", str(port), "-U", ADMIN, ADMIN],
            input=SETUP,
            env=environment,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=READY_SECONDS,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise server.refused(f"PostgreSQL could not be set up ({error.stderr.strip()})") from error
    except subprocess.TimeoutExpired as error:
        raise server.refused("PostgreSQL did not answer in time") from error
