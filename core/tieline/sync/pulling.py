"""A plugin's reading of one feed, kept within its contract and within time, and closed whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from tieline.canonical import storable
from tieline.errors import ClaimLost, ProviderError, ProviderUnavailable, TryAgain
from tieline.log import get_logger
from tieline.plugins import CursorTooOld, Feed, Page, Provider, Session
from tieline.plugins.edge import RAISED, STOP_SECONDS, CancelledItself, Late, within
from tieline.sync.intake import Misbehaved

PAGE_SECONDS = 120.0
_OURS = (ProviderError, TryAgain, ClaimLost)

log = get_logger(__name__)


class Pull:
    """Pages of a feed from the cursor on, one for each call of `next` until one is the last."""

    def __init__(
        self,
        provider: Provider,
        session: Session,
        feed: Feed,
        cursor: str | None,
        *,
        seconds: float | None = None,
    ) -> None:
        self._provider = provider
        self._session = session
        self._feed = feed
        self._cursor = cursor
        self._seconds = PAGE_SECONDS if seconds is None else seconds
        self._seen = {cursor}
        self._was_calling = False
        self._pages: AsyncIterator[Page] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        close = getattr(self._pages, "aclose", None)
        if close is None:
            return
        try:
            await within(STOP_SECONDS, self._provider, self._session, close)
        except RAISED as trouble:  # what it does when nobody listens any more is told, no more
            log.warning("plugin.not_closed", provider=self._provider.info.slug, error=type(trouble).__name__)

    async def next(self) -> Page:
        """The next page. Raises Misbehaved, CursorTooOld where there is a cursor, and what the session raises."""
        page = await self._asked()
        if not isinstance(page, Page):
            raise Misbehaved("gave something that is no page")
        if page.cursor is not None and storable(page.cursor) != page.cursor:
            raise Misbehaved("gave a cursor that cannot be kept")
        if not page.last:
            if page.cursor in self._seen:
                raise Misbehaved(f"goes round in circles in its feed {self._feed.name!r}")
            self._seen.add(page.cursor)
        return page

    async def _asked(self) -> object:
        # Of that very moment: by the time the page is given up, the call is too.
        late = asyncio.get_running_loop().call_later(self._seconds, self._look)
        try:
            return await within(self._seconds, self._provider, self._session, self._ask)
        except _OURS:
            raise
        except RAISED as error:
            told = self._told(error)
            if told is error:
                raise
            raise told from error
        finally:
            late.cancel()

    async def _ask(self) -> object:
        if self._pages is None:
            self._pages = aiter(self._provider.pull(self._session, self._feed, self._cursor))
        return await anext(self._pages)

    def _told(self, error: BaseException) -> Exception:  # noqa: PLR0911 - one line for each error
        """What it means that this came out of the plugin."""
        match error:
            case StopAsyncIteration():
                return Misbehaved(f"ended its feed {self._feed.name!r} without a last page")
            case CancelledItself():
                return Misbehaved("cancelled itself")
            case Late() if self._was_calling and not error.is_left:
                return ProviderUnavailable(self._provider.info.slug)
            case Late():
                return Misbehaved(f"took more than {self._seconds:.0f} seconds for one page")
            case CursorTooOld() if self._cursor is not None and self._seen == {self._cursor}:
                return error
            case CursorTooOld():
                return Misbehaved(f"finds its cursor too old amid its feed {self._feed.name!r}")
        return Misbehaved(f"failed with {type(error).__name__}")

    def _look(self) -> None:
        self._was_calling = self._session.is_calling
