"""The branch of what passes by itself."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import ClassVar

from tieline.errors.root import TielineError


class TryAgain(TielineError):
    """What passes by itself; the classes below say whether anything may have happened."""

    code: ClassVar[str] = "TRY_AGAIN"


class Busy(TryAgain):
    code: ClassVar[str] = "BUSY"
    wait: ClassVar[timedelta] = timedelta(seconds=1)

    def __init__(self) -> None:
        super().__init__("Somebody else changed the same thing at the same moment; try again.")

    def retry_at(self, now: datetime) -> datetime:
        return now + self.wait


class BeingGivenBack(Busy):
    """The same code: whoever begins to sign in asks again in a minute."""

    wait: ClassVar[timedelta] = timedelta(minutes=1)

    def __init__(self) -> None:
        TryAgain.__init__(
            self,
            "Access that was granted before is being given back at the provider, and it takes long: begin to sign in "
            "again in a minute.",
        )


class RateLimited(TryAgain):
    """Too much of this came from one address; nothing happened, and after `wait` the same is heard."""

    code: ClassVar[str] = "RATE_LIMITED"

    def __init__(self, wait: timedelta) -> None:
        seconds = math.ceil(wait.total_seconds())
        super().__init__(
            f"Your address has asked for this very often in a short time; ask again in {seconds} s."
        )
        self._wait = timedelta(seconds=seconds)

    def retry_at(self, now: datetime) -> datetime:
        return now + self._wait


class Unavailable(TryAgain):
    code: ClassVar[str] = "UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__("The database did not answer in time; wait a moment, look, and try again.")


class DatabaseFailed(Unavailable):
    """The same code: people wait and ask again. It may come back each time, so that it counts against a job."""

    def __init__(self) -> None:
        TielineError.__init__(
            self,
            "The database could not do this for want of memory, by a limit of its own or for a fault of its files; "
            "wait a moment, look, and try again.",
        )


class IssuerUnavailable(Unavailable):
    """The same code: whoever calls waits and asks again. It says nothing against the token."""

    def __init__(self) -> None:
        TielineError.__init__(
            self, "The issuer of this token does not answer, so it cannot be checked; try again in a moment."
        )
