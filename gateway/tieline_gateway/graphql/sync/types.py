"""SyncRun, how far its feeds are, and pages of runs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from tieline.credentials.apps.service import limit_named
from tieline.errors import LimitScope
from tieline.ids import OrganisationId
from tieline.pages import Page
from tieline.plugins import Limit
from tieline.sync import runs
from tieline.sync.runs import RunState, Trigger
from tieline_gateway.graphql.context import Info
from tieline_gateway.graphql.pages import PageInfo

if TYPE_CHECKING:
    from tieline_gateway.graphql.connections.types import Organisation

strawberry.enum(
    RunState,
    name="SyncRunState",
    description="QUEUED, RUNNING and PAUSED go on by themselves; SUCCEEDED, FAILED and CANCELLED are over.",
)
strawberry.enum(
    Trigger,
    name="SyncTrigger",
    description="MANUAL, REFRESH_LISTS: a person asked for it. SETTINGS: a person settled that something more is read. "
    "SCHEDULE: it was due. WEBHOOK: the provider told that something changed. "
    "CONNECT, RECONNECT, RESTORED: a connection came into being or works again.",
)


@strawberry.type(description="A limit of the provider's that is spent.")
class SyncLimit:
    name: str = strawberry.field(
        description="The provider's word for it, such as day; `restart` and `line` are short waits of our own."
    )
    organisation_id: strawberry.Private[OrganisationId | None]

    @strawberry.field(
        description="Whose calls it counts; null where it is no limit that the provider is known to have."
    )
    async def scope(self, info: Info) -> LimitScope | None:
        known = await self._known(info)
        return known.scope if known else None

    @strawberry.field(
        description="How many calls it allows the practice's app; null where it is no limit that the provider is "
        "known to have."
    )
    async def most(self, info: Info) -> int | None:
        known = await self._known(info)
        return known.most if known else None

    async def _known(self, info: Info) -> Limit | None:
        loaders = info.context.loaders
        organisation = self.organisation_id and await loaders.organisation.load(self.organisation_id)
        app = await loaders.app.load(organisation.provider) if organisation else None
        return limit_named(app, self.name) if app else None


@strawberry.type(description="How far one feed of a sync is.")
class FeedProgress:
    feed: str = strawberry.field(description="The plugin's name for it, such as contacts.")
    pages: int = strawberry.field(description="Pages that are stored.")
    records: int = strawberry.field(description="Records in these pages.")
    changed: int = strawberry.field(description="Those of them that were new, or other than before.")
    set_aside: int = strawberry.field(
        description="Those of them that could not be read; the next full reading tries them again."
    )
    calls: int = strawberry.field(description="Calls of the provider that this took.")
    done: bool

    @classmethod
    def of(cls, progress: runs.FeedProgress) -> FeedProgress:
        return cls(
            feed=progress.feed,
            pages=progress.pages,
            records=progress.records,
            changed=progress.changed,
            set_aside=progress.set_aside,
            calls=progress.calls,
            done=progress.done,
        )


@strawberry.type(description="One bringing up to date of our copy of an organisation's books.")
class SyncRun:
    id: strawberry.ID
    state: RunState
    trigger: Trigger
    limit: SyncLimit | None = strawberry.field(description="What is spent, while it is PAUSED.")
    resume_at: datetime | None = strawberry.field(
        description="When it goes on by itself, while it is PAUSED."
    )
    reason: str | None = strawberry.field(description="Why it is FAILED or CANCELLED, as a code.")
    message: str | None = strawberry.field(description="A sentence for people, in English.")
    feeds: list[FeedProgress] = strawberry.field(description="In the order in which they are read.")
    feeds_done: int = strawberry.field(description="How many of the feeds are read to their end.")
    feeds_total: int = strawberry.field(description="How many feeds are to be read.")
    records: int = strawberry.field(description="Records that came, in all feeds.")
    set_aside: int = strawberry.field(description="Records that could not be read, in all feeds.")
    created_at: datetime
    started_at: datetime | None = strawberry.field(description="When work on it first began.")
    finished_at: datetime | None = strawberry.field(description="Null while it is not over.")
    organisation_id: strawberry.Private[OrganisationId]

    @strawberry.field(description="Whose books; null where the caller no longer sees it.")
    async def organisation(
        self, info: Info
    ) -> Annotated[Organisation, strawberry.lazy("tieline_gateway.graphql.connections.types")] | None:
        from tieline_gateway.graphql.connections.types import Organisation

        found = await info.context.loaders.organisation.load(self.organisation_id)
        return Organisation.of(found) if found else None

    @classmethod
    def of(cls, run: runs.Run) -> SyncRun:
        return cls(
            id=strawberry.ID(str(run.id)),
            state=run.state,
            trigger=run.trigger,
            limit=_limit(run),
            resume_at=run.resume_at,
            reason=run.reason,
            message=run.message,
            feeds=[FeedProgress.of(each) for each in run.feeds],
            feeds_done=run.feeds_done,
            feeds_total=len(run.feeds),
            records=run.records,
            set_aside=run.set_aside,
            created_at=run.created_at,
            started_at=run.started_at,
            finished_at=run.finished_at,
            organisation_id=run.organisation_id,
        )


def _limit(run: runs.Run) -> SyncLimit | None:
    return SyncLimit(name=run.limit_name, organisation_id=run.organisation_id) if run.limit_name else None


@strawberry.type(description="A sync and where it stands in its list.")
class SyncRunEdge:
    cursor: str
    node: SyncRun


@strawberry.type(description="A page of syncs, the latest first.")
class SyncRunPage:
    nodes: list[SyncRun]
    edges: list[SyncRunEdge]
    page_info: PageInfo
    total_count: int = strawberry.field(description="How many syncs the whole list has.")
    event_cursor: str = strawberry.field(description="Events after this cursor are what this page may lack.")

    @classmethod
    def of(cls, page: Page[runs.Run]) -> SyncRunPage:
        nodes = [SyncRun.of(run) for run in page.rows]
        edges = zip(page.cursors, nodes, strict=True)
        return cls(
            nodes=nodes,
            edges=[SyncRunEdge(cursor=cursor, node=node) for cursor, node in edges],
            page_info=PageInfo.of(page),
            total_count=page.total,
            event_cursor=page.event_cursor,
        )
