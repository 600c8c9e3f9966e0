"""What one gets: a login of the right size, data that stays, settings, notices of an early end."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError
from redis.retry import Retry

from tieline.embedded import Servers, embedded_servers
from tieline.embedded import process as launcher
from tieline.embedded.binaries import redis_program
from tieline.errors import StartRefused

ONCE = Retry(NoBackoff(), 0)
Psql = Callable[[str | None, str], str]


def test_the_login_owns_its_database_and_may_make_roles_but_is_no_superuser(kept: Path, psql: Psql) -> None:
    with embedded_servers(kept, redis=False) as servers:
        login = psql(
            servers.database_url,
            "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin"
            "  FROM pg_roles WHERE rolname = current_user",
        )
        database = psql(
            servers.database_url,
            "SELECT datname, pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datlocprovider"
            "  FROM pg_database WHERE datname = current_database()",
        )
        made = psql(servers.database_url, "CREATE TABLE mine (id int); DROP TABLE mine")

    assert login == "tieline|f|f|t|f|t"
    assert database == "tieline|tieline|UTF8|b"
    assert made == ""


def test_the_admin_address_is_the_superuser_of_the_same_cluster(kept: Path, psql: Psql) -> None:
    with embedded_servers(kept, redis=False) as servers:
        who = psql(servers.admin_url, "SELECT current_user, usesuper FROM pg_user WHERE usename = 'postgres'")
        names = psql(servers.admin_url, "SELECT datname FROM pg_database WHERE datname = 'tieline'")

    assert who == "postgres|t"
    assert names == "tieline"


def test_a_second_start_goes_on_with_the_data_and_the_passwords(kept: Path, psql: Psql) -> None:
    with embedded_servers(kept) as first:
        psql(first.database_url, "CREATE TABLE note AS SELECT 'kept' AS body")
        assert first.redis_url
        with Redis.from_url(first.redis_url) as redis:
            redis.set("bell", "rung")

    with embedded_servers(kept) as second:
        body = psql(second.database_url, "SELECT body FROM note")
        psql(second.database_url, "DROP TABLE note")
        assert second.redis_url
        with Redis.from_url(second.redis_url) as redis:
            bell = redis.getdel("bell")

    assert body == "kept"
    assert bell == b"rung"
    assert urlsplit(first.database_url or "").password == urlsplit(second.database_url or "").password


def test_only_what_is_asked_for_runs(data: Path) -> None:
    with embedded_servers(data, postgres=False) as servers:
        assert servers.database_url is None
        assert servers.admin_url is None
        assert servers.redis_url

    assert not (data / "postgres").exists()


def test_servers_listen_on_loopback_only_and_make_no_socket_file(kept: Path, psql: Psql) -> None:
    with embedded_servers(kept) as servers:
        listening = psql(servers.admin_url, "SHOW listen_addresses")
        sockets = psql(servers.admin_url, "SHOW unix_socket_directories")
        assert servers.redis_url
        with Redis.from_url(servers.redis_url) as redis:
            config = redis.config_get("*")

    assert (listening, sockets) == ("127.0.0.1", "")
    assert (config["bind"], config["unixsocket"], config["databases"]) == ("127.0.0.1", "", "64")


def test_a_wrong_password_opens_nothing(kept: Path, psql: Psql) -> None:
    with embedded_servers(kept) as servers:
        database, redis = urlsplit(servers.admin_url or ""), urlsplit(servers.redis_url or "")
        said = psql(f"postgres://postgres:wrong@127.0.0.1:{database.port}/postgres", "SELECT 1")
        with (
            Redis(host="127.0.0.1", port=redis.port or 0, password="wrong", retry=ONCE) as stranger,
            pytest.raises(AuthenticationError),
        ):
            stranger.ping()

    assert "password authentication failed" in said


def test_secrets_are_in_private_files_and_in_no_argument_list_log_or_repr(kept: Path) -> None:
    with embedded_servers(kept) as servers:
        urls = (servers.database_url, servers.admin_url, servers.redis_url)
        secrets = [urlsplit(url or "").password or "" for url in urls]
        told = repr(servers) + str([server.process.args for server in servers.running])
        with_secrets = [
            file
            for file in kept.iterdir()
            if file.is_file() and any(secret in file.read_text() for secret in secrets)
        ]

    assert all(len(secret) >= 32 for secret in secrets)
    assert len(set(secrets)) == 3
    assert not any(secret in told for secret in secrets)
    assert sorted(file.name for file in with_secrets) == ["passwords.json", "redis.conf"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in kept.iterdir() if file.is_file()} == {0o600}


@pytest.mark.parametrize(("durable", "expected"), [(True, ("on", "yes")), (False, ("off", "no"))])
def test_durable_says_whether_a_crash_may_lose_data(
    kept: Path, psql: Psql, *, durable: bool, expected: tuple[str, str]
) -> None:
    names = ["fsync", "synchronous_commit", "full_page_writes", "max_connections", "timezone"]

    with embedded_servers(kept, durable=durable) as servers:
        settings = [psql(servers.admin_url, f"SHOW {name}") for name in names]
        assert servers.redis_url
        with Redis.from_url(servers.redis_url) as redis:
            append_only = redis.config_get("appendonly")["appendonly"]

    assert settings == [expected[0]] * 3 + ["200", "UTC"]
    assert append_only == expected[1]


def test_nothing_is_printed_and_progress_is_told(kept: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []

    with embedded_servers(kept, progress=told.append):
        pass

    assert capfd.readouterr() == ("", "")
    assert told == ["Starting PostgreSQL", "Starting Redis"]


def test_a_later_start_takes_less_than_two_seconds(kept: Path) -> None:
    took = []
    for _ in range(3):
        begun = time.monotonic()
        with embedded_servers(kept):
            took.append(time.monotonic() - begun)

    assert min(took) < 2  # 0.3 s on a quiet machine; one that does other things stands still for as long


def test_a_server_that_ends_on_its_own_is_noticed_and_quoted(kept: Path) -> None:
    with embedded_servers(kept) as servers:
        assert servers.alive()
        database = servers.running[0]
        database.process.send_signal(signal.SIGINT)
        database.process.wait(20)

        assert not servers.alive()
        (said,) = servers.ended()

    assert said.startswith("PostgreSQL ended: its last words were: ")
    assert said.endswith("database system is shut down")


def test_servers_outlive_the_thread_that_started_them(kept: Path, psql: Psql) -> None:
    with ExitStack() as stack:
        started: list[Servers] = []
        thread = threading.Thread(target=lambda: started.append(stack.enter_context(embedded_servers(kept))))
        thread.start()
        thread.join(60)
        (servers,) = started

        with pytest.raises(subprocess.TimeoutExpired):
            servers.running[0].process.wait(0.5)
        assert servers.alive()
        assert psql(servers.database_url, "SELECT 1") == "1"

    assert "database system is shut down" in (kept / "postgres.log").read_text().splitlines()[-1]


def test_a_port_taken_in_between_is_left_for_another(
    kept: Path, psql: Psql, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        taken: int = somebody.getsockname()[1]
        free = [launcher.free_port() for _ in range(2)]
        offered = [taken, free[0], taken, free[1]]
        monkeypatch.setattr(launcher, "free_port", lambda: offered.pop(0))

        with embedded_servers(kept) as servers:
            ports = [urlsplit(url or "").port for url in (servers.database_url, servers.redis_url)]
            assert psql(servers.database_url, "SELECT 1") == "1"

    assert ports == free


def test_a_program_on_the_path_comes_before_the_wheel(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, mark = redis_program(), tmp_path / "used"
    program = tmp_path / "redis-server"
    program.write_text(f'#!/bin/sh\n: > "{mark}"\nexec "{real}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    with embedded_servers(kept, postgres=False) as servers:
        assert servers.alive()

    assert mark.exists()


def test_a_failed_start_quotes_the_last_lines_and_names_the_log(kept: Path) -> None:
    settings = kept / "postgres" / "postgresql.auto.conf"
    before = settings.read_text()

    settings.write_text("nonsense = 1\n")
    try:
        with pytest.raises(StartRefused) as refused, embedded_servers(kept):
            pass
    finally:
        settings.write_text(before)

    assert str(refused.value).startswith("PostgreSQL ended while it started; its last words were: ")
    assert "unrecognized configuration parameter" in str(refused.value)
    assert str(kept / "postgres.log") in str(refused.value)


def test_a_log_beyond_ten_megabytes_starts_again(kept: Path) -> None:
    log = kept / "postgres.log"
    os.truncate(log, 10 * 1024 * 1024 + 1)

    with embedded_servers(kept, redis=False):
        pass

    assert log.stat().st_size < 10_000


def test_failing_statements_leave_no_data_in_the_log(kept: Path, psql: Psql) -> None:
    with embedded_servers(kept, redis=False) as servers:
        psql(servers.database_url, "SELECT 'a-clients-name'::int")

    assert "a-clients-name" not in (kept / "postgres.log").read_text()
