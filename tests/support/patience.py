"""Processes that wait long for a Redis that is there: one that stands still for a moment is not away to them."""

from __future__ import annotations

from functools import partial
from unittest.mock import patch

from tieline.rates import process
from tieline.work import doorbell

_SECONDS = 30.0


def with_redis() -> None:
    """Called in a process before its command is."""
    assert doorbell.make_broker.__kwdefaults__ is not None
    patch.dict(doorbell.make_broker.__kwdefaults__, answer_seconds=_SECONDS).start()
    patch.object(doorbell, "_ANSWER_SECONDS", _SECONDS).start()
    patch.object(process, "Rates", partial(process.Rates, answer_seconds=_SECONDS)).start()
