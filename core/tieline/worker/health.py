"""Health and figures of a process that serves no API, at a port of its own.

Threads answer, so that they do while the event loop does not, and say so.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET, AF_INET6, socket
from socketserver import TCPServer
from typing import Any, TypeAlias, TypeVar

from tieline import readiness
from tieline.errors import StartRefused
from tieline.exposing import CONTENT_TYPE_LATEST, exposed, may_read
from tieline.log import get_logger
from tieline.settings import Settings

_SECONDS = 3.0
_MOST = 16
_TEXT = "text/plain; charset=utf-8"

T = TypeVar("T")
_Answer: TypeAlias = tuple[HTTPStatus, str, bytes]

log = get_logger(__name__)


@contextmanager
def answering(settings: Settings, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Answer until the block ends, if the settings name a port. Raises StartRefused."""
    if settings.health_port is None:
        yield
        return
    try:
        server = _Server(settings, settings.health_port, loop)
    except OSError as taken:
        raise StartRefused(
            f"Cannot listen on {settings.health_host}:{settings.health_port} ({taken.strerror}): "
            "set TIELINE_HEALTH_PORT to a free one."
        ) from taken
    with server:
        threading.Thread(target=server.serve_forever, args=(0.1,), name="health", daemon=True).start()
        log.info("health.started", host=settings.health_host, port=settings.health_port)
        try:
            yield
        finally:
            server.shutdown()


class _Server(ThreadingHTTPServer):
    """Has few requests at a time; a caller too many is hung up on."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, settings: Settings, port: int, loop: asyncio.AbstractEventLoop) -> None:
        self.address_family = AF_INET6 if ":" in settings.health_host else AF_INET
        self._settings = settings
        self._loop = loop
        self._free = threading.BoundedSemaphore(_MOST)
        super().__init__((settings.health_host, port), _Handler)

    def server_bind(self) -> None:
        """Nobody needs the machine's name, for which the class above waits for a name server on the event loop."""
        TCPServer.server_bind(self)

    def answer(self, path: str, authorization: str) -> _Answer:
        match path:
            case "/livez":
                return self._livez()
            case "/readyz":
                return self._readyz()
            case "/metrics" if may_read(self._settings, authorization):
                return HTTPStatus.OK, CONTENT_TYPE_LATEST, exposed()
        return HTTPStatus.NOT_FOUND, _TEXT, b"Not found\n"

    def _livez(self) -> _Answer:
        try:
            self._asked(asyncio.sleep(0))
        except TimeoutError:
            return HTTPStatus.SERVICE_UNAVAILABLE, _TEXT, b"stuck\n"
        return HTTPStatus.OK, _TEXT, b"ok\n"

    def _readyz(self) -> _Answer:
        try:
            is_ready, body = self._asked(readiness.told(seconds=_SECONDS / 2))
        except TimeoutError:
            is_ready, body = False, {"ready": False, "stuck": True}
        status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
        return status, "application/json", json.dumps(body).encode()

    def _asked(self, question: Coroutine[Any, Any, T]) -> T:
        """What the event loop answers. Raises TimeoutError when it does not."""
        asked = asyncio.run_coroutine_threadsafe(question, self._loop)
        try:
            return asked.result(_SECONDS)
        finally:
            asked.cancel()

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:  # noqa: ARG002
        """A caller that went away in the middle is nothing to tell; what else goes wrong is said by its class."""
        log.debug("health.not_answered")


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _SECONDS
    server_version = "Tieline"
    sys_version = ""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        status, kind, body = self.server.answer(path, self.headers.get("authorization", ""))
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged."""
