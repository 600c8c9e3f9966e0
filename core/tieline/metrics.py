"""What every process counts, in Prometheus' form; the names are an interface: docs/operations.md lists them.

Labels are words of closed sets: slugs of installed plugins, names of actors and of a plugin's limits. None is an id,
and none is what a stranger or a provider wrote.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tieline.errors import ProviderError

REGISTRY = CollectorRegistry()
"""Of this process."""
_MOMENTS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)
_WHILES = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_LONG_WHILES = (1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_TOO_MANY = 429
_BROKEN = 500


def _counter(name: str, said: str, *labels: str) -> Counter:
    return Counter(name, said, labels, registry=REGISTRY)


def _histogram(name: str, said: str, *labels: str, buckets: tuple[float, ...]) -> Histogram:
    return Histogram(name, said, labels, buckets=buckets, registry=REGISTRY)


runs = _counter("tieline_sync_runs_total", "Runs that workers ended.", "provider", "trigger", "outcome")
run_seconds = _histogram(
    "tieline_sync_run_seconds",
    "From the first slice of a run to its success.",
    "provider",
    buckets=_LONG_WHILES,
)
pages = _counter("tieline_sync_pages_total", "Pages that were stored.", "provider")
records = _counter("tieline_sync_records_total", "Records in them.", "provider", "kind")
calls = _counter("tieline_provider_calls_total", "Calls to providers.", "provider", "outcome")
call_seconds = _histogram("tieline_provider_call_seconds", "How long they took.", "provider", buckets=_WHILES)
quota_waits = _counter(
    "tieline_quota_waits_total", "Calls that a limit held up.", "provider", "limit", "kind"
)
quota_wait_seconds = _histogram(
    "tieline_quota_wait_seconds", "How long calls waited for their place.", "provider", buckets=_WHILES
)
refreshes = _counter("tieline_refreshes_total", "Tokens that were renewed, or not.", "provider", "outcome")
jobs = _counter("tieline_jobs_ended_total", "Jobs whose work came to an end.", "actor", "outcome")
job_seconds = _histogram("tieline_job_seconds", "How long jobs were worked.", "actor", buckets=_WHILES)
event_lag = _histogram(
    "tieline_event_lag_seconds", "From an event to its sending.", buckets=(*_MOMENTS, 60, 300, 3_600, 86_400)
)
loop_lag = _histogram(
    "tieline_loop_lag_seconds", "How long the event loop let a look wait.", buckets=_MOMENTS
)
subscriptions = Gauge("tieline_subscriptions_open", "Subscriptions under way.", ["name"], registry=REGISTRY)
database_connections = Gauge(
    "tieline_database_connections", "Pooled connections.", ["state"], registry=REGISTRY
)


@dataclass(slots=True)
class Called:
    """What became of a call; `unknown` until somebody says."""

    outcome: str = "unknown"

    def meant(self, fault: object | None) -> None:
        """What its answer means to the plugin: None where nothing is wrong."""
        self.outcome = "ok" if fault is None else _HUMP.sub("_", type(fault).__name__).lower()

    def answered(self, status: int) -> None:
        """For an answer that no plugin reads."""
        if status == _TOO_MANY:
            self.outcome = "throttled"
        elif status >= _BROKEN:
            self.outcome = "transient"
        else:
            self.outcome = "ok" if status < 400 else "rejected"  # noqa: PLR2004 - HTTP's word for refused


@contextmanager
def provider_called(provider: str) -> Iterator[Called]:
    """Around one call."""
    called, began = Called(), time.perf_counter()
    try:
        yield called
    except ProviderError as error:
        called.outcome = error.code.lower()
        raise
    except asyncio.CancelledError:
        called.outcome = "cancelled"
        raise
    finally:
        calls.labels(provider, called.outcome).inc()
        call_seconds.labels(provider).observe(time.perf_counter() - began)
