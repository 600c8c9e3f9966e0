"""When a connection is going to expire, and how far ahead people are warned of it. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tieline.connections.states import Reason
from tieline.ids import ConnectionId

WARN_DAYS = (30, 7, 1)
"""So many days before the end people are warned, once each."""
AHEAD = timedelta(days=max(WARN_DAYS))
SAME = timedelta(days=1)
"""An end that moved by less is the same one: providers tell it anew as seconds that are left."""

_SENTENCES = {
    Reason.CONSENT_EXPIRED: "The consent to read these books is about to run out: reconnect.",
    Reason.TOKEN_EXPIRED: "The provider is about to end this sign-in for good: reconnect.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Warned:
    """A working connection will expire at an instant, for this reason: `days` is the mark that has been passed."""

    connection_id: ConnectionId
    reason: Reason
    expires_at: datetime
    days: int

    @property
    def explanation(self) -> str:
        return _SENTENCES[self.reason]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ends:
    """When the consent to a connection's organisation runs out, and the grant itself; None for never."""

    connection_id: ConnectionId
    consent_ends: datetime | None
    grant_ends: datetime | None
    warned_of: datetime | None
    warned_days: int | None

    def warning(self, at: datetime) -> Warned | None:
        """What to warn of at this instant: the earlier end, if it is near and not over."""
        ends = [
            (instant, reason)
            for instant, reason in (
                (self.consent_ends, Reason.CONSENT_EXPIRED),
                (self.grant_ends, Reason.TOKEN_EXPIRED),
            )
            if instant is not None
        ]
        if not ends:
            return None
        expires_at, reason = min(ends)
        passed = [days for days in WARN_DAYS if expires_at <= at + timedelta(days=days)]
        if not passed or expires_at <= at:
            return None
        return Warned(
            connection_id=self.connection_id, reason=reason, expires_at=expires_at, days=min(passed)
        )

    def news(self, at: datetime) -> Warned | None:
        """The same, unless people were warned of this end at this mark or a later one."""
        warning = self.warning(at)
        if warning is None or self.warned_of is None or self.warned_days is None:
            return warning
        is_same = abs(warning.expires_at - self.warned_of) < SAME
        return None if is_same and warning.days >= self.warned_days else warning
