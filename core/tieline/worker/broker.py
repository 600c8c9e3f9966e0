"""A worker's way to Redis: where that is away it is waited for, and said once when it goes and once when it is back.

What Redis refuses is not waited for: it is said once for each command and queue, until that is answered again.
"""

from __future__ import annotations

import time
from threading import Lock
from typing import Any

import redis

from tieline.log import fields_of, get_logger
from tieline.work.doorbell import Broker

_AGAIN_SECONDS = 0.5
_AWAY = (redis.ConnectionError, redis.TimeoutError, OSError)

log = get_logger(__name__)


class PatientBroker(Broker):
    """Whoever asks for messages while Redis is away gets none, and is not told to begin anew.

    Left to itself, each queue's thread says every three seconds that it broke off.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)  # type: ignore[no-untyped-call]  # the library has no types
        self._line = _Line()
        self._refusals = _Refusals()

    def do_fetch(self, queue_name: str, count: int) -> list[bytes]:
        """As many messages as there are, up to `count`; none while Redis does not give any."""
        return self._asked("do_fetch", queue_name, count)[1] or []

    def do_ack(self, queue_name: str, message_id: str) -> None:
        """Tried until Redis answers: what is not acknowledged comes back when this process is gone."""
        self._insist("do_ack", queue_name, message_id)

    def do_nack(self, queue_name: str, message_id: str) -> None:
        """As `do_ack`; a message that has become too old is one of those, as many have when Redis is back."""
        self._insist("do_nack", queue_name, message_id)

    def _insist(self, command: str, queue_name: str, message_id: str) -> None:
        while not self._asked(command, queue_name, message_id)[0]:
            time.sleep(_AGAIN_SECONDS)

    def _asked(self, command: str, queue_name: str, given: object) -> tuple[bool, Any]:
        """Whether Redis has answered, and what; a refusal is an answer, of nothing."""
        began = time.monotonic()
        try:
            answer = self.__getattr__(command)(queue_name, given)  # type: ignore[no-untyped-call]  # nor here
        except _AWAY as error:
            self._line.broke(error, began=began)
            return False, None
        except redis.RedisError as error:
            self._refusals.said(command, queue_name, error)
            return True, None
        self._line.holds(began=began)
        self._refusals.over(command, queue_name)
        return True, answer


class _Refusals:
    """The commands that Redis refuses, each for its queue."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: set[tuple[str, str]] = set()

    def said(self, command: str, queue_name: str, error: redis.RedisError) -> None:
        with self._lock:
            if (command, queue_name) in self._known:
                return
            self._known.add((command, queue_name))
        log.error("worker.refused", command=command.removeprefix("do_"), queue=queue_name, **fields_of(error))

    def over(self, command: str, queue_name: str) -> None:
        with self._lock:
            self._known.discard((command, queue_name))


class _Line:
    """Whether Redis answers, as many threads see it that ask at once: the word of who began to ask last counts."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._is_broken = False
        self._known_at = 0.0

    def broke(self, error: BaseException, *, began: float) -> None:
        with self._lock:
            if self._is_broken or began < self._known_at:
                return
            self._is_broken, self._known_at = True, time.monotonic()
            log.warning("worker.away", **fields_of(error))

    def holds(self, *, began: float) -> None:
        with self._lock:
            if not self._is_broken:
                self._known_at = time.monotonic()
            elif began >= self._known_at:
                self._is_broken, self._known_at = False, time.monotonic()
                log.info("worker.back")
