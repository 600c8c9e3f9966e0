"""What every page of a list carries besides its rows."""

from __future__ import annotations

from typing import Any

import strawberry

from tieline.clients.repository import Direction
from tieline.pages import Page


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None

    @classmethod
    def of(cls, page: Page[Any]) -> PageInfo:
        return cls(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=page.cursors[0] if page.cursors else None,
            end_cursor=page.cursors[-1] if page.cursors else None,
        )


strawberry.enum(Direction, name="SortDirection", description="From the first to the last, or back.")
