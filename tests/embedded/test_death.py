"""Nothing is left running when the parent ends, however it ends, and the next start goes on from there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from redis import Redis

from tieline.embedded import embedded_servers

Psql = Callable[[str | None, str], str]
Script = Callable[..., subprocess.Popen[str]]
LONG_SECONDS = 20.0
_THOSE_THAT_STAY = """
SELECT pid FROM pg_stat_activity WHERE backend_type NOT IN ('client backend', 'autovacuum worker')
"""


def wait_for(what: Callable[[], bool], seconds: float = LONG_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    """A process that ended and waits for its parent to look is gone too."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return Path("/proc/self").exists()  # without /proc the signal's answer stands


def parent_of(pid: int) -> int | None:
    """None when the process has ended meanwhile, as one server does when another takes its leave."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except FileNotFoundError:
        return None


def everything(process: subprocess.Popen[str], data: Path, psql: Psql) -> set[int]:
    """All processes that stay: what was started, the postmaster, those it always has, and Redis."""
    assert process.stdout
    told = json.loads(process.stdout.readline())
    backends = psql(told["admin_url"], _THOSE_THAT_STAY)
    with Redis.from_url(told["redis_url"]) as redis:
        server: int = redis.info("server")["process_id"]
    postmaster = int((data / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    return {*told["pids"], *(int(pid) for pid in backends.split()), postmaster, server}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_all_servers_end_with_their_parent(
    kept: Path, script: Script, psql: Psql, number: signal.Signals
) -> None:
    parent = script(kept)
    pids = everything(parent, kept, psql)
    assert len(pids) > 5
    assert not any(gone(pid) for pid in pids)

    os.killpg(parent.pid, number)  # as a terminal does: everybody in the parent's group hears it
    parent.wait(LONG_SECONDS)

    assert parent.returncode == -number
    wait_for(lambda: all(gone(pid) for pid in pids))
    assert "database system is shut down" in (kept / "postgres.log").read_text().splitlines()[-1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_servers_started_from_a_thread_end_with_the_process(
    kept: Path, script: Script, psql: Psql, number: signal.Signals
) -> None:
    parent = script(kept, thread=True)
    pids = everything(parent, kept, psql)

    parent.send_signal(number)
    parent.wait(LONG_SECONDS)

    wait_for(lambda: all(gone(pid) for pid in pids))
    assert "database system is shut down" in (kept / "postgres.log").read_text().splitlines()[-1]


def test_a_killed_guard_takes_its_server_along(kept: Path, script: Script, psql: Psql) -> None:
    parent = script(kept, thread=True)
    pids = everything(parent, kept, psql)
    assert os.uname().sysname == "Linux" or pytest.skip("only Linux ties the server to its guard")

    for pid in pids - {parent.pid}:
        if not gone(pid) and parent_of(pid) == parent.pid:
            os.kill(pid, signal.SIGKILL)

    wait_for(lambda: all(gone(pid) for pid in pids))


def test_leaving_the_block_stops_everything_at_once(kept: Path, script: Script, psql: Psql) -> None:
    parent = script(kept)
    pids = everything(parent, kept, psql)

    said = parent.communicate(input="", timeout=LONG_SECONDS)

    assert parent.returncode == 0
    assert said == ("", "")
    assert all(gone(pid) for pid in pids)


def test_a_start_right_after_a_killed_one_waits_for_its_servers(
    kept: Path, script: Script, psql: Psql
) -> None:
    first = script(kept)
    everything(first, kept, psql)
    slow = int((kept / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(slow, signal.SIGSTOP)
    first.kill()
    first.wait(LONG_SECONDS)

    second = script(kept)
    try:
        wait_for(lambda: (kept / "owner.lock").read_text() == str(second.pid))
        with pytest.raises(subprocess.TimeoutExpired):
            second.wait(0.7)  # twice what a start takes
        assert not gone(slow)
    finally:
        os.kill(slow, signal.SIGCONT)

    assert slow not in everything(second, kept, psql)
    assert gone(slow)


def test_killing_all_processes_at_once_blocks_no_later_start(kept: Path, script: Script, psql: Psql) -> None:
    parent = script(kept)
    pids = everything(parent, kept, psql) | {parent.pid}
    for number in (signal.SIGSTOP, signal.SIGKILL):  # else some might end well before it is their turn
        for pid in pids:
            with suppress(ProcessLookupError):  # a backend that saw its postmaster die
                os.kill(pid, number)
    parent.wait(LONG_SECONDS)
    assert (kept / "postgres" / "postmaster.pid").exists()

    with embedded_servers(kept, durable=False) as servers:
        assert psql(servers.database_url, "SELECT 1") == "1"


def test_a_stale_pid_that_another_process_has_got_since_blocks_no_start(kept: Path, psql: Psql) -> None:
    owner = (kept / "postgres").stat()
    user, group = (owner.st_uid, owner.st_gid) if os.geteuid() == 0 else (None, None)
    with subprocess.Popen(["sleep", "60"], cwd="/", user=user, group=group) as stranger:
        stale = kept / "postgres" / "postmaster.pid"
        stale.write_text(f"{stranger.pid}\n{kept / 'postgres'}\n0\n5432\n\n127.0.0.1\n\nready\n")
        os.chown(stale, owner.st_uid, owner.st_gid)
        try:
            with embedded_servers(kept, durable=False, redis=False) as servers:
                assert psql(servers.database_url, "SELECT 1") == "1"
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_a_first_start_killed_while_it_makes_the_cluster_is_repaired(
    data: Path, script: Script, psql: Psql
) -> None:
    parent = script(data, redis=False, die_when=str(data / "postgres.new" / "base"))
    parent.wait(LONG_SECONDS)
    assert parent.returncode == -signal.SIGKILL
    assert not (data / "postgres").exists()

    with embedded_servers(data, redis=False, durable=False) as servers:
        assert psql(servers.database_url, "SELECT 1") == "1"

    assert not (data / "postgres.new").exists()
    assert not (data / "initdb.password").exists()


def test_a_first_start_killed_before_the_login_is_made_keeps_its_cluster(
    data: Path, script: Script, psql: Psql
) -> None:
    parent = script(data, redis=False, die_at="Starting PostgreSQL")
    parent.wait(LONG_SECONDS)
    assert parent.returncode == -signal.SIGKILL
    made = (data / "postgres" / "PG_VERSION").stat().st_mtime_ns

    with embedded_servers(data, redis=False, durable=False) as servers:
        assert psql(servers.database_url, "SELECT current_user") == "tieline"

    assert (data / "postgres" / "PG_VERSION").stat().st_mtime_ns == made
