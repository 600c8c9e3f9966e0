"""Whether Redis is there, as one side of the hints sees it; said once when it goes away and once when it is back."""

from __future__ import annotations

from tieline.log import fields_of, get_logger

log = get_logger(__name__)


class Presence:
    """`side` says in the log who speaks: the one that tells, or the one that listens."""

    def __init__(self, side: str) -> None:
        self._side = side
        self._away = False

    def went_away(self, error: BaseException) -> None:
        if not self._away:
            log.warning("live.away", side=self._side, **fields_of(error))
        self._away = True

    def came_back(self) -> None:
        if self._away:
            log.info("live.back", side=self._side)
        self._away = False
