"""What a process notes of limits while Redis is away is bounded, and never loses what holds somebody back for long."""

from __future__ import annotations

from datetime import timedelta

from tests.quota.limits import a_day, a_minute
from tieline import clock
from tieline.ids import new_id
from tieline.quota import Block, Meter
from tieline.quota.calls import Call
from tieline.quota.careful import _MOST_ENTRIES, Careful

METER = Meter(provider="pretend", client_id=str(new_id()))
MANY = _MOST_ENTRIES * 2


def call(organisation: object) -> Call:
    return Call.of(METER, str(organisation), (a_day(100), a_minute(60)), reserve=0)


def held_by(careful: Careful, organisation: object) -> str | None:
    """The limit that holds a call back; None where it goes."""
    wait = careful.take(call(organisation))
    return wait.limit if wait else None


def test_short_blocks_make_room_the_oldest_first_and_long_ones_stay() -> None:
    careful, now = Careful(), clock.now()
    careful.block(METER, Block(organisation="long", limit="day", until=now + timedelta(hours=9)))

    for number in range(MANY):
        until = now + timedelta(seconds=30)
        careful.block(METER, Block(organisation=str(number), limit="minute", until=until))

    assert held_by(careful, "long") == "day"
    assert held_by(careful, MANY - 1) == "minute"
    assert held_by(careful, 0) is None
    assert len(careful._blocks) <= _MOST_ENTRIES


def test_however_many_long_blocks_there_are_all_of_them_hold() -> None:
    careful, now = Careful(), clock.now()

    for number in range(_MOST_ENTRIES + 2):
        careful.block(METER, Block(organisation=str(number), limit="day", until=now + timedelta(hours=9)))

    assert [held_by(careful, number) for number in (0, 1, _MOST_ENTRIES + 1)] == ["day"] * 3


def test_days_that_are_spent_stay_noted_and_what_was_told_of_last_does() -> None:
    careful = Careful()
    careful.told(call("spent"), {"day": 0})
    careful.told(call("often"), {"day": 1})

    for number in range(MANY):
        careful.told(call(number), {"day": 50})
        if number % 1_000 == 0:
            careful.told(call("often"), {"day": 1})

    assert held_by(careful, "spent") == "day"
    assert held_by(careful, "often") is None
    careful.free(call("often"))
    assert held_by(careful, "often") == "day"
    assert len(careful._left) <= _MOST_ENTRIES
