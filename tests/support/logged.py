"""What this process logs while a block lasts, as it would reach standard error."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from tieline import log


@contextmanager
def logging_to() -> Iterator[io.StringIO]:
    """What `configure` sends to standard error."""
    handlers, level = logging.root.handlers, logging.root.level
    log.configure(format="json", level="INFO")
    stream = io.StringIO()
    handler = logging.root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    try:
        yield stream
    finally:
        structlog.reset_defaults()
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)
