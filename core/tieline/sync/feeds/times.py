"""When a feed is read again, and when all of it from its beginning. No I/O."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from tieline.ids import OrganisationId
from tieline.plugins import Feed, FeedKind
from tieline.sync.feeds.repository import FeedPlace
from tieline.work import Lane

FULL_READ_EVERY = timedelta(days=30)
"""Unless a feed says otherwise. Changes alone are not enough for ever: providers alter fields without saying that the
record changed, such as `IsSupplier` of Xero's contacts
(https://developer.xero.com/documentation/api/accounting/requests-and-responses), and a record that was set aside comes
again only when somebody edits it."""

SECOND_LOOK_AFTER = timedelta(days=7)
"""How long records are set aside before all of their feed is read for their sake."""

_SLACK = 0.1  # a run may come a tenth of a day early
_SPREAD = 1 / 3
_OVERDUE = 1.5


def is_due(feed: Feed, place: FeedPlace, *, at: datetime) -> bool:
    """Whether it makes sense to ask again; what was never read to its end is due."""
    if place.read_at is None or place.full_read_at is None:
        return True
    return at - place.read_at >= feed.every * (1 - _SLACK)


def is_full_read_due(
    organisation_id: OrganisationId, feed: Feed, place: FeedPlace, *, lane: Lane, at: datetime
) -> bool:
    """Whether a feed of changes is to be read without a cursor; not where that is under way.

    Nobody waits for it before it is long overdue: until then it is for runs in the background.
    Each organisation's feed has a time of its own within the last third, so that what was connected at once is not
    read whole in one night. What a full reading does not show stays, unless its plugin says that it showed the whole.
    """
    if feed.kind is not FeedKind.CHANGES or place.full_read_at is None:
        return False
    spread = 1 - _SPREAD * _share(f"{organisation_id}/{feed.name}")
    part = spread if lane is Lane.BACKGROUND else _OVERDUE
    if at - place.full_read_at >= (feed.whole_every or FULL_READ_EVERY) * part:
        return True
    return (
        place.set_aside_at is not None
        and at - max(place.set_aside_at, place.full_read_at) >= SECOND_LOOK_AFTER * part
    )


def _share(of: str) -> float:
    """From 0 to 1, always the same for the same text."""
    return int.from_bytes(hashlib.sha256(of.encode()).digest()[:8]) / 2**64
