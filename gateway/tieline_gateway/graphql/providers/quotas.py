"""Quota: how it stands with a provider's limits, of a connection or of an app."""

from __future__ import annotations

from datetime import datetime

import strawberry

from tieline.errors import LimitScope
from tieline.plugins import LimitKind
from tieline.quota import LimitTold, QuotaTold, Source

strawberry.enum(
    LimitScope, description="Whose calls a limit counts: those for one organisation, or all calls of the app."
)
strawberry.enum(
    LimitKind,
    description="RATE: so many calls in any window. CONCURRENCY: so many at once. DAY: so many a day, which begins "
    "anew when the provider says so. MONTH: so many in any 31 days.",
)
strawberry.enum(
    Source,
    name="QuotaSource",
    description="LIVE: all that is counted. STORED: what is kept where counting is not to be had, which is blocks and "
    "months; the rest is null.",
)


@strawberry.type(description="One limit of a provider's, and what is left of it.")
class QuotaLimit:
    name: str = strawberry.field(description="The provider's word for it, such as day.")
    scope: LimitScope
    kind: LimitKind
    most: int = strawberry.field(description="How many calls it allows.")
    window_seconds: int | None = strawberry.field(description="Of a RATE: how long a call counts.")
    used: int | None = strawberry.field(description="Calls that count now; null where nobody knows.")
    left: int | None = strawberry.field(
        description="Calls that are left; null where nobody knows. Of a DAY what the provider said at `toldAt`, less "
        "what was called since."
    )
    reserve: int = strawberry.field(
        description="How many of the calls are kept for people: syncs that nobody waits for pause when no more "
        "are left."
    )
    resets_at: datetime | None = strawberry.field(
        description="Of a RATE: when none of its calls counts any more. Of a MONTH: when calls leave it, so that syncs "
        "have another one. Null for a DAY: only the provider knows."
    )
    looks_again_at: datetime | None = strawberry.field(
        description="Of a DAY that is spent: when a call finds out whether it has begun anew."
    )
    told_at: datetime | None = strawberry.field(
        description="Of a DAY: when the provider last said what is left."
    )
    blocked_until: datetime | None = strawberry.field(
        description="The provider refused a call because of this limit, and said to wait until then."
    )

    @classmethod
    def of(cls, told: LimitTold) -> QuotaLimit:
        return cls(
            name=told.name,
            scope=told.scope,
            kind=told.kind,
            most=told.most,
            window_seconds=None if told.window is None else round(told.window.total_seconds()),
            used=told.used,
            left=told.left,
            reserve=told.reserve,
            resets_at=told.resets_at,
            looks_again_at=told.looks_again_at,
            told_at=told.told_at,
            blocked_until=told.blocked_until,
        )


@strawberry.type(description="How it stands with a provider's limits.")
class Quota:
    limits: list[QuotaLimit] = strawberry.field(description="In the order in which the plugin tells them.")
    blocked_by: str | None = strawberry.field(
        description="The limit because of which no call passes at all, until `blockedUntil`."
    )
    blocked_until: datetime | None = strawberry.field(description="Null while calls pass.")
    source: Source
    as_of: datetime = strawberry.field(description="When it stood so.")

    @classmethod
    def of(cls, told: QuotaTold) -> Quota:
        return cls(
            limits=[QuotaLimit.of(each) for each in told.limits],
            blocked_by=told.blocked_by,
            blocked_until=told.blocked_until,
            source=told.source,
            as_of=told.as_of,
        )
