"""Serving the application with uvicorn: everything is open before the first byte is answered."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from tieline import draining, live
from tieline.errors import StartRefused
from tieline.lifespan import ready
from tieline.log import get_logger
from tieline.processes import name_of
from tieline.rates import rating
from tieline.settings import Settings
from tieline.watchdog import OwnLoop, watching
from tieline_gateway.app import create_app
from tieline_gateway.connections import ACCEPTED_AT_ONCE, BoundedProtocol, BoundedSocket, most_connections
from tieline_gateway.settings import GatewaySettings
from tieline_gateway.tasks import close_what_never_began
from tieline_gateway.transport.frames import MAX_FRAME_BYTES

DRAIN_SECONDS = 8
_BACKLOG = 2_048
_COLLECTED_AFTER = (700, 10, 1)
_SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = get_logger(__name__)


async def serve(settings: Settings, gateway: GatewaySettings) -> None:
    """Serve until SIGTERM or SIGINT; requests under way get a bounded while to end. Raises StartRefused."""
    close_what_never_began()
    with _bound(gateway) as listening:
        server = _Server(_config(settings, gateway), delay=gateway.drain_delay)
        with watching("gateway", OwnLoop.running(), running=lambda: len(server.server_state.tasks)):
            async with ready(settings, name=name_of("serve")), live.listening(settings), rating(settings):
                collect_little_at_a_time()
                log.info("gateway.started", host=gateway.host, port=listening.getsockname()[1])
                await server.serve(sockets=[listening])
    log.info("gateway.stopped")


def collect_little_at_a_time() -> None:
    """Let no collection of garbage stop the event loop for long: call it once everything that stays is there.

    That is never looked through again, the schema above all; else it takes a tenth of a second each time. The rest is
    looked through whole the more often the less of it stays, which is counted anew once the rest is left out.
    """
    gc.collect()
    gc.freeze()
    gc.collect()
    gc.set_threshold(*_COLLECTED_AFTER)


class _Server(uvicorn.Server):
    """Ends quietly on a signal; the library would raise it again, past everything that is still open.

    For `delay` seconds it goes on listening, for a load balancer to see that it is not ready any more; a second
    signal ends that.
    """

    def __init__(self, config: uvicorn.Config, *, delay: float) -> None:
        super().__init__(config)
        self._delay = delay

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listening in sockets or ():
            listening.listen(_BACKLOG)  # the event loop let no more wait than it accepts at once

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        delay = 0.0 if draining.under_way() else self._delay
        draining.begin("gateway", seconds=delay + draining.END_SECONDS)
        log.info("gateway.draining", running=len(self.server_state.tasks))
        asyncio.get_running_loop().call_later(delay, super().handle_exit, sig, frame)


def _config(settings: Settings, gateway: GatewaySettings) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(settings, gateway),
        lifespan="off",
        log_config=None,
        log_level=max(logging.INFO, logging.getLevelName(settings.log_level)),  # its DEBUG quotes every frame
        access_log=False,
        server_header=False,
        date_header=True,
        backlog=ACCEPTED_AT_ONCE,
        ws_max_size=MAX_FRAME_BYTES,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        ws_per_message_deflate=False,  # 34 KiB for each socket that a browser opens, and frames are small
        http=BoundedProtocol,
        ws=BoundedSocket,
        limit_concurrency=most_connections(settings),
        timeout_keep_alive=30,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        forwarded_allow_ips=gateway.trusted_proxies,
    )


def _bound(gateway: GatewaySettings) -> socket.socket:
    """Ours from here on, so that a second gateway is refused at once; who comes early waits in the backlog."""
    family = socket.AF_INET6 if ":" in gateway.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted ones have it from here
    try:
        listening.bind((gateway.host, gateway.port))
        listening.listen(_BACKLOG)
    except OSError as taken:
        listening.close()
        raise StartRefused(
            f"Cannot listen on {gateway.host}:{gateway.port} ({taken.strerror}): set TIELINE_PORT to a free one."
        ) from taken
    return listening
