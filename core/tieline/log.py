"""Logs are events with fields, never prose; one correlation id runs from request to actor to provider call."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from contextvars import ContextVar
from typing import Any, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from tieline.ids import new_id

_correlation: ContextVar[str | None] = ContextVar("tieline_correlation", default=None)
# Libraries that log statements with their parameters, or the same fault every second while a server is away.
_QUIETER = {
    "tortoise": logging.WARNING,
    "asyncio": logging.WARNING,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "asyncpg": logging.ERROR,
}
_GIVEN_UP = "unexpected connection_lost() call"
_DRIVER_ERROR = re.compile(r"([\s|+]*(?:asyncpg|tortoise)\.[\w.]+):")
_NEXT_PART = re.compile(
    r"[\s|]*(Traceback \(most|The above exception was|During handling of|\+-|Exception Group)"
)
_LONGEST_CHAIN = 10
_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,64}")


def get_logger(name: str) -> FilteringBoundLogger:
    return cast("FilteringBoundLogger", structlog.get_logger(name))


def correlation_id() -> str:
    """The id of what is under way here; made when nobody has set one yet."""
    current = _correlation.get()
    if current is None:
        current = str(new_id())
        _correlation.set(current)
    return current


def correlate(proposed: str | None) -> str:
    """Take over a caller's correlation id if it is one (8 to 64 of letters, digits, `._-`), else make one."""
    chosen = proposed if proposed and _ACCEPTABLE.fullmatch(proposed) else str(new_id())
    _correlation.set(chosen)
    return chosen


def configure(*, format: str, level: str) -> None:
    """Send our logs and the libraries' to standard error, in one shape."""
    renderer: Processor = (
        structlog.dev.ConsoleRenderer() if format == "console" else structlog.processors.JSONRenderer()
    )
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_correlation,
        structlog.processors.format_exc_info,
        _drop_values,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for chatty, least in _QUIETER.items():
        logging.getLogger(chatty).setLevel(least)
    logging.getLogger("asyncio").addFilter(_is_of_use)


def _is_of_use(record: logging.LogRecord) -> bool:
    """Not what asyncpg leaves to nobody where a caller that is cancelled gives a connection up while it opens."""
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, ConnectionError) and str(error) == _GIVEN_UP)


def _add_correlation(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    current = _correlation.get()
    if current is not None:
        event.setdefault("correlation_id", current)
    return event


def _drop_values(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """The database's errors quote rows and arguments; of those only the class may stay in a traceback."""
    trace = event.get("exception")
    if isinstance(trace, str):
        event["exception"] = _without_values(trace)
    return event


def _without_values(trace: str) -> str:
    kept: list[str] = []
    quoting = False
    for line in trace.splitlines():
        driver = _DRIVER_ERROR.match(line)
        quoting = driver is not None or (quoting and not _NEXT_PART.match(line))
        if driver is not None:
            kept.append(f"{driver[1]}: …")
        elif not quoting:
            kept.append(line)
    return "\n".join(kept)


def fields_of(error: BaseException) -> dict[str, Any]:
    """What may be logged of an error: its class, for ours its code, for a provider's its reference; no payload."""
    fields = {"error": type(error).__name__, "code": getattr(error, "code", None)}
    reference = getattr(error, "reference", None)
    return fields if reference is None else {**fields, "reference": reference}


def trace_of(error: BaseException) -> str:
    """Where it was raised and of which class it is, as for each error before it.

    Its words are left out: a plugin's, and Python's own, may quote what the provider sent, and secrets.
    """
    told: list[str] = []
    current: BaseException | None = error
    while current is not None and len(told) < _LONGEST_CHAIN:
        told.append("".join(traceback.format_tb(current.__traceback__)) + type(current).__name__)
        before = None if current.__suppress_context__ else current.__context__
        current = current.__cause__ or before
    return "\nafter\n".join(told)
