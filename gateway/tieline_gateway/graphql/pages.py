"""What every page of a list carries besides its rows."""

from __future__ import annotations

from typing import Any

import strawberry

from tieline.pages import Direction, Page


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether `after: endCursor` shows more.")
    has_previous_page: bool = strawberry.field(
        description="Whether this page was asked for with `after`. Lists are read forwards; there is no `before`."
    )
    start_cursor: str | None = strawberry.field(description="The first row's; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="The last row's; null on an empty page.")

    @classmethod
    def of(cls, page: Page[Any]) -> PageInfo:
        return cls(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=page.cursors[0] if page.cursors else None,
            end_cursor=page.cursors[-1] if page.cursors else None,
        )


strawberry.enum(Direction, name="SortDirection", description="From the first to the last, or back.")
