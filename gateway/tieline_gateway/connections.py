"""Bounds on connections below HTTP: how long a request's head may take and how large it may be, how many there are,
and how long the other end of a socket may take nothing.

uvicorn bounds none of them but requests, so a stranger without a key could hold connections open for ever.

    most_connections()    places, for requests and sockets alike; who has one keeps it
    + KEPT_PLACES         what comes then is answered, by `places`, and let go: health, figures and refusals
    beyond                takes the place of the one there that has asked nothing for longest, or is cut where all
                          have asked: the database and Redis need descriptors too
"""

from __future__ import annotations

import asyncio
import resource
from typing import Any, ClassVar

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from tieline.descriptors import held_at_most
from tieline.errors import StartRefused
from tieline.log import get_logger
from tieline.settings import Settings

HEAD_SECONDS = 10.0
MAX_HEAD_BYTES = 64 * 1024
STALLED_SECONDS = 30.0
CLOSING_SECONDS = 2.0
KEPT_PLACES = 64
HURRIED_SECONDS = 1.0
ACCEPTED_AT_ONCE = 16
FULL = "tieline.full"
"""Where the state of a request or a socket that found no place has the number of places."""

_MOST = 10_000
_ARRIVING = 4 * ACCEPTED_AT_ONCE  # so many come in before the first that finds no place is cut
_NO_TEXT = 1007

log = get_logger(__name__)


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose next request's head is not there in time, or whose headers are too large.

    The time runs from the first byte after an answer, whatever the bytes are; trailers count as headers.
    `limit_concurrency` of its server is the number of places: whoever finds none gets one answer, and has to be quick.
    """

    _silent: ClassVar[dict[BoundedProtocol, None]] = {}
    """Those without a place that have asked nothing yet, in the order they came; descriptors are the process's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._is_beyond = False
        self._places, self.limit_concurrency = self.limit_concurrency, None  # the library passes over sockets

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._is_beyond = self._places is not None and len(self.connections) > self._places
        if self._is_beyond:
            self._silent[self] = None
        if self._places is not None and len(self.connections) > self._places + KEPT_PLACES:
            (next(iter(self._silent)) if len(self._silent) > 1 else self).give_way()
        if not transport.is_closing():
            self._begin_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        self._silent.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return
        if self._deadline is None and self._is_answered():
            self._begin_head()
        if self._deadline is not None:
            self._count(len(data))

    def on_message_begin(self) -> None:
        self._head_bytes = 0
        if self._deadline is None:
            self._begin_head()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._end_head()
        self._silent.pop(self, None)
        no_place = self._finds_no_place()
        if no_place:
            self.scope["state"][FULL] = self._places
        super().on_headers_complete()
        if no_place and self.cycle is not None:
            self.cycle.keep_alive = False

    def handle_websocket_upgrade(self) -> None:
        if self._finds_no_place():
            self.app_state = {**self.app_state, FULL: self._places}
        super().handle_websocket_upgrade()

    def give_way(self) -> None:
        """Not counted from here on, though the event loop closes it a little later."""
        self._end_head()
        self._silent.pop(self, None)
        self.connections.discard(self)
        self.transport.abort()

    def _finds_no_place(self) -> bool:
        if self._is_beyond and self._places is not None:
            self._is_beyond = len(self.connections) > self._places
        return self._is_beyond

    def _is_answered(self) -> bool:
        return bool(getattr(self.cycle, "response_complete", True))

    def _begin_head(self) -> None:
        seconds = HURRIED_SECONDS if self._is_beyond else HEAD_SECONDS
        self._deadline = self.loop.call_later(seconds, self._too_late)

    def _end_head(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _count(self, more: int) -> None:
        self._head_bytes += more
        if self._head_bytes > MAX_HEAD_BYTES:
            self._end_head()
            self.transport.close()

    def _too_late(self) -> None:
        self._deadline = None
        if self._is_answered():
            self.transport.close()
        else:
            self.cycle.keep_alive = False  # what is being answered gets its answer first


class BoundedSocket(WebSocketsSansIOProtocol):
    """Cuts the line to a reader that takes nothing: what is sent to it waits in a full buffer, a close frame too.

    Once it is to be closed it is cut soon, for whoever reads slowly must not stay longer for that.
    What a stranger does wrong is no error of ours: text that is no UTF-8 is closed with 1007 without a traceback in the
    log, and what is said after a close that a broken frame brought about reaches nobody, as after a line that broke.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stalled: asyncio.TimerHandle | None = None
        self._closing: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._goes_on()
        if self._closing is not None:
            self._closing.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(STALLED_SECONDS, self._cut)

    def resume_writing(self) -> None:
        self._goes_on()
        super().resume_writing()

    async def send(self, message: ASGISendEvent) -> None:
        if message["type"] == "websocket.close" and self._closing is None and not self.disconnected:
            self._closing = self.loop.call_later(CLOSING_SECONDS, self.transport.abort)
        await self.writable.wait()
        if self.handshake_complete and self.close_sent:
            raise ClientDisconnected
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and self.close_sent:
            self.handshake_complete = True  # it was answered; the library would log that it was not

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not self.close_sent and not _is_text(b"".join(self.frames)):
            self.frames = []
            self.conn.send_close(_NO_TEXT)
            self.handle_parser_exception()
            return
        super().send_receive_event_to_app()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()  # closing would wait for the other end, which does not answer

    def _goes_on(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _cut(self) -> None:
        log.info("socket.stalled", seconds=STALLED_SECONDS)
        self.transport.abort()


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def most_connections(settings: Settings) -> int:
    """How many connections find a place in this process. Raises StartRefused where none would find one."""
    kept = KEPT_PLACES + _ARRIVING + held_at_most(settings)
    wanted = _MOST + kept
    allowed = files_allowed(wanted)
    if allowed <= kept:
        raise StartRefused(
            f"A limit of {allowed} open files leaves no place for connections",
            f"raise it to more than {kept}, and to {wanted} for {_MOST} connections",
        )
    return allowed - kept


def files_allowed(wanted: int) -> int:
    """How many files this process may have open, `wanted` at most: raises its limit as far as it may.

    macOS tells of no limit and has one all the same, which it then says: the one that there was stays.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        except (ValueError, OSError):
            return soft
    return allowed
