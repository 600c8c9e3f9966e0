"""The least id of a time: greater than what was made before it, not greater than what was made since."""

from __future__ import annotations

from datetime import timedelta

from tieline.ids import least_id, new_id


def test_what_was_made_since_has_an_id_at_least_as_great() -> None:
    made = new_id()

    assert least_id(timedelta(minutes=1)) < made
    assert least_id(timedelta(minutes=-1)) > made


def test_it_lies_as_far_back_as_it_says() -> None:
    hour = least_id(timedelta(hours=1))
    since = new_id().int - hour.int

    assert timedelta(hours=1) <= timedelta(milliseconds=since >> 80) < timedelta(hours=1, minutes=1)
