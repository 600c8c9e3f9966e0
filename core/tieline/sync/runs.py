"""A run: one bringing up to date of one organisation, as everybody else sees it.

QUEUED ── RUNNING ─┬─ SUCCEEDED
   ▲         │     ├─ FAILED(reason)     a person must act, or the next sync tries again
   │         ▼     └─ CANCELLED(reason)  nothing wants it any more
   └─ PAUSED(limit, resume_at)           the provider's limit is spent; it goes on by itself
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tieline.ids import ClientId, CredentialId, OrganisationId, PersonId, RunId
from tieline.work.actor import Lane


class Trigger(StrEnum):
    """Why a run was asked for: a person did it, it was due, the provider told, or what came before made it needed."""

    CONNECT = "CONNECT"
    RECONNECT = "RECONNECT"
    RESTORED = "RESTORED"
    MANUAL = "MANUAL"
    REFRESH_LISTS = "REFRESH_LISTS"
    SETTINGS = "SETTINGS"
    SCHEDULE = "SCHEDULE"
    WEBHOOK = "WEBHOOK"


PARTIAL = frozenset({Trigger.REFRESH_LISTS, Trigger.SETTINGS, Trigger.WEBHOOK})
"""What asks for some of the feeds: the next run of all of them comes when it would have come."""

WHOLE = frozenset({Trigger.RECONNECT, Trigger.RESTORED, Trigger.MANUAL})
"""What comes after a time without access, or is asked for by hand: every feed is read, however lately it was read."""


class RunState(StrEnum):
    """How far a run is; QUEUED, RUNNING and PAUSED are live."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    PAUSED = "PAUSED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_live(self) -> bool:
        return self in {RunState.QUEUED, RunState.RUNNING, RunState.PAUSED}


class FailureReason(StrEnum):
    """Why a run FAILED; the first four are the connection's reasons too, and a person mends them."""

    CONSENT_GONE = "CONSENT_GONE"
    ACCESS_LOST = "ACCESS_LOST"
    SCOPE_MISSING = "SCOPE_MISSING"
    SUBSCRIPTION_LAPSED = "SUBSCRIPTION_LAPSED"
    REVOKED_AT_PROVIDER = "REVOKED_AT_PROVIDER"
    PROVIDER_UNAVAILABLE = "PROVIDER_UNAVAILABLE"
    PROVIDER_MISCONFIGURED = "PROVIDER_MISCONFIGURED"
    PROVIDER_BROKEN = "PROVIDER_BROKEN"
    PLUGIN = "PLUGIN"
    STALLED = "STALLED"


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedProgress:
    """How far a feed is: pages committed, records in them, calls made.

    `changed` of the records were new or other than before, `set_aside` of them could not be read.
    """

    feed: str
    pages: int = 0
    records: int = 0
    changed: int = 0
    set_aside: int = 0
    calls: int = 0
    done: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One bringing up to date of one organisation.

    `client_id` is whom the organisation serves now. `limit_name` and `resume_at` belong to a PAUSED run; `reason` to
    a FAILED or CANCELLED one. `message` is a sentence for people.
    """

    id: RunId
    organisation_id: OrganisationId
    client_id: ClientId | None
    credential_id: CredentialId
    state: RunState
    trigger: Trigger
    lane: Lane
    limit_name: str | None
    resume_at: datetime | None
    reason: str | None
    message: str | None
    feeds: tuple[FeedProgress, ...]
    requested_by: PersonId | None
    created_at: datetime
    changed_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def wanted(self) -> tuple[str, ...]:
        """The feeds' names, in the order in which they are read."""
        return tuple(each.feed for each in self.feeds)

    @property
    def feeds_done(self) -> int:
        """How many of the feeds are read to their end."""
        return sum(each.done for each in self.feeds)

    @property
    def records(self) -> int:
        """How many records have come, in all its feeds."""
        return sum(each.records for each in self.feeds)

    @property
    def set_aside(self) -> int:
        """How many records could not be read, in all its feeds."""
        return sum(each.set_aside for each in self.feeds)
