"""What the doctor makes of what it sees, by table."""

from __future__ import annotations

import pytest

from tieline.diagnosis.finding import Grade
from tieline.diagnosis.running import look_at_processes
from tieline.diagnosis.servers import clock_of, seats
from tieline.processes import Running, name_of, read_name

WORKER = Running(role="worker", queues=frozenset({"interactive"}), place="host/1")
SCHEDULER = Running(role="scheduler", queues=frozenset(), place="host/2")
SERVE = Running(role="serve", queues=frozenset(), place="host/3")
BACKGROUND = Running(role="worker", queues=frozenset({"background"}), place="host/4")


def test_a_process_is_read_back_from_its_name_and_a_command_is_none() -> None:
    seen = read_name(name_of("worker", ["interactive", "background"]))

    assert seen is not None
    assert (seen.role, seen.queues) == ("worker", frozenset({"interactive", "background"}))
    assert read_name(name_of("scheduler")) is not None
    assert [read_name(name) for name in ("tieline", "", "psql", "tieline/worker", "other/a/b/c/d")] == [
        None
    ] * 5


def test_a_name_fits_into_what_postgresql_keeps_and_has_no_space() -> None:
    name = name_of("worker", ["interactive", "background"], host="a host's name/that is longer than most")

    assert name.startswith("tieline/worker/interactive+background/a-host-s-name-th/")
    assert len(name) <= 63


@pytest.mark.parametrize(
    ("seen", "sees_all", "grade"),
    [
        ((), True, Grade.LOOK),
        ((), False, Grade.LOOK),
        ((SERVE,), True, Grade.MEND),
        ((SERVE, SCHEDULER, WORKER), True, Grade.MEND),
        ((SERVE, SCHEDULER, WORKER), False, Grade.LOOK),
        ((SERVE, SCHEDULER, WORKER, BACKGROUND), False, Grade.FINE),
        ((SERVE, SCHEDULER, WORKER, BACKGROUND), True, Grade.FINE),
    ],
)
def test_a_process_is_missed_where_others_run_and_all_can_be_seen(
    *, seen: tuple[Running, ...], sees_all: bool, grade: Grade
) -> None:
    assert look_at_processes(seen, sees_all=sees_all).grade is grade


def test_clocks_may_be_two_seconds_apart() -> None:
    assert clock_of("Redis", 2.0) == []
    assert [(each.what, each.grade) for each in clock_of("Redis", 2.1)] == [("Redis, clock", Grade.MEND)]


@pytest.mark.parametrize(("taken", "grade"), [(80, Grade.FINE), (81, Grade.MEND)])
def test_the_last_fifth_of_the_seats_is_for_others(taken: int, grade: Grade) -> None:
    assert seats(taken, 100).grade is grade
