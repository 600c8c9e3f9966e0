"""A worker's way to Redis: where that is away it is waited for, and said once when it goes and once when it is back."""

from __future__ import annotations

import time
from threading import Lock
from typing import Any

from dramatiq.brokers.redis import RedisBroker

from tieline.live.client import AWAY
from tieline.log import fields_of, get_logger

_AGAIN_SECONDS = 0.5

log = get_logger(__name__)


class PatientBroker(RedisBroker):
    """Whoever asks for messages while Redis is away gets none, and is not told to begin anew.

    Left to itself, each queue's thread says every three seconds that it broke off.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)  # type: ignore[no-untyped-call]  # the library has no types
        self._line = _Line()

    def do_fetch(self, queue_name: str, count: int) -> list[bytes]:
        """As many messages as there are, up to `count`; none while Redis does not give any."""
        answered, found = self._asked("do_fetch", queue_name, count)
        return found if answered else []

    def do_ack(self, queue_name: str, message_id: str) -> None:
        """Tried until Redis takes it: what is not acknowledged comes back when this process is gone."""
        while not self._asked("do_ack", queue_name, message_id)[0]:
            time.sleep(_AGAIN_SECONDS)

    def _asked(self, command: str, *given: object) -> tuple[bool, Any]:
        """Whether Redis has answered, and what."""
        began = time.monotonic()
        try:
            answer = self.__getattr__(command)(*given)  # type: ignore[no-untyped-call]  # nor here
        except AWAY as error:
            self._line.broke(error, began=began)
            return False, None
        self._line.holds(began=began)
        return True, answer


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
