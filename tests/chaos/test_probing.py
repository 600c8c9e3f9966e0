"""What keeps everybody else waiting is seen, also where it uses no processor."""

from __future__ import annotations

import time

from tests.chaos.probing import Clock


def test_who_sleeps_where_others_should_have_turns_is_seen() -> None:
    clock = Clock()

    clock.start()
    time.sleep(0.2)  # a call that waits on the loop

    assert clock.busy() > 0.1
