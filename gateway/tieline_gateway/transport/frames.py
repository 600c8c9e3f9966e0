"""The frames of one socket: so many of them, so large, and read with suspicion."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import suppress

from starlette.websockets import WebSocketDisconnect, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import NonTextMessageReceived, WebSocketDisconnected

from tieline.rates import Rate
from tieline.rates.bucket import taken
from tieline_gateway.transport.errors import RequestRefused
from tieline_gateway.transport.incoming import Malformed

MAX_FRAME_BYTES = 256 * 1024
FRAMES = Rate(per_second=100, burst=10_000)
"""What one socket may send, whatever is in it: operations cost besides, and pings nothing else."""

BYTES_A_FRAME = 4_096
"""So many bytes of a frame count as one more, before it is read."""

_MAX_REASON_BYTES = 123


class Frames(ASGIWebSocketAdapter):
    """What comes in on one socket, and what it is closed with. `reads` makes JSON of a frame; a socket sets its own."""

    reads: Callable[[str], Awaitable[object]]
    _full_at = 0

    async def iter_json(
        self,
        *,
        ignore_parsing_errors: bool = False,  # noqa: ARG002
    ) -> AsyncGenerator[object, None]:
        while self.ws.application_state is WebSocketState.CONNECTED:
            frame = await self.ws.receive()
            if frame["type"] == "websocket.disconnect":
                return
            text = frame.get("text")
            if text is None:
                raise NonTextMessageReceived
            size = len(text.encode())
            if size > MAX_FRAME_BYTES:
                await self.close(1009, f"A frame may hold {MAX_FRAME_BYTES:,} bytes.")
                return
            if not self._may_send(1 + size // BYTES_A_FRAME):
                await self.close(
                    4429, f"A socket may send {FRAMES.per_second:g} frames a second, long ones fewer."
                )
                return
            try:
                value = await self.reads(text)
            except Malformed as error:
                await self.close(4400, str(error))
                return
            except RequestRefused as error:
                await self.close(1013, str(error), retry_after=error.retry_after)
                return
            yield value

    def _may_send(self, frames: int) -> bool:
        now = time.monotonic_ns() // 1_000
        self._full_at, wait = taken(self._full_at, now, span=FRAMES.span(frames), whole=FRAMES.whole)
        return not wait

    async def send_json(self, message: Mapping[str, object]) -> None:
        if self.ws.application_state is not WebSocketState.CONNECTED:
            raise WebSocketDisconnected
        await super().send_json(message)

    async def close(self, code: int, reason: str, *, retry_after: int | None = None) -> None:
        """`retry_after`: in how many seconds to come again, for programs; it stands at the end of the reason."""
        if self.ws.application_state is not WebSocketState.CONNECTED:
            return
        ending = "" if retry_after is None else f" retryAfter={retry_after}"
        short = reason.encode(errors="replace")[: _MAX_REASON_BYTES - len(ending)].decode(errors="ignore")
        with suppress(WebSocketDisconnect):
            await super().close(code, short + ending)
